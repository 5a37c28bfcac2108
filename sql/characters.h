// What the lexer asks of characters and of character sets by name.
#pragma once

#include <cstddef>
#include <string_view>

namespace darktap::sql {

// Length of the well-formed UTF-8 sequence of 2 to 4 bytes at the front of a non-empty text, else 0.
std::size_t utf8_length(std::string_view text);

// A character set's name, case aside: behind '_' it introduces a string.
bool is_charset_name(std::string_view name);

// Behind the bytes of a quoted text that stand for themselves: at a quote, a backslash, a NUL, and at a byte from 0x80 where
// those stop too; the text's size where nothing does.
std::size_t skip_plain(std::string_view text, std::size_t at, unsigned char quote, bool high_stops);

// Is it a name that needs no quotes: letters, digits, '_', '$' and bytes beyond ASCII, no digit in front?
bool is_plain_name(std::string_view text, std::size_t at, std::size_t length);

}  // namespace darktap::sql
