#include "normalize.h"

#include <xxhash.h>

#include <unordered_set>

#include "sql/rewrite.h"
#include "words.h"

namespace darktap::sql {
namespace {

class Normalizer {
 public:
  Normalizer(std::string_view text, const Lexed& lexed, const Parsed& parsed, const FingerprintRules& rules)
      : text_(text), tokens_(lexed.tokens), roles_(parsed.roles), folds_digits_(rules.table_digits == TableDigits::folded) {
    if (!folds_digits_) return;
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      if (roles_[i] == Role::table) tables_.insert(name_of(text_, tokens_[i]));
    }
  }

  std::string run() {
    out_.reserve(text_.size());
    std::size_t count = tokens_.size() - 1;
    while (count > 0 && is_symbol(count - 1, ';')) --count;
    emit(0, count);
    return std::move(out_);
  }

 private:
  bool is_symbol(std::size_t i, std::uint32_t code) const { return tokens_[i].kind == TokenKind::symbol && tokens_[i].symbol == code; }
  W word(std::size_t i) const { return tokens_[i].kind == TokenKind::word ? static_cast<W>(tokens_[i].word) : W::none; }
  bool is_identifier_role(std::size_t i) const {
    Role role = roles_[i];
    return role == Role::name || role == Role::table || role == Role::alias || role == Role::alias_bare;
  }

  // A literal, a marker, or NULL where it is a value. TRUE and FALSE stay: flags are few, and what sets one is another
  // statement than what clears it.
  bool is_value(std::size_t i) const {
    switch (tokens_[i].kind) {
      case TokenKind::string: case TokenKind::number: return !is_identifier_role(i) && roles_[i] != Role::position;
      case TokenKind::hex: case TokenKind::bit: case TokenKind::placeholder: return true;
      case TokenKind::word: {
        if (word(i) != W::null_ || roles_[i] != Role::unknown) return false;
        W before = i > 0 ? word(i - 1) : W::none;
        return before != W::is_ && before != W::not_;
      }
      default: return false;
    }
  }

  // May the sign at i belong to the value behind it? Not where an operand stands in front of it.
  bool sign_is_unary(std::size_t i) const {
    if (i == 0) return true;
    if (is_value(i - 1) || is_identifier_role(i - 1)) return false;
    const Token& before = tokens_[i - 1];
    switch (before.kind) {
      case TokenKind::symbol: return before.symbol != ')' && before.symbol != '}';
      case TokenKind::word: return roles_[i - 1] == Role::keyword && word(i - 1) != W::end_;
      default: return false;
    }
  }
  // Behind a list of nothing but values and lists of values that opens at i; i where it holds anything else.
  std::size_t behind_value_list(std::size_t i, std::size_t end, bool& nested) const {
    std::size_t open = 0, at = i;
    for (; at < end; ++at) {
      if (is_symbol(at, '(')) {
        if (++open > 1) nested = true;
      } else if (is_symbol(at, ')')) {
        if (--open == 0) return at + 1;
      } else if (!is_symbol(at, ',') && !is_symbol(at, '-') && !is_symbol(at, '+') && !is_value(at)) {
        return i;
      } else if (is_value(at) && at > i && (is_symbol(at - 1, '-') || is_symbol(at - 1, '+')) && !sign_is_unary(at - 1)) {
        return i;  // 1-1 is an expression
      }
    }
    return i;
  }

  std::size_t matching_parenthesis(std::size_t i, std::size_t end) const {
    std::size_t open = 0;
    for (std::size_t at = i; at < end; ++at) {
      if (is_symbol(at, '(')) ++open;
      if (is_symbol(at, ')') && --open == 0) return at;
    }
    return end;
  }

  void emit(std::size_t i, std::size_t end) {
    while (i < end) i = emit_one(i, end);
  }

