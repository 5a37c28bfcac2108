// What every rewrite starts from: one plain statement, understood whole, and the pieces of its text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

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

// What comes out must still be what went in: a read.
inline std::optional<std::string> still_read(std::string sql, const Dialect& dialect) {
  Meaning meaning = understand(sql, dialect);
  if (!meaning.understood || meaning.statement_class != StatementClass::read || meaning.statements != 1) return std::nullopt;
  return sql;
}

}  // namespace darktap::sql
