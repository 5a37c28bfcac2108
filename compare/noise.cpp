#include "noise.h"

#include <algorithm>
#include <array>
#include <set>

#include "evidence.h"

namespace darktap::compare {

namespace {

constexpr std::size_t max_wandering_rows = 60;  // that are laid beside others cell by cell

constexpr std::array<std::string_view, 7> random_functions{"rand", "uuid", "uuid_short", "uuid_v4", "uuid_v7", "sys_guid", "random_bytes"};

std::optional<Table> only_rows(const mysql::Answer& answer) {
  if (answer.results.size() != 1 || answer.first_rows() == nullptr) return std::nullopt;
  return table_of(*answer.first_rows());
}

// The table's rows where those of the model stand that they are: rows that a server breaks ties over wander, and a cell is laid
// beside its own row's. What is no row of the model's goes where most of its cells are. Nothing where that can't be told.
std::optional<Table> laid_beside(const Table& model, const Table& table, ColumnPlans plan) {
  RowMatch match = match_rows(model, table, plan);
  Table result = table;
  for (auto [place, row] : match.pairs) result.rows[place] = table.rows[row];
  if (match.only_b.size() > max_wandering_rows) {
    bool in_place = std::all_of(match.pairs.begin(), match.pairs.end(), [](const auto& pair) { return pair.first == pair.second; });
    return in_place ? std::optional(std::move(result)) : std::nullopt;
  }
  auto alike = [&](std::size_t place, std::size_t row) {
    std::size_t cells = 0;
    for (std::size_t c = 0; c < plan.size(); ++c)
      cells += compare_cells(model.rows[place][c], model.columns[c], table.rows[row][c], table.columns[c], plan[c]).match != CellMatch::different ? 2 : 0;
    return cells + (place == row ? 1 : 0);
  };
  std::vector<std::size_t> rows = match.only_b;
  for (std::size_t place : match.only_a) {
    auto best = std::max_element(rows.begin(), rows.end(), [&](std::size_t x, std::size_t y) { return alike(place, x) < alike(place, y); });
    result.rows[place] = table.rows[*best];
    rows.erase(best);
  }
  return result;
}

}  // namespace

bool is_random(const Plan& plan) {
  const auto& outside = plan.shape.nondeterministic_outside_items;
  return std::any_of(outside.begin(), outside.end(), [](const std::string& name) {
    return std::find(random_functions.begin(), random_functions.end(), name) != random_functions.end();
  });
}

bool random_rows_differ(const Plan& plan, const std::vector<mysql::Answer>& references) {
  if (references.size() < 2 || !is_random(plan)) return false;
  return std::any_of(references.begin() + 1, references.end(), [&](const mysql::Answer& answer) { return !examine(references.front(), answer, plan).agrees(); });
}

void write_random_rows(JsonWriter& json, const Plan& plan, const std::vector<mysql::Answer>& references) {
  json.key("functions").begin_array();
  for (const std::string& name : plan.shape.nondeterministic_outside_items) json.string(name);
  json.end_array();
  json.member("reference_asked", references.size()).member("reason", "the reference answers differently each time");
}

std::optional<std::string> noisy_cells(const mysql::Answer& source, const mysql::Answer& target, const std::vector<mysql::Answer>& references,
                                       const Plan& plan) {
  auto a = only_rows(source), b = only_rows(target);
  if (!a || !b || references.size() < 2 || a->rows.size() != b->rows.size() || a->columns.size() != b->columns.size()) return std::nullopt;
  if (plan.columns.size() != a->columns.size()) return std::nullopt;
  // Values that hang on the rows' order wander from row to row: a cell's place says nothing about what it is the value of.
  if (std::any_of(plan.columns.begin(), plan.columns.end(), [](const ColumnPlan& c) { return c.order_sensitive; })) return std::nullopt;
  std::vector<Table> samples;
  for (const mysql::Answer& answer : references) {
    auto table = only_rows(answer);
    if (!table || table->rows.size() != a->rows.size() || table->columns.size() != a->columns.size()) return std::nullopt;
    if (!samples.empty()) table = laid_beside(samples.front(), *table, plan.columns);
    if (!table) return std::nullopt;
    samples.push_back(std::move(*table));
  }
  a = laid_beside(samples.front(), *a, plan.columns);
  b = laid_beside(samples.front(), *b, plan.columns);
  if (!a || !b) return std::nullopt;
  std::set<std::pair<std::size_t, std::size_t>> noisy;
  auto same = [&](const Table& x, const Table& y, std::size_t row, std::size_t c) {
    return compare_cells(x.rows[row][c], x.columns[c], y.rows[row][c], y.columns[c], plan.columns[c]).match != CellMatch::different;
  };
  for (std::size_t row = 0; row < a->rows.size(); ++row)
    for (std::size_t c = 0; c < a->columns.size(); ++c)
      for (std::size_t i = 1; i < samples.size(); ++i)
        if (!same(samples[0], samples[i], row, c)) noisy.emplace(row, c);
  if (noisy.empty()) return std::nullopt;
  // Rows that hold nothing but noise can't be laid side by side.
  for (std::size_t row = 0; a->columns.size() > 1 && row < a->rows.size(); ++row) {
    auto first = noisy.lower_bound({row, 0}), end = noisy.lower_bound({row + 1, 0});
    if (static_cast<std::size_t>(std::distance(first, end)) == a->columns.size()) return std::nullopt;
  }
  std::set<std::size_t> columns;
  for (std::size_t row = 0; row < a->rows.size(); ++row) {
    for (std::size_t c = 0; c < a->columns.size(); ++c) {
      bool noise = noisy.contains({row, c});
      if (noise) columns.insert(c);
      // The other cells must hold everywhere: they are what lays the rows side by side.
      if (!noise && (!same(*a, *b, row, c) || !same(*a, samples[0], row, c))) return std::nullopt;
    }
  }
  Evidence evidence;
  evidence.json().member("reason", "the reference itself answers these cells differently each time").member("reference_asked", references.size());
  evidence.json().member("noisy_cells", noisy.size()).key("columns").begin_array();
  for (std::size_t c : columns) evidence.json().string(a->columns[c].name);
  evidence.json().end_array();
  return evidence.take_members();
}

}  // namespace darktap::compare