  std::size_t emit_one(std::size_t i, std::size_t end) {
    if (roles_[i] == Role::dropped) return i + 1;
    if (roles_[i] == Role::comma) {
      put(",", Glue::before_none);
      return i + 1;
    }
    const Token& first = tokens_[i];
    if (first.kind == TokenKind::quoted_name || (first.kind == TokenKind::symbol && first.symbol != '-' && first.symbol != '+')) {
      emit_token(i);
      return i + 1;
    }
    if (is_value(i)) {
      bool text = tokens_[i].kind == TokenKind::string;
      put("?", Glue::spaced);
      ++i;
      while (text && i < end && tokens_[i].kind == TokenKind::string && is_value(i)) ++i;  // 'a' 'b' is one string
      return i;
    }
    if ((is_symbol(i, '-') || is_symbol(i, '+')) && sign_is_unary(i)) {
      std::size_t behind = i;
      while (behind < end && (is_symbol(behind, '-') || is_symbol(behind, '+'))) ++behind;
      if (behind < end && is_value(behind)) return emit_one(behind, end);
      for (; i < behind; ++i) emit_token(i);
      return behind;
    }
    W found = word(i);
    bool keyword = found != W::none && !is_identifier_role(i);
    if (keyword && i + 1 < end && is_symbol(i + 1, '(')) {
      bool nested = false;
      if (found == W::in_) {
        std::size_t behind = behind_value_list(i + 1, end, nested);
        put("in", Glue::spaced);
        if (behind == i + 1) return i + 1;
        put(nested ? "((?+))" : "(?+)", Glue::spaced);
        return behind;
      }
    }
    if (keyword && (found == W::values_ || found == W::value_) && i + 1 < end &&
        (is_symbol(i + 1, '(') || (word(i + 1) == W::row_ && i + 2 < end && is_symbol(i + 2, '(')))) {
      if (roles_[i] != Role::function && !in_row_) return emit_rows(i, end);
    }
    emit_token(i);
    return i + 1;
  }

  // VALUES (…), (…), …: each row once where it looks like the one in front of it.
  std::size_t emit_rows(std::size_t i, std::size_t end) {
    put("values", Glue::spaced);
    ++i;
    std::string last_row;
    bool any = false;
    for (;;) {
      bool row_word = word(i) == W::row_;
      std::size_t open = i + (row_word ? 1 : 0);
      bool nested = false;
      std::size_t behind = behind_value_list(open, end, nested);
      std::size_t before = out_.size();
      Glue glue = glue_;
      if (any) put(",", Glue::before_none);
      std::size_t start = out_.size();
      if (row_word) put("row", Glue::spaced);
      if (behind != open && !nested) {
        put("(?+)", Glue::spaced);
      } else {
        std::size_t close = matching_parenthesis(open, end);
        behind = close < end ? close + 1 : end;
        in_row_ = true;
        emit(open, behind);
        in_row_ = false;
      }
      std::string row = out_.substr(start);
      if (row.starts_with(' ')) row.erase(0, 1);
      if (any && row == last_row) {
        out_.resize(before);
        glue_ = glue;
      } else {
        last_row = std::move(row);
      }
      any = true;
      i = behind;
      bool more = i + 1 < end && is_symbol(i, ',') && (is_symbol(i + 1, '(') || (word(i + 1) == W::row_ && i + 2 < end && is_symbol(i + 2, '(')));
      if (!more) return i;
      ++i;
    }
  }

  enum class Glue : std::uint8_t { spaced, before_none, after_none, none };

  void put(std::string_view piece, Glue glue) {
    bool left_open = glue_ == Glue::after_none || glue_ == Glue::none || out_.empty();
    bool right_open = glue == Glue::before_none || glue == Glue::none;
    bool blank = !left_open && !right_open;
    if (blank) out_.push_back(' ');
    if (piece.size() == 1) out_.push_back(piece[0]);
    else out_.append(piece);
    glue_ = glue;
  }

  void put_lower(std::string_view piece, Glue glue) {
    std::size_t size = piece.size();
    put(piece, glue);
    for (std::size_t i = out_.size() - size; i < out_.size(); ++i) {
      if (out_[i] >= 'A' && out_[i] <= 'Z') out_[i] = static_cast<char>(out_[i] | 0x20);
    }
  }

