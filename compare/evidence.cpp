#include "evidence.h"

#include <algorithm>

#include "session/render.h"

namespace darktap::compare {

void Evidence::append(std::string_view members) {
  if (!members.empty()) json_.raw(members);
}

std::string Evidence::take_members() {
  std::string text = json_.take();
  json_.begin_object();
  return text.substr(1);
}

std::string object_of(std::string_view members) { return "{" + std::string(members) + "}"; }

void put_behind(std::string& object, Evidence&& members) {
  Evidence all;
  all.append(object.substr(1, object.size() - 2));
  all.append(members.take_members());
  object = object_of(all.take_members());
}

void put_in_front(std::string& object, Evidence&& members) {
  members.append(object.substr(1, object.size() - 2));
  object = object_of(members.take_members());
}

void write_row(JsonWriter& json, const Table& table, std::size_t row, std::uint16_t collation) {
  json.begin_array();
  for (std::size_t c = 0; c < table.columns.size(); ++c) session::write_cell(json, table.rows[row][c], table.columns[c], collation);
  json.end_array();
}

namespace {

void write_rows(JsonWriter& json, std::string_view name, const Table& table, const std::vector<std::size_t>& rows, std::uint16_t collation) {
  json.key(name).begin_array();
  for (std::size_t i = 0; i < std::min(rows.size(), max_evidence_rows); ++i) write_row(json, table, rows[i], collation);
  json.end_array();
}

bool differs(const Table& a, std::size_t row_a, const Table& b, std::size_t row_b, ColumnPlans plan, std::size_t c) {
  return compare_cells(a.rows[row_a][c], a.columns[c], b.rows[row_b][c], b.columns[c], plan[c]).match == CellMatch::different;
}

// The leftover of b that shares most cells with a's first leftover, if it shares any.
std::optional<std::size_t> nearest(const Table& a, std::size_t row, const Table& b, const std::vector<std::size_t>& others, ColumnPlans plan) {
  std::optional<std::size_t> best;
  std::size_t most = plan.size() > 1 ? 1 : 0;
  for (std::size_t i = 0; i < std::min(others.size(), max_pairing_rows); ++i) {
    std::size_t shared = 0;
    for (std::size_t c = 0; c < plan.size(); ++c) shared += differs(a, row, b, others[i], plan, c) ? 0 : 1;
    if (shared < most || (best && shared == most)) continue;
    best = others[i];
    most = shared;
  }
  return best;
}

}  // namespace

void write_leftovers(JsonWriter& json, const Table& a, const Table& b, const RowMatch& match, ColumnPlans plan, std::uint16_t collation) {
  json.member("only_source_rows", match.only_a.size()).member("only_target_rows", match.only_b.size());
  write_rows(json, "only_source", a, match.only_a, collation);
  write_rows(json, "only_target", b, match.only_b, collation);
  if (match.only_a.empty() || match.only_b.empty()) return;
  std::size_t row = match.only_a.front();
  std::optional<std::size_t> other = nearest(a, row, b, match.only_b, plan);
  if (!other) return;
  for (std::size_t c = 0; c < plan.size(); ++c) {
    if (!differs(a, row, b, *other, plan, c)) continue;
    const mysql::Cell &left = a.rows[row][c], &right = b.rows[*other][c];
    json.key("first_difference").begin_object().member("source_row", row).member("target_row", *other).member("column", a.columns[c].name);
    json.key("source");
    session::write_cell(json, left, a.columns[c], collation);
    json.key("target");
    session::write_cell(json, right, b.columns[c], collation);
    auto [at, unused] = std::mismatch(left.text.begin(), left.text.end(), right.text.begin(), right.text.end());
    if (!left.is_null && !right.is_null) json.member("byte", static_cast<std::uint64_t>(at - left.text.begin()));
    json.end_object();
    return;
  }
}

std::string quoted_sql(std::string_view sql, std::uint16_t collation) {
  return session::to_utf8(sql.substr(0, max_evidence_sql), collation).text;
}

}  // namespace darktap::compare
