#include "sql/secrets.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "sql/lexer.h"

namespace darktap::sql {
namespace {

constexpr std::string_view replacement = "'<secret>'";

bool contains_folded(std::string_view text, std::string_view lower_needle) {
  auto same = [](char a, char b) { return lower(a) == b; };
  return std::search(text.begin(), text.end(), lower_needle.begin(), lower_needle.end(), same) != text.end();
}

// Does the text hold, in any case, "ssw", "tif" or "nec": what the three words above all others are told by? Sixteen bytes at a
// time, since every statement of production is asked.
bool may_hold_secret(std::string_view text) {
  using Bytes16 = unsigned char __attribute__((vector_size(16)));
  auto load = [&](std::size_t at) {
    Bytes16 bytes;
    std::memcpy(&bytes, text.data() + at, sizeof bytes);
    return bytes | 0x20;
  };
  auto any = [](auto mask) {
    std::uint64_t halves[2];
    std::memcpy(halves, &mask, sizeof halves);
    return (halves[0] | halves[1]) != 0;
  };
  auto holds = [&](std::size_t at) {
    const Bytes16 first = load(at), second = load(at + 1), third = load(at + 2);
    return any(((first == 's') & (second == 's') & (third == 'w')) | ((first == 't') & (second == 'i') & (third == 'f')) |
               ((first == 'n') & (second == 'e') & (third == 'c')));
  };
  constexpr std::size_t width = sizeof(Bytes16) + 2;
  if (text.size() < width) return true;  // too short to be worth it
  const std::size_t last = text.size() - width;
  for (std::size_t at = 0; at < last; at += sizeof(Bytes16))
    if (holds(at)) return true;
  return holds(last);
}

class Redactor {
 public:
  Redactor(std::string& sql, const Dialect& dialect) : sql_(sql), lexed_(lex(sql, without_version(dialect))) {}

  Redaction run() {
    std::size_t count = lexed_.tokens.size();
    bool at_start = true;
    for (at_ = 0; at_ < count; ++at_) {
      const Token& token = lexed_.tokens[at_];
      std::string found = word(at_);
      if (at_start && token.kind == TokenKind::word) {
        head_ = found;
        second_ = at_ + 1 < count ? word(at_ + 1) : "";
        identified_ = false;
      }
      // Statements inside a routine's body start behind these words.
      at_start = is_symbol(at_, ';') || found == "begin" || found == "then" || found == "else" || found == "do" || found == "loop";
      if (found == "identified") identified_ = true;
      if (is_text(token) && is_secret()) secrets_.push_back(at_);
    }
    for (std::size_t i = secrets_.size(); i-- > 0;) {
      const Token& token = lexed_.tokens[secrets_[i]];
      sql_.replace(token.offset, token.length, replacement);
    }
    return secrets_.empty() ? Redaction::nothing_found : Redaction::replaced;
  }

 private:
  // A versioned comment may hold the clause: it is looked into whatever the server.
  static Dialect without_version(Dialect dialect) {
    dialect.server = {};
    return dialect;
  }

  // A literal, one that the text's end cuts off, or what ANSI_QUOTES would make a name.
  bool is_text(const Token& token) const {
    char first = token.length > 0 ? sql_[token.offset] : '\0';
    switch (token.kind) {
      case TokenKind::string: case TokenKind::hex: return true;
      case TokenKind::quoted_name: return first == '"';
      case TokenKind::invalid: return first == '\'' || first == '"' || first == 'n' || first == 'N' || first == '_';
      default: return false;
    }
  }

  std::string word(std::size_t i) const {
    if (i >= lexed_.tokens.size()) return {};
    const Token& token = lexed_.tokens[i];
    if (token.kind != TokenKind::word && token.kind != TokenKind::system_variable && token.kind != TokenKind::quoted_name) return {};
    return lower(name_of(sql_, token));
  }
  bool is_symbol(std::size_t i, std::uint32_t code) const {
    return lexed_.tokens[i].kind == TokenKind::symbol && lexed_.tokens[i].symbol == code;
  }

  bool is_secret() const {
    std::size_t before = at_;
    if (before > 0 && is_text(lexed_.tokens[before - 1])) {  // 'a' 'b' is one string
      return !secrets_.empty() && secrets_.back() == before - 1;
    }
    if (before == 0) return false;
    --before;
    bool parenthesis = is_symbol(before, '(');
    bool equals = is_symbol(before, '=') || is_symbol(before, symbol_code(":="));
    std::string leading = word((parenthesis || equals) && before > 0 ? before - 1 : before);
    if (parenthesis) return leading == "password" || leading == "old_password";
    std::string_view value = std::string_view(sql_).substr(lexed_.tokens[at_].offset, lexed_.tokens[at_].length);
    if (definition() && leading == "comment") return contains_folded(value, "password");  // Spider: COMMENT 'password "…"'
    if (equals) {
      bool sets = head_ == "set" || head_ == "change" || head_ == "start" || head_ == "stop";
      if (head_ == "set" && second_ == "password") return true;  // SET PASSWORD FOR 'u'@'h' = '…'
      if (sets) return leading.ends_with("password");
      return definition() && leading == "connection";  // FEDERATED: a URL with its password
    }
    if (identified_ && (leading == "by" || leading == "as" || leading == "using" || leading == "password" || leading == "replace")) return true;
    if (head_ == "set" && second_ == "password" && (leading == "to" || leading == "replace")) return true;
    if (definition() && leading == "password") return true;  // CREATE SERVER … OPTIONS (PASSWORD '…')
    // A statement inside a string.
    bool nested = (head_ == "prepare" && leading == "from") || (head_ == "execute" && leading == "immediate");
    return nested && (contains_folded(value, "password") || contains_folded(value, "identified"));
  }

  bool definition() const { return head_ == "create" || head_ == "alter"; }

  std::string& sql_;
  Lexed lexed_;
  std::size_t at_ = 0;
  std::string head_, second_;
  bool identified_ = false;
  std::vector<std::size_t> secrets_;
};

}  // namespace

Redaction redact_secrets(std::string& sql, const Dialect& dialect) {
  // Nearly all statements leave here: the clauses can't be written without one of these words.
  bool candidate = may_hold_secret(sql) && (contains_folded(sql, "password") || contains_folded(sql, "identified") || contains_folded(sql, "connection"));
  if (!candidate) return Redaction::nothing_found;
  return Redactor(sql, dialect).run();
}

}  // namespace darktap::sql
