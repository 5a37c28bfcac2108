#include "proxy_header.h"

#include <algorithm>
#include <string_view>

namespace darktap::mysql {

namespace {

constexpr std::string_view version1 = "PROXY ", version2("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t version2_fixed = 16;

bool may_begin(std::string_view text, std::string_view with) {
  std::size_t shared = std::min(text.size(), with.size());
  return text.substr(0, shared) == with.substr(0, shared);
}

}  // namespace

ProxyHeader::State ProxyHeader::take(Bytes& input) {
  while (true) {
    if (skip_ > 0) {
      std::size_t skipped = std::min(skip_, input.size());
      input = input.subspan(skipped);
      skip_ -= skipped;
      return skip_ == 0 ? State::over : State::more;
    }
    std::string_view text = as_text(held_);
    if (text.size() >= version1.size() && text.starts_with(version1) && text.ends_with("\r\n")) {
      held_.clear();
      return State::over;
    }
    if (text.size() == version2_fixed && text.starts_with(version2)) {
      skip_ = std::to_integer<std::size_t>(held_[14]) << 8 | std::to_integer<std::size_t>(held_[15]);
      held_.clear();
      if (skip_ == 0) return State::over;
      continue;
    }
    bool is_possible = (may_begin(text, version1) && text.size() < longest_line) || (may_begin(text, version2) && text.size() < version2_fixed);
    if (!is_possible) return State::over;
    if (input.empty()) return State::more;
    if (text.empty() && input.front() != std::byte{'P'} && input.front() != std::byte{'\r'}) return State::over;  // as nearly always
    held_.push_back(input.front());
    input = input.subspan(1);
  }
}

}  // namespace darktap::mysql
