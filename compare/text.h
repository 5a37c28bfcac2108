// Small text tools that the comparison's parts share.
#pragma once

#include <string_view>

#include "base/text.h"

namespace darktap::compare {

// Without the blanks around it; lives as long as the text.
inline std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  std::size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

// As a word of its own, both in lower case.
inline bool has_word(std::string_view text, std::string_view word) {
  for (std::size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '$'; };
    bool begins = at == 0 || !letter(text[at - 1]), ends = at + word.size() == text.size() || !letter(text[at + word.size()]);
    if (begins && ends) return true;
  }
  return false;
}

}  // namespace darktap::compare
