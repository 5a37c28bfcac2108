#include "session_text.h"

#include "charsets.h"

namespace darktap::mysql {

namespace {

constexpr std::size_t longest_statement = 512;  // longer ones are no USE and no SET NAMES

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'; }
bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}

// Takes words, quoted names and comments from the front of a short statement.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool keyword(std::string_view upper) {
    std::string_view before = text_;
    std::string found = word();
    for (char& c : found)
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (found == upper) return true;
    text_ = before;
    return false;
  }

  // A bare or quoted name.
  std::optional<std::string> name() {
    skip_blank();
    if (text_.empty()) return std::nullopt;
    char quote = text_[0];
    if (quote != '`' && quote != '\'' && quote != '"') {
      std::string bare = word();
      if (bare.empty()) return std::nullopt;
      return bare;
    }
    std::string result;
    for (std::size_t i = 1; i < text_.size(); ++i) {
      if (text_[i] != quote) { result += text_[i]; continue; }
      if (i + 1 < text_.size() && text_[i + 1] == quote) { result += quote; ++i; continue; }
      text_.remove_prefix(i + 1);
      return result;
    }
    return std::nullopt;
  }

  bool at_end() {
    skip_blank();
    while (!text_.empty() && text_[0] == ';') {
      text_.remove_prefix(1);
      skip_blank();
    }
    return text_.empty();
  }

 private:
  void skip_blank() {
    while (!text_.empty()) {
      if (is_space(text_[0])) { text_.remove_prefix(1); continue; }
      std::size_t end = std::string_view::npos;
      if (text_.starts_with("/*") && !text_.starts_with("/*!") && !text_.starts_with("/*M!")) {
        end = text_.find("*/", 2);
        if (end != std::string_view::npos) end += 2;
      } else if (text_[0] == '#' || text_.starts_with("-- ")) {
        end = text_.find('\n');
        if (end == std::string_view::npos) end = text_.size();
      }
      if (end == std::string_view::npos) return;
      text_.remove_prefix(end);
    }
  }

  std::string word() {
    skip_blank();
    std::size_t length = 0;
    while (length < text_.size() && is_word(text_[length])) ++length;
    std::string result(text_.substr(0, length));
    text_.remove_prefix(length);
    return result;
  }

  std::string_view text_;
};

// Nearly every statement begins with another word than these two.
bool may_move_state(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size() && is_space(text[at])) ++at;
  if (text.size() - at < 3) return false;
  auto is = [&](std::size_t i, char c) { return (text[at + i] | 0x20) == c; };
  if (is_word(text[at])) return (is(0, 'u') && is(1, 's') && is(2, 'e')) || (is(0, 's') && is(1, 'e') && is(2, 't'));
  return true;  // a comment comes first
}

}  // namespace

SessionText recognise_session_text(std::string_view text) {
  if (text.size() > longest_statement || !may_move_state(text)) return {};
  Scanner scanner(text);
  if (scanner.keyword("USE")) {
    auto schema = scanner.name();
    if (schema && scanner.at_end()) return {.schema = schema, .collation = {}};
    return {};
  }
  if (!scanner.keyword("SET")) return {};
  if (!scanner.keyword("NAMES") && !(scanner.keyword("CHARACTER") && scanner.keyword("SET")) && !scanner.keyword("CHARSET")) return {};
  auto character_set = scanner.name();
  if (!character_set) return {};
  std::uint16_t collation = default_collation(*character_set);
  if (scanner.keyword("COLLATE")) {
    auto name = scanner.name();
    if (!name) return {};
    if (std::uint16_t named = collation_by_name(*name); named != 0) collation = named;
  }
  if (!scanner.at_end() || collation == 0) return {};
  return {.schema = {}, .collation = collation};
}

}  // namespace darktap::mysql
