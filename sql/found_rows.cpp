// SELECT SQL_CALC_FOUND_ROWS … LIMIT n tells FOUND_ROWS() how many rows there were without the LIMIT.
#include "editable.h"
#include "sql/query_shape.h"
#include "sql/rewrite.h"
#include "sql/same_rows.h"

namespace darktap::sql {

std::optional<std::string> count_found_rows(std::string_view text, std::string_view column, const Dialect& dialect) {
  std::optional<Editable> source = editable(text, dialect);
  if (!source || source->block().sql_calc_found_rows == no_token) return std::nullopt;
  std::string plain(text);
  std::size_t begin = begin_of(*source, source->block().sql_calc_found_rows);
  plain.erase(begin, end_of(*source, source->block().sql_calc_found_rows) - begin);
  std::optional<std::string> whole = drop_limit(plain, dialect);
  if (!whole) return std::nullopt;
  std::string count = "COUNT(*) AS " + quote_name(column);
  QueryShape shape = shape_of(*whole, dialect);
  bool row_for_row = shape.understood && shape.kind == ShapeKind::select && !shape.distinct && shape.group_by.empty() && shape.having.empty() && !shape.aggregate_without_group;
  if (row_for_row)
    if (auto counted = over_same_rows(*whole, count, "", "", dialect)) return counted;
  return still_read("SELECT " + count + " FROM (" + open_ended(*whole) + "\n) AS `__dt_found`", dialect);
}

}  // namespace darktap::sql