  static bool is_plain(std::string_view name) {
    if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
    for (char raw : name) {
      unsigned char c = static_cast<unsigned char>(raw);
      bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' || c >= 0x80;
      if (!plain) return false;
    }
    return true;
  }

  // A name keeps its quotes only where it would be something else without them.
  void put_name(std::size_t i) {
    const Token& token = tokens_[i];
    std::string_view raw = text_of(text_, token);
    if (folds_digits_) {
      std::string name = name_of(text_, token);
      if (tables_.contains(name)) {
        fold_digits(name);
        return put(name, Glue::spaced);
      }
    }
    if (token.kind == TokenKind::word) return put(raw, Glue::spaced);
    std::string_view inside = raw.size() >= 2 ? raw.substr(1, raw.size() - 2) : std::string_view();
    if (is_plain(inside) && reserve_of(find_word(inside)) == Reserve::free) return put(inside, Glue::spaced);
    put(quote_name(name_of(text_, token)), Glue::spaced);
  }

  static void fold_digits(std::string& name) {
    std::string folded;
    for (char c : name) {
      if (c < '0' || c > '9') folded += c;
      else if (folded.empty() || folded.back() != '#') folded += '#';
    }
    name = std::move(folded);
  }

  void emit_token(std::size_t i) {
    const Token& token = tokens_[i];
    std::string_view raw = text_of(text_, token);
    if (roles_[i] == Role::alias_bare) put("as", Glue::spaced);
    switch (token.kind) {
      case TokenKind::word: {
        Role role = roles_[i];
        if (role == Role::keyword) return put_lower(raw, Glue::spaced);
        bool call = i + 1 < tokens_.size() && is_symbol(i + 1, '(');
        if (role == Role::function || (role == Role::unknown && call && token.word == 0 && find_function(raw) != nullptr)) {
          return put_lower(raw, call ? Glue::after_none : Glue::spaced);
        }
        if (role == Role::unknown && reserve_of(static_cast<W>(token.word)) != Reserve::free) return put_lower(raw, Glue::spaced);
        return put_name(i);
      }
      case TokenKind::quoted_name: return put_name(i);
      case TokenKind::string: return put_name(i);  // an alias in quotes
      case TokenKind::number: return put(raw, Glue::spaced);  // a position
      case TokenKind::user_variable: return put(raw, Glue::spaced);
      case TokenKind::system_variable: return put_lower(raw, Glue::spaced);
      case TokenKind::symbol:
        switch (token.symbol) {
          case ',': return put(raw, Glue::before_none);
          case ')': return put(raw, Glue::before_none);
          case '(': return put(raw, Glue::after_none);
          case '.': return put(raw, Glue::none);
          case ';':
            if (!out_.empty() && out_.back() != ';') put(raw, Glue::before_none);
            return;
          default: return put(raw, Glue::spaced);
        }
      case TokenKind::invalid: return put("?", Glue::spaced);
      case TokenKind::hex: case TokenKind::bit: case TokenKind::placeholder: case TokenKind::end: return;
    }
  }

  std::string_view text_;
  const std::vector<Token>& tokens_;
  const std::vector<Role>& roles_;
  bool folds_digits_;
  std::unordered_set<std::string> tables_;
  std::string out_;
  Glue glue_ = Glue::after_none;
  bool in_row_ = false;  // rows inside rows are not folded: the depth of this recursion is one
};

}  // namespace

std::string normalize(std::string_view text, const Lexed& lexed, const Parsed& parsed, const FingerprintRules& rules) {
  return Normalizer(text, lexed, parsed, rules).run();
}

std::uint64_t hash_of_normalized(std::string_view normalized) { return XXH3_64bits(normalized.data(), normalized.size()); }

Fingerprint fingerprint(std::string_view text, const Dialect& dialect, const FingerprintRules& rules) {
  Lexed lexed = lex(text, dialect);
  Fingerprint result;
  result.normalized = normalize(text, lexed, parse(text, lexed, dialect), rules);
  result.hash = hash_of_normalized(result.normalized);
  return result;
}

}  // namespace darktap::sql
