// What the lexer asks of characters and of character sets by name.
#pragma once

#include <cstddef>
#include <string_view>

namespace darktap::sql {

// Length of the well-formed UTF-8 sequence of 2 to 4 bytes at the front of a non-empty text, else 0.
std::size_t utf8_length(std::string_view text);

// A character set's name, case aside: behind '_' it introduces a string.
bool is_charset_name(std::string_view name);

}  // namespace darktap::sql
