#include "key_predicates.h"

#include "order.h"
#include "words.h"

namespace darktap::sql {
namespace {

bool is_symbol(const Lexed& lexed, std::uint32_t i, std::uint32_t code) {
  return lexed.tokens[i].kind == TokenKind::symbol && lexed.tokens[i].symbol == code;
}
W word(const Lexed& lexed, std::uint32_t i) {
  return lexed.tokens[i].kind == TokenKind::word ? static_cast<W>(lexed.tokens[i].word) : W::none;
}

bool is_literal_range(const Lexed& lexed, TokenRange range) {
  if (range.empty()) return false;
  std::uint32_t i = range.begin;
  bool sign = is_symbol(lexed, i, '-') || is_symbol(lexed, i, '+');
  if (sign && ++i == range.end) return false;
  switch (lexed.tokens[i].kind) {
    case TokenKind::number: case TokenKind::hex: case TokenKind::bit: return i + 1 == range.end;
    case TokenKind::string:
      for (; i < range.end; ++i) {
        if (lexed.tokens[i].kind != TokenKind::string) return false;
      }
      return true;
    case TokenKind::word: {
      W found = word(lexed, i);
      return !sign && i + 1 == range.end && (found == W::null_ || found == W::true_ || found == W::false_);
    }
    default: return false;
  }
}

class Finder {
 public:
  Finder(std::string_view text, const Lexed& lexed, const Dialect& dialect, std::vector<KeyPredicate>& found)
      : text_(text), lexed_(lexed), dialect_(dialect), found_(found) {}

  // Splits at the ANDs of this level; an OR anywhere on it pins nothing.
  void conjunction(TokenRange range, int depth) {
    if (range.empty() || depth > max_nesting) return;
    std::vector<TokenRange> parts;
    int open = 0, cases = 0;
    std::uint32_t begin = range.begin;
    bool between = false;
    for (std::uint32_t i = range.begin; i < range.end; ++i) cases += (word(lexed_, i) == W::case_) - (word(lexed_, i) == W::end_);
    if (cases != 0) return;  // a column called END: which is which is not worth knowing
    for (std::uint32_t i = range.begin; i < range.end; ++i) {
      W found = word(lexed_, i);
      bool after_dot = i > range.begin && is_symbol(lexed_, i - 1, '.');
      if (is_symbol(lexed_, i, '(') || found == W::case_) ++open;
      if (is_symbol(lexed_, i, ')') || found == W::end_) --open;
      if (open != 0 || after_dot) continue;
      bool pipes = is_symbol(lexed_, i, symbol_code("||")) && !dialect_.mode.pipes_as_concat;
      if (found == W::or_ || found == W::xor_ || pipes) return;
      if (found == W::between_) {
        between = true;
      } else if (found == W::and_ && between) {
        between = false;
      } else if (found == W::and_ || is_symbol(lexed_, i, symbol_code("&&"))) {
        parts.push_back({begin, i});
        begin = i + 1;
      }
    }
    parts.push_back({begin, range.end});
    for (TokenRange part : parts) conjunct(part, depth);
  }

 private:
  void conjunct(TokenRange range, int depth) {
    if (range.empty()) return;
    if (is_symbol(lexed_, range.begin, '(') && closes_at_end(range)) {
      W inside = word(lexed_, range.begin + 1);
      if (inside != W::select_ && inside != W::with_) conjunction({range.begin + 1, range.end - 1}, depth + 1);
      return;
    }
    for (std::uint32_t i = range.begin; i < range.end; ++i) {
      bool equals = is_symbol(lexed_, i, '='), null_safe = is_symbol(lexed_, i, symbol_code("<=>"));
      if (equals || null_safe) {
        TokenRange left{range.begin, i}, right{i + 1, range.end};
        if (!add(left, {right}, null_safe)) add(right, {left}, null_safe);
        return;
      }
      if (word(lexed_, i) == W::in_ && i + 1 < range.end && is_symbol(lexed_, i + 1, '(') && closes_at_end({i + 1, range.end})) {
        std::vector<TokenRange> values;
        std::uint32_t begin = i + 2;
        for (std::uint32_t at = begin; at < range.end; ++at) {
          if (is_symbol(lexed_, at, '(')) return;
          if (!is_symbol(lexed_, at, ',') && at + 1 != range.end) continue;
          if (values.size() == max_key_values) return;
          values.push_back({begin, at});
          begin = at + 1;
        }
        add({range.begin, i}, values, false);
        return;
      }
      if (i - range.begin >= 5) return;  // longer than any column's name
    }
  }

  bool closes_at_end(TokenRange range) const {
    int open = 0;
    for (std::uint32_t i = range.begin; i < range.end; ++i) {
      if (is_symbol(lexed_, i, '(')) ++open;
      if (is_symbol(lexed_, i, ')') && --open == 0) return i + 1 == range.end;
    }
    return false;
  }

  bool add(TokenRange left, const std::vector<TokenRange>& values, bool null_safe) {
    std::uint32_t column = 0, qualifier = 0;
    if (!bare_column(lexed_, left, column, qualifier)) return false;
    KeyPredicate predicate;
    predicate.column = name_of(text_, lexed_.tokens[column]);
    if (qualifier != no_token) predicate.table = name_of(text_, lexed_.tokens[qualifier]);
    predicate.null_safe = null_safe;
    for (TokenRange range : values) {
      Value value = value_of(text_, lexed_, range);
      if (!value.is_literal && !value.parameter) return false;
      predicate.values.push_back(std::move(value));
    }
    found_.push_back(std::move(predicate));
    return true;
  }

  std::string_view text_;
  const Lexed& lexed_;
  const Dialect& dialect_;
  std::vector<KeyPredicate>& found_;
};

}  // namespace

Value value_of(std::string_view text, const Lexed& lexed, TokenRange range) {
  Value value;
  if (range.empty()) {
    value.is_literal = false;
    return value;
  }
  if (range.end == range.begin + 1 && lexed.tokens[range.begin].kind == TokenKind::placeholder) {
    value.parameter = count_of(text, lexed, range.begin).parameter;
    return value;
  }
  const Token& last = lexed.tokens[range.end - 1];
  std::uint32_t begin = lexed.tokens[range.begin].offset;
  value.text = text.substr(begin, last.offset + last.length - begin);
  value.is_literal = is_literal_range(lexed, range);
  return value;
}

void find_key_predicates(std::string_view text, const Lexed& lexed, const Dialect& dialect, TokenRange where,
                         std::vector<KeyPredicate>& found) {
  Finder(text, lexed, dialect, found).conjunction(where, 0);
}

}  // namespace darktap::sql
