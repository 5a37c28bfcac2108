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

}  // namespace darktap::compare
