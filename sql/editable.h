// What every rewrite starts from: one plain statement, understood whole, and the pieces of its text.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "statement.h"

namespace darktap::sql {

// A statement that may be edited: one plain read, understood whole.
struct Editable {
  Lexed lexed;
  Parsed parsed;
  const Statement& statement() const { return parsed.statements.front(); }
  const Block& block() const { return statement().top; }
};

inline std::optional<Editable> editable(std::string_view text, const Dialect& dialect) {
  Editable found;
  found.lexed = lex(text, dialect);
  if (!found.lexed.clean || found.lexed.undecided > 0) return std::nullopt;
  found.parsed = parse(text, found.lexed, dialect);
  if (found.parsed.statements.size() != 1) return std::nullopt;
  if (!found.statement().understood || found.statement().parenthesized_with_tail) return std::nullopt;
  return found;
}

inline bool is_plain_read(const Statement& statement) {
  return statement.base == StatementClass::read && statement.verb == Verb::select && !statement.locking && statement.effects.empty() &&
         !statement.assigns_variable;
}

inline std::size_t begin_of(const Editable& source, std::uint32_t token) { return source.lexed.tokens[token].offset; }
inline std::size_t end_of(const Editable& source, std::uint32_t token) {
  return source.lexed.tokens[token].offset + source.lexed.tokens[token].length;
}
inline std::string_view slice(std::string_view text, const Editable& source, TokenRange range) {
  return text.substr(begin_of(source, range.begin), end_of(source, range.end - 1) - begin_of(source, range.begin));
}

inline bool is_symbol(const Editable& source, std::uint32_t token, char symbol) {
  const Token& one = source.lexed.tokens[token];
  return one.kind == TokenKind::symbol && one.symbol == static_cast<std::uint32_t>(symbol);
}

// The parenthesis that closes the one at `open`; `end` where none before it does.
inline std::uint32_t closing_parenthesis(const Editable& source, std::uint32_t open, std::uint32_t end) {
  int depth = 0;
  for (std::uint32_t i = open; i < end; ++i) {
    if (is_symbol(source, i, '(')) ++depth;
    if (is_symbol(source, i, ')') && --depth == 0) return i;
  }
  return end;
}

// What comes out must still be what went in: a read.
inline std::optional<std::string> still_read(std::string sql, const Dialect& dialect) {
  Meaning meaning = understand(sql, dialect);
  if (!meaning.understood || meaning.statement_class != StatementClass::read || meaning.statements != 1) return std::nullopt;
  return sql;
}

struct Edit {
  std::size_t at, length;
  std::string put;
};

// The text with all of them, which don't overlap.
inline std::optional<std::string> edited(std::string_view text, std::vector<Edit> edits, const Dialect& dialect) {
  std::string sql(text);
  std::sort(edits.begin(), edits.end(), [](const Edit& x, const Edit& y) { return x.at > y.at; });
  for (const Edit& edit : edits) sql.replace(edit.at, edit.length, edit.put);
  return still_read(std::move(sql), dialect);
}

}  // namespace darktap::sql
