#include "row_match.h"

#include <algorithm>
#include <unordered_map>

namespace darktap::compare {

namespace {

bool has_noise(ColumnPlans plan) {
  return std::any_of(plan.begin(), plan.end(), [](const ColumnPlan& c) { return !c.noise.empty(); });
}

std::string raw_key(const Table& table, std::size_t row) {
  std::string key;
  for (const mysql::Cell& cell : table.rows[row]) {
    key += cell.is_null ? "N" : std::to_string(cell.text.size()) + ":" + cell.text;
    key += ';';
  }
  return key;
}

// Takes out of both lists what one key function calls equal, first with first.
template <class KeyA, class KeyB, class Agree>
void pair_by(std::vector<std::size_t>& left, std::vector<std::size_t>& right, KeyA key_a, KeyB key_b, Agree agree,
             std::vector<std::pair<std::size_t, std::size_t>>& pairs) {
  struct Queue {
    std::vector<std::size_t> rows;
    std::size_t next = 0;
  };
  std::unordered_map<std::string, Queue> by_key;
  for (std::size_t row : right) by_key[key_b(row)].rows.push_back(row);
  std::vector<std::size_t> rest;
  std::set<std::size_t> taken;
  for (std::size_t row : left) {
    auto found = by_key.find(key_a(row));
    if (found == by_key.end() || found->second.next == found->second.rows.size() ||
        !agree(row, found->second.rows[found->second.next])) {
      rest.push_back(row);
      continue;
    }
    std::size_t partner = found->second.rows[found->second.next++];
    pairs.emplace_back(row, partner);
    taken.insert(partner);
  }
  left = std::move(rest);
  std::erase_if(right, [&](std::size_t row) { return taken.contains(row); });
}

void pair_cell_by_cell(const Table& a, const Table& b, ColumnPlans plan, RowMatch& match) {
  if (match.only_a.size() > max_pairing_rows || match.only_b.size() > max_pairing_rows) return;
  std::erase_if(match.only_a, [&](std::size_t row) {
    auto partner = std::find_if(match.only_b.begin(), match.only_b.end(),
                                [&](std::size_t other) { return rows_agree(a, row, b, other, plan); });
    if (partner == match.only_b.end()) return false;
    match.pairs.emplace_back(row, *partner);
    match.only_b.erase(partner);
    return true;
  });
}

void note_excuses(const Table& a, const Table& b, ColumnPlans plan, RowMatch& match) {
  for (auto [row_a, row_b] : match.pairs) {
    for (std::size_t c = 0; c < plan.size(); ++c) {
      CellComparison cell = compare_cells(a.rows[row_a][c], a.columns[c], b.rows[row_b][c], b.columns[c], plan[c]);
      if (cell.match == CellMatch::noise) match.noise_columns.insert(c);
      if (cell.match == CellMatch::reordered) match.reordered_columns.insert(c);
      if (cell.match == CellMatch::normalised) match.rules.insert(cell.rule);
    }
  }
}

}  // namespace

std::optional<Table> table_of(const mysql::ResultSet& result) {
  if (!result.all_rows_kept()) return std::nullopt;
  Table table;
  table.columns = result.columns;
  table.warned = result.warnings > 0;
  table.rows.reserve(result.rows.size());
  for (std::size_t i = 0; i < result.rows.size(); ++i) {
    auto cells = mysql::decode_row(result.rows.row(i), result.columns, result.format);
    if (!cells || cells->size() != result.columns.size()) return std::nullopt;
    table.rows.push_back(std::move(*cells));
  }
  return table;
}

bool RowMatch::in_place() const {
  return complete() && std::all_of(pairs.begin(), pairs.end(), [](const auto& pair) { return pair.first == pair.second; });
}

bool rows_agree(const Table& a, std::size_t row_a, const Table& b, std::size_t row_b, ColumnPlans plan) {
  for (std::size_t c = 0; c < plan.size(); ++c)
    if (compare_cells(a.rows[row_a][c], a.columns[c], b.rows[row_b][c], b.columns[c], plan[c]).match == CellMatch::different)
      return false;
  return true;
}

std::string row_key(const Table& table, std::size_t row, ColumnPlans plan) {
  std::string key;
  for (std::size_t c = 0; c < plan.size(); ++c) {
    std::string cell = canonical(table.rows[row][c], table.columns[c], plan[c]);
    key += std::to_string(cell.size()) + ":" + cell + ';';
  }
  return key;
}

RowMatch match_rows(const Table& a, const Table& b, ColumnPlans plan) {
  RowMatch match;
  std::vector<std::size_t> rows_a(a.rows.size()), rows_b(b.rows.size());
  for (std::size_t i = 0; i < rows_a.size(); ++i) rows_a[i] = i;
  for (std::size_t i = 0; i < rows_b.size(); ++i) rows_b[i] = i;

  // Row for row first: noise may make rows look alike, and then their places are the best guess.
  bool row_for_row = rows_a.size() == rows_b.size();
  for (std::size_t i = 0; row_for_row && i < rows_a.size(); ++i) row_for_row = rows_agree(a, i, b, i, plan);
  if (row_for_row) {
    for (std::size_t i : rows_a) match.pairs.emplace_back(i, i);
    note_excuses(a, b, plan, match);
    return match;
  }
  auto always = [](std::size_t, std::size_t) { return true; };
  auto agree = [&](std::size_t row, std::size_t other) { return rows_agree(a, row, b, other, plan); };
  if (!has_noise(plan))
    pair_by(rows_a, rows_b, [&](std::size_t r) { return raw_key(a, r); }, [&](std::size_t r) { return raw_key(b, r); }, always, match.pairs);
  pair_by(rows_a, rows_b, [&](std::size_t r) { return row_key(a, r, plan); }, [&](std::size_t r) { return row_key(b, r, plan); },
          agree, match.pairs);
  match.only_a = std::move(rows_a);
  match.only_b = std::move(rows_b);
  pair_cell_by_cell(a, b, plan, match);
  std::sort(match.pairs.begin(), match.pairs.end());
  note_excuses(a, b, plan, match);
  return match;
}

}  // namespace darktap::compare
