// The conjuncts of a WHERE that pin a column to values.
#pragma once

#include "sql/query_shape.h"
#include "statement.h"

namespace darktap::sql {

// The value that a range of tokens is: a literal with its sign, a marker, or an expression.
Value value_of(std::string_view text, const Lexed& lexed, TokenRange range);

void find_key_predicates(std::string_view text, const Lexed& lexed, const Dialect& dialect, TokenRange where,
                         std::vector<KeyPredicate>& found);

}  // namespace darktap::sql
