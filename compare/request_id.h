// The application's request that a statement belongs to, as frameworks write it into a comment: two statements of one request
// may come over two connections of a pool.
#pragma once

#include <string>
#include <string_view>

#include "sql/dialect.h"

namespace darktap::compare {

inline constexpr std::size_t max_request_id = 200;  // bytes; what is longer is no id

// The trace of a W3C traceparent, or the value of request_id, trace_id, correlation_id and their like (sqlcommenter, marginalia,
// Rails' query log tags, plain key=value or key: value); empty where no comment bears one. A request's own id goes before a trace.
std::string request_id(std::string_view text, const sql::Dialect& dialect);

}  // namespace darktap::compare
