#include "noise.h"

#include <algorithm>
#include <array>
#include <set>

#include "evidence.h"

namespace darktap::compare {

namespace {

constexpr std::array<std::string_view, 7> random_functions{"rand", "uuid", "uuid_short", "uuid_v4", "uuid_v7", "sys_guid", "random_bytes"};

std::optional<Table> only_rows(const mysql::Answer& answer) {
  if (answer.results.size() != 1 || answer.first_rows() == nullptr) return std::nullopt;
  return table_of(*answer.first_rows());
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
    samples.push_back(std::move(*table));
  }
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
