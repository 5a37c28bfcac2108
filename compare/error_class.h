// Errors are compared by what they mean: servers number the same mistake differently, and no two print the same text.
#pragma once

#include <cstdint>
#include <string_view>

#include "mysql/answer.h"

namespace darktap::compare {

enum class ErrorClass : std::uint8_t {
  syntax, no_such_table, no_such_column, no_such_schema, no_such_function, duplicate_key, foreign_key, not_null, out_of_range,
  wrong_value, too_long, access_denied, deadlock, lock_timeout, interrupted, read_only, ambiguous_column, column_count,
  not_aggregated, connection, unsupported, unknown,
};
std::string_view to_string(ErrorClass error_class);

// The class of an error. vtgate answers most of its own errors as 1105; the VT code or a few fixed words in front of its
// text tell them apart (https://vitess.io/docs/reference/errors/query-serving/).
ErrorClass classify(const mysql::ServerError& error);

// Two errors that say the same: one class, or, where neither code is known here, one code.
bool same_error(const mysql::ServerError& a, const mysql::ServerError& b);

// The server's circumstances rather than the statement or its data: locks, kills, time limits, lost connections.
bool is_environmental(ErrorClass error_class);

}  // namespace darktap::compare
