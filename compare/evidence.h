// Evidence is one JSON object, put together from parts that different rules contribute; and the parts they share.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "row_match.h"

namespace darktap::compare {

inline constexpr std::size_t max_evidence_rows = 5;   // a list of rows, groups or cells in evidence
inline constexpr std::size_t max_evidence_sql = 4096; // bytes of a statement quoted in evidence

// Members of an object, in the order in which they were added.
class Evidence {
 public:
  Evidence() { json_.begin_object(); }
  // For writing members: key(…) and a value, or member(…).
  JsonWriter& json() { return json_; }
  // Members that were taken from another Evidence.
  void append(std::string_view members);
  // The members without the braces around them; the evidence is empty afterwards.
  std::string take_members();

 private:
  JsonWriter json_;
};

// "{" + all the members + "}".
std::string object_of(std::string_view members);
// Such an object with further members before its own, or behind them.
void put_in_front(std::string& object, Evidence&& members);
void put_behind(std::string& object, Evidence&& members);

void write_row(JsonWriter& json, const Table& table, std::size_t row, std::uint16_t collation);
// What is on one side only, and the first cell that differs where two leftovers look like one row.
void write_leftovers(JsonWriter& json, const Table& a, const Table& b, const RowMatch& match, ColumnPlans plan, std::uint16_t collation);
// The first max_evidence_sql bytes, as UTF-8.
std::string quoted_sql(std::string_view sql, std::uint16_t collation);

}  // namespace darktap::compare
