#include "json_canonical.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace darktap::compare {

namespace {

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  std::optional<std::string> document(ArrayOrder order) {
    std::string out;
    if (!value(out, 0, order)) return std::nullopt;
    blanks();
    if (at_ != text_.size()) return std::nullopt;
    return out;
  }

 private:
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(char c) {
    if (peek() != c || at_ >= text_.size()) return false;
    ++at_;
    return true;
  }
  void blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) ++at_;
  }

  bool value(std::string& out, std::size_t depth, ArrayOrder order) {
    if (depth > max_json_depth) return false;
    blanks();
    switch (peek()) {
      case '{': return object(out, depth);
      case '[': return array(out, depth, order);
      case '"': return string(out);
      default: return word(out);
    }
  }

  bool string(std::string& out) {
    std::size_t begin = at_;
    if (!take('"')) return false;
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    if (at_ >= text_.size()) return false;
    ++at_;
    out += text_.substr(begin, at_ - begin);
    return true;
  }

  // A number, true, false or null.
  bool word(std::string& out) {
    std::size_t begin = at_;
    auto part = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' || c == '+' || c == '.' || c == 'E'; };
    while (at_ < text_.size() && part(text_[at_])) ++at_;
    out += text_.substr(begin, at_ - begin);
    return at_ > begin;
  }

  bool array(std::string& out, std::size_t depth, ArrayOrder order) {
    std::vector<std::string> elements;
    take('[');
    blanks();
    if (!take(']')) {
      do {
        if (!value(elements.emplace_back(), depth + 1, ArrayOrder::kept)) return false;
        blanks();
      } while (take(','));
      if (!take(']')) return false;
    }
    if (order == ArrayOrder::sorted_at_top) std::sort(elements.begin(), elements.end());
    out += '[';
    for (std::size_t i = 0; i < elements.size(); ++i) {
      if (i > 0) out += ',';
      out += elements[i];
    }
    out += ']';
    return true;
  }

  bool object(std::string& out, std::size_t depth) {
    std::vector<std::pair<std::string, std::string>> members;
    take('{');
    blanks();
    if (!take('}')) {
      do {
        auto& [name, content] = members.emplace_back();
        blanks();
        if (!string(name)) return false;
        blanks();
        if (!take(':') || !value(content, depth + 1, ArrayOrder::kept)) return false;
        blanks();
      } while (take(','));
      if (!take('}')) return false;
    }
    std::stable_sort(members.begin(), members.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    out += '{';
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (i > 0) out += ',';
      out += members[i].first + ':' + members[i].second;
    }
    out += '}';
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::optional<std::string> canonical_json(std::string_view text, ArrayOrder order) { return Parser(text).document(order); }

}  // namespace darktap::compare
