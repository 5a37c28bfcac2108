// The words that the parser knows, as numbers, and which of them can't be an identifier. The list is words.def.
#pragma once

#include <cstdint>
#include <string_view>

namespace darktap::sql {

// The trailing underscore keeps the enumerators apart from C++'s own words.
enum class W : std::uint16_t {
  none,
#define DARKTAP_WORD(name, reserve) name##_,
#include "words.def"
#undef DARKTAP_WORD
  count_of_words,
};

enum class Reserve : std::uint8_t {
  free,      // may be any identifier
  some,      // reserved in some versions only: taken as an identifier where nothing else fits
  reserved,  // never an unquoted identifier
};

// The word, whatever its case; W::none for all others.
W find_word(std::string_view text);
std::string_view spelling(W word);  // lower case
Reserve reserve_of(W word);

}  // namespace darktap::sql
