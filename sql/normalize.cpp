#include "normalize.h"

#include <xxhash.h>

#include <cstring>
#include <unordered_set>

#include "characters.h"
#include "sql/rewrite.h"
#include "words.h"

namespace darktap::sql {
namespace {

// The text that is built: grows by doubling, and writes without looking where the end is for each character.
class Output {
 public:
  // Into the memory that an earlier text left.
  Output(std::string& memory, std::size_t expected) : text_(memory) {
    if (text_.size() < expected) text_.resize(expected);
  }
  void add(char c) {
    reserve(1);
    text_.data()[size_++] = c;
  }
  void add(std::string_view piece) {
    const std::size_t size = piece.size();
    reserve(size);
    char* to = text_.data() + size_;
    const char* from = piece.data();
    // Most pieces are short: two halves that may overlap.
    if (size > 16) {
      std::memcpy(to, from, size);
    } else if (size >= 8) {
      std::memcpy(to, from, 8);
      std::memcpy(to + size - 8, from + size - 8, 8);
    } else if (size >= 4) {
      std::memcpy(to, from, 4);
      std::memcpy(to + size - 4, from + size - 4, 4);
    } else {
      for (std::size_t i = 0; i < size; ++i) to[i] = from[i];
    }
    size_ += size;
  }
  void add_lower(std::string_view piece) {
    reserve(piece.size());
    char* to = text_.data() + size_;
    for (char c : piece) *to++ = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    size_ += piece.size();
  }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  char back() const { return text_.data()[size_ - 1]; }
  std::string_view from(std::size_t begin) const { return std::string_view(text_).substr(begin, size_ - begin); }
  void cut(std::size_t size) { size_ = size; }
  std::string take() const { return text_.substr(0, size_); }

 private:
  void reserve(std::size_t more) {
    if (text_.size() - size_ < more) text_.resize(2 * text_.size() + more);
  }
  std::string& text_;
  std::size_t size_ = 0;
};

class Normalizer {
 public:
  Normalizer(std::string_view text, const Lexed& lexed, const Parsed& parsed, const FingerprintRules& rules, std::string& memory)
      : text_(text),
        tokens_(lexed.tokens.data()),
        count_(lexed.tokens.size()),
        roles_(parsed.roles.data()),
        folds_digits_(rules.table_digits == TableDigits::folded),
        out_(memory, text.size() + text.size() / 4 + 16) {
    if (!folds_digits_) return;
    for (std::size_t i = 0; i < count_; ++i) {
      if (roles_[i] == Role::table) tables_.insert(name_of(text_, tokens_[i]));
    }
  }

  std::string run() {
    std::size_t count = count_ - 1;
    while (count > 0 && is_symbol(count - 1, ';')) --count;
    emit(0, count);
    return out_.take();
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
    const Token& first = tokens_[i];
    Role role = roles_[i];
    switch (first.kind) {
      case TokenKind::quoted_name:
        if (role == Role::alias_bare) put("as", Glue::spaced);
        put_name(i);
        return i + 1;
      case TokenKind::symbol:
        if (first.symbol == '-' || first.symbol == '+') return emit_sign(i, end);
        emit_symbol(first);
        return i + 1;
      case TokenKind::word: return emit_word(i, end);
      default: break;
    }
    if (!is_value(i)) {
      emit_token(i);
      return i + 1;
    }
    bool text = first.kind == TokenKind::string;
    put('?', Glue::spaced);
    ++i;
    while (text && i < end && tokens_[i].kind == TokenKind::string && is_value(i)) ++i;  // 'a' 'b' is one string
    return i;
  }

  std::size_t emit_word(std::size_t i, std::size_t end) {
    Role role = roles_[i];
    W found = static_cast<W>(tokens_[i].word);
    if (role == Role::dropped) return i + 1;
    if (role == Role::comma) {
      put(',', Glue::before_none);
      return i + 1;
    }
    if (found == W::null_ && is_value(i)) {
      put('?', Glue::spaced);
      return i + 1;
    }
    bool listed = found == W::in_ || found == W::values_ || found == W::value_;
    if (listed && !is_identifier_role(i) && i + 1 < end) {
      bool nested = false;
      if (found == W::in_) {
        if (is_symbol(i + 1, '(')) {
          std::size_t behind = behind_value_list(i + 1, end, nested);
          put("in", Glue::spaced);
          if (behind == i + 1) return i + 1;
          put(nested ? "((?+))" : "(?+)", Glue::spaced);
          return behind;
        }
      } else if (is_symbol(i + 1, '(') || (word(i + 1) == W::row_ && i + 2 < end && is_symbol(i + 2, '('))) {
        if (role != Role::function && !in_row_) return emit_rows(i, end);
      }
    }
    emit_token(i);
    return i + 1;
  }

