// How captured bytes become text for people and programs: one place for inspect, findings and the page.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "session/exchange.h"

namespace darktap::session {

// Text converted from the character set of a collation id to UTF-8. Unknown (0) and binary collations count as UTF-8.
struct Utf8Text {
  std::string text;
  enum class Loss : std::uint8_t { none, some } loss = Loss::none;  // some: bytes that don't fit their character set
};
Utf8Text to_utf8(std::string_view bytes, std::uint16_t collation);

// A prepared statement's values as a JSON array (design §4): null, numbers, strings, {"hex": …}; bulk: an array of arrays.
void write_parameters(JsonWriter& json, const mysql::Command& command, std::uint16_t collation);

// One cell as JSON: null, a string, a number for integer columns, or {"hex": …} for bytes that aren't text.
void write_cell(JsonWriter& json, const mysql::Cell& cell, const mysql::Column& column, std::uint16_t collation);

// An answer as JSON: {"outcome", and "columns" + "rows" (at most max_rows; "row_count", "digest"), "affected_rows", …, "error"}.
void write_answer(JsonWriter& json, const mysql::Answer& answer, std::uint16_t collation, std::size_t max_rows);

}  // namespace darktap::session