  std::size_t emit_sign(std::size_t i, std::size_t end) {
    std::size_t behind = i;
    if (sign_is_unary(i)) {
      while (behind < end && (is_symbol(behind, '-') || is_symbol(behind, '+'))) ++behind;
      if (behind < end && is_value(behind)) return emit_one(behind, end);
    } else {
      ++behind;
    }
    for (; i < behind; ++i) emit_symbol(tokens_[i]);
    return behind;
  }

  void emit_symbol(const Token& token) {
    switch (token.symbol) {
      case ',': return put(',', Glue::before_none);
      case ')': return put(')', Glue::before_none);
      case '(': return put('(', Glue::after_none);
      case '.': return put('.', Glue::none);
      case ';':
        if (!out_.empty() && out_.back() != ';') put(';', Glue::before_none);
        return;
      case symbol_code("<>"): return put("!=", Glue::spaced);
      default:
        if (token.length == 1) return put(static_cast<char>(token.symbol), Glue::spaced);
        return put(text_of(text_, token), Glue::spaced);
    }
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
      if (any) put(',', Glue::before_none);
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
      std::string_view row = out_.from(start);
      if (row.starts_with(' ')) row.remove_prefix(1);
      if (any && row == last_row) {
        out_.cut(before);
        glue_ = glue;
      } else {
        last_row = row;
      }
      any = true;
      i = behind;
      bool more = i + 1 < end && is_symbol(i, ',') && (is_symbol(i + 1, '(') || (word(i + 1) == W::row_ && i + 2 < end && is_symbol(i + 2, '(')));
      if (!more) return i;
      ++i;
    }
  }

  enum class Glue : std::uint8_t { spaced, before_none, after_none, none };

  void blank_before(Glue glue) {
    bool left_open = glue_ == Glue::after_none || glue_ == Glue::none;
    bool right_open = glue == Glue::before_none || glue == Glue::none;
    if (!left_open && !right_open && !out_.empty()) out_.add(' ');
    glue_ = glue;
  }
  void put(std::string_view piece, Glue glue) {
    blank_before(glue);
    out_.add(piece);
  }
  void put(char only, Glue glue) {
    blank_before(glue);
    out_.add(only);
  }
  void put_lower(const Token& token, Glue glue) {
    blank_before(glue);
    if (static_cast<W>(token.word) == W::distinctrow_) out_.add("distinct");
    else if (token.word != 0) out_.add(spelling(static_cast<W>(token.word)));
    else out_.add_lower(text_of(text_, token));
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
    if (is_plain_name(text_, tokens_[i].offset + 1, inside.size()) && reserve_of(find_word(inside)) == Reserve::free) return put(inside, Glue::spaced);
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
        if (role == Role::keyword) return put_lower(token, Glue::spaced);
        if (role == Role::name || role == Role::table) return put_name(i);
        bool call = i + 1 < count_ && is_symbol(i + 1, '(');
        if (role == Role::function || (role == Role::unknown && call && token.word == 0 && find_function(raw) != nullptr)) {
          return put_lower(token, call ? Glue::after_none : Glue::spaced);
        }
        if (role == Role::unknown && reserve_of(static_cast<W>(token.word)) != Reserve::free) return put_lower(token, Glue::spaced);
        return put_name(i);
      }
      case TokenKind::quoted_name: return put_name(i);
      case TokenKind::string: return put_name(i);  // an alias in quotes
      case TokenKind::number: return put(raw, Glue::spaced);  // a position
      case TokenKind::user_variable: return put(raw, Glue::spaced);
      case TokenKind::system_variable: return put_lower(token, Glue::spaced);
      case TokenKind::symbol: return emit_symbol(token);
      case TokenKind::invalid: return put('?', Glue::spaced);
      case TokenKind::hex: case TokenKind::bit: case TokenKind::placeholder: case TokenKind::end: return;
    }
  }

  std::string_view text_;
  const Token* tokens_;
  std::size_t count_;
  const Role* roles_;
  bool folds_digits_;
  std::unordered_set<std::string> tables_;
  Output out_;
  Glue glue_ = Glue::after_none;
  bool in_row_ = false;  // rows inside rows are not folded: the depth of this recursion is one
};

}  // namespace

std::string normalize(std::string_view text, const Lexed& lexed, const Parsed& parsed, const FingerprintRules& rules, std::string& memory) {
  return Normalizer(text, lexed, parsed, rules, memory).run();
}

std::uint64_t hash_of_normalized(std::string_view normalized) { return XXH3_64bits(normalized.data(), normalized.size()); }

Fingerprint fingerprint(std::string_view text, const Dialect& dialect, const FingerprintRules& rules) {
  thread_local Scratch scratch;
  lex(text, dialect, UnknownVersion::executed, scratch.lexed);
  parse(text, scratch.lexed, dialect, Detail::meaning, scratch.parsed);
  Fingerprint result;
  result.normalized = normalize(text, scratch.lexed, scratch.parsed, rules, scratch.normalized);
  scratch.shrink();
  result.hash = hash_of_normalized(result.normalized);
  return result;
}

}  // namespace darktap::sql
