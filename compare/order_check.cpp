#include "order_check.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>

#include "evidence.h"
#include "leeway.h"
#include "session/render.h"
#include "text.h"

namespace darktap::compare {

namespace {

std::string_view key_text(const Table& table, std::size_t row, std::size_t column) { return table.rows[row][column].text; }

void write_key_values(JsonWriter& json, const Table& table, std::size_t row, const Plan& plan) {
  json.begin_array();
  for (const auto& column : plan.keys) session::write_cell(json, table.rows[row][*column], table.columns[*column], plan.collation);
  json.end_array();
}

// The first rows that moved: where they stand on either side.
void write_moves(JsonWriter& json, const Examination& examination) {
  std::size_t moved = 0;
  for (auto [a, b] : examination.match.pairs) moved += a == b ? 0 : 1;
  json.member("rows", examination.match.pairs.size()).member("moved_rows", moved).key("moves").begin_array();
  std::size_t shown = 0;
  for (auto [a, b] : examination.match.pairs) {
    if (a == b) continue;
    if (shown++ == max_evidence_rows) break;
    json.begin_object().member("source_row", a).member("target_row", b).end_object();
  }
  json.end_array();
}

void write_tie_groups(JsonWriter& json, const Examination& examination, const Plan& plan) {
  const Table& table = *examination.a;
  json.key("tie_groups").begin_array();
  std::size_t shown = 0, next = 0;
  for (auto [a, b] : examination.match.pairs) {
    if (a == b || a < next) continue;
    if (shown++ == max_evidence_rows) break;
    TieGroup tie = tie_around(table, a, plan);
    next = tie.end;
    json.begin_object().key("keys");
    write_key_values(json, table, a, plan);
    json.member("first_row", tie.begin).member("last_row", tie.end - 1).end_object();
  }
  json.end_array();
}

}  // namespace

// ASCII letters are equal but for case (v and w are one letter to some collations); blanks at the end don't count; a character
// beyond ASCII may be equal to none to three others.
bool may_be_equal(std::string_view a, std::string_view b) {
  constexpr std::size_t longest = 2000, widest = 3;
  while (a.ends_with(' ')) a.remove_suffix(1);
  while (b.ends_with(' ')) b.remove_suffix(1);
  auto plain = [](std::string_view text) { return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; }); };
  auto same = [](char x, char y) {
    auto folded = [](char c) { return lower(c) == 'w' ? 'v' : lower(c); };
    return folded(x) == folded(y);
  };
  if (plain(a) && plain(b)) return std::equal(a.begin(), a.end(), b.begin(), b.end(), same);
  if (a.size() > longest || b.size() > longest) return true;
  // As characters: ASCII by itself, anything else as one wild card.
  auto characters = [](std::string_view text) {
    std::string result;
    for (char c : text) {
      auto byte = static_cast<unsigned char>(c);
      if (byte < 0x80) result += c;
      else if (byte >= 0xc0 || result.empty() || result.back() != '\x01') result += '\x01';
    }
    return result;
  };
  std::string x = characters(a), y = characters(b);
  // reachable[j]: the first i characters of x may be equal to the first j of y.
  std::vector<std::vector<bool>> reachable(x.size() + 1, std::vector<bool>(y.size() + 1));
  reachable[0][0] = true;
  for (std::size_t i = 0; i <= x.size(); ++i) {
    for (std::size_t j = 0; j <= y.size(); ++j) {
      if (!reachable[i][j]) continue;
      if (i < x.size() && j < y.size() && same(x[i], y[j])) reachable[i + 1][j + 1] = true;
      for (std::size_t n = 0; n <= widest; ++n) {
        if (i < x.size() && x[i] == '\x01' && j + n <= y.size()) reachable[i + 1][j + n] = true;
        if (j < y.size() && y[j] == '\x01' && i + n <= x.size()) reachable[i + n][j + 1] = true;
      }
    }
  }
  return reachable[x.size()][y.size()];
}

std::size_t shared_beginning(std::string_view a, std::string_view b) {
  std::size_t n = 0;
  while (n < a.size() && n < b.size() && a[n] == b[n] && a[n] >= ' ' && a[n] <= '~') ++n;
  return n < long_beginning || n == a.size() || n == b.size() ? 0 : n;
}

bool may_sort_alike(std::string_view a, std::string_view b) { return may_be_equal(a, b) || shared_beginning(a, b) > 0; }

bool same_key(const Table& a, std::size_t row_a, const Table& b, std::size_t row_b, const Plan& plan) {
  return std::all_of(plan.keys.begin(), plan.keys.end(), [&](const auto& column) {
    return compare_cells(a.rows[row_a][*column], a.columns[*column], b.rows[row_b][*column], b.columns[*column], plan.columns[*column]).match !=
           CellMatch::different;
  });
}

bool may_tie(const Table& a, std::size_t row_a, const Table& b, std::size_t row_b, const Plan& plan) {
  return std::all_of(plan.keys.begin(), plan.keys.end(), [&](const auto& column) {
    const mysql::Cell &x = a.rows[row_a][*column], &y = b.rows[row_b][*column];
    if (compare_cells(x, a.columns[*column], y, b.columns[*column], plan.columns[*column]).match != CellMatch::different) return true;
    bool text = is_text(family_of(a.columns[*column])) && is_text(family_of(b.columns[*column]));
    return text && !x.is_null && !y.is_null && may_sort_alike(x.text, y.text);
  });
}

TieGroup tie_around(const Table& table, std::size_t row, const Plan& plan) {
  TieGroup tie{row, row + 1};
  while (tie.begin > 0 && same_key(table, tie.begin - 1, table, row, plan)) --tie.begin;
  while (tie.end < table.rows.size() && same_key(table, tie.end, table, row, plan)) ++tie.end;
  return tie;
}

KeySequence compare_key_sequences(const Table& a, const Table& b, const Plan& plan, KeyLeeway rows) {
  KeySequence result;
  std::vector<Leeway> leeway = leeways(plan, a.columns);
  for (std::size_t row = 0; row < a.rows.size(); ++row) {
    for (std::size_t k = 0; k < plan.keys.size(); ++k) {
      std::size_t c = *plan.keys[k];
      const mysql::Cell &left = a.rows[row][c], &right = b.rows[row][c];
      if (compare_cells(left, a.columns[c], right, b.columns[c], plan.columns[c]).match != CellMatch::different) continue;
      // What may differ in itself orders nothing.
      if (rows == KeyLeeway::counts && leeway[c] != Leeway::none && leeway[c] != Leeway::spelling && within(leeway[c], left, right, plan.columns[c], both_warned(a, b))) continue;
      bool text = is_text(family_of(a.columns[c])) && is_text(family_of(b.columns[c]));
      if (left.is_null || right.is_null || !text || !may_sort_alike(left.text, right.text)) {
        result.order = KeyOrder::violated;
        result.first_violation = row;
        return result;
      }
      result.order = KeyOrder::spellings;
      result.spellings.push_back({k, std::string(key_text(a, row, c)), std::string(key_text(b, row, c))});
    }
  }
  std::sort(result.spellings.begin(), result.spellings.end());
  result.spellings.erase(std::unique(result.spellings.begin(), result.spellings.end()), result.spellings.end());
  return result;
}

namespace {

// Texts whose order hangs on no collation: the first letters or digits that differ, by their case and without it.
bool surely_before(std::string_view x, std::string_view y) {
  auto plain = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  for (std::size_t i = 0; i < std::min(x.size(), y.size()); ++i) {
    if (!plain(x[i]) || !plain(y[i])) return false;
    if (lower(x[i]) == lower(y[i])) continue;
    return lower(x[i]) < lower(y[i]) && x[i] < y[i];
  }
  return false;
}

}  // namespace

bool out_of_order(const Table& table, const std::vector<std::size_t>& key_columns, const Plan& plan) {
  auto less = [](const mysql::Cell& x, const mysql::Cell& y, TypeFamily family) {
    if (x.is_null || y.is_null) return x.is_null && !y.is_null;
    if (family == TypeFamily::integer || family == TypeFamily::decimal) return std::strtold(x.text.c_str(), nullptr) < std::strtold(y.text.c_str(), nullptr);
    return x.text < y.text;
  };
  for (std::size_t row = 1; row < table.rows.size(); ++row) {
    for (std::size_t k = 0; k < key_columns.size(); ++k) {
      std::size_t c = key_columns[k];
      TypeFamily family = family_of(table.columns[c]);
      bool plain = family == TypeFamily::integer || family == TypeFamily::decimal || family == TypeFamily::date || family == TypeFamily::datetime;
      const mysql::Cell &before = table.rows[row - 1][c], &here = table.rows[row][c];
      if (before == here) continue;
      bool descending = plan.shape.order_by[k].descending;
      if (family == TypeFamily::text && !before.is_null && !here.is_null) {
        if (descending ? surely_before(before.text, here.text) : surely_before(here.text, before.text)) return true;
        if (may_be_equal(before.text, here.text)) return false;  // then the next key tells, or not
        break;
      }
      if (!plain) return false;
      if (descending ? less(before, here, family) : less(here, before, family)) return true;
      break;
    }
  }
  return false;
}

std::vector<std::size_t> columns_from(std::size_t first, const Table& table) {
  std::vector<std::size_t> columns(table.columns.size() - first);
  std::iota(columns.begin(), columns.end(), first);
  return columns;
}

void write_keys(JsonWriter& json, const Plan& plan) {
  json.key("keys").begin_array();
  for (const sql::SortKey& key : plan.shape.order_by) {
    json.begin_object().member("key", quoted_sql(key.text, plan.collation)).member("descending", key.descending).end_object();
  }
  json.end_array();
}

void judge_order(Examination& examination, const Plan& plan) {
  examination.difference = Difference::row_order;
  Evidence evidence;
  evidence.append(examination.evidence);
  JsonWriter& json = evidence.json();
  if (plan.random_order) {
    examination.relation = Relation::excused;
    examination.cause = Cause::nondeterministic;
    json.member("rule", "order_by_nondeterministic_function");
    json.key("functions").begin_array();
    for (const std::string& name : plan.shape.nondeterministic_outside_items) json.string(name);
    json.end_array();
  } else if (!plan.has_order) {
    examination.relation = Relation::excused;
    examination.cause = Cause::order_undefined;
    json.member("rule", "no_order_by");
    if (!plan.shape.group_by.empty()) json.member("note", "GROUP BY without ORDER BY promises no order");
  } else if (!plan.keys_projected() && plan.shape.distinct) {
    // Of the rows that DISTINCT made one, any gives the key.
    examination.relation = Relation::open;
    examination.open = OpenQuestion::rows_below;
    examination.cause = Cause::order_violated;
    json.member("rule", "distinct_ordered_by_another_column");
    write_keys(json, plan);
  } else if (!plan.keys_projected()) {
    examination.relation = Relation::open;
    examination.open = OpenQuestion::hidden_keys;
    examination.cause = Cause::order_violated;
    write_keys(json, plan);
  } else {
    KeySequence keys = compare_key_sequences(*examination.a, *examination.b, plan, KeyLeeway::same_rows);
    write_keys(json, plan);
    if (keys.order == KeyOrder::violated) {
      examination.relation = Relation::different;
      examination.cause = Cause::order_violated;
      json.key("first_violation").begin_object().member("row", keys.first_violation).key("source_keys");
      write_key_values(json, *examination.a, keys.first_violation, plan);
      json.key("target_keys");
      write_key_values(json, *examination.b, keys.first_violation, plan);
      json.end_object();
    } else if (keys.order == KeyOrder::spellings) {
      examination.relation = Relation::open;
      examination.open = OpenQuestion::equal_spellings;
      examination.cause = Cause::order_violated;
      examination.spellings = std::move(keys.spellings);
    } else {
      examination.relation = Relation::excused;
      examination.cause = Cause::order_undefined;
      json.member("rule", "ties");
      write_tie_groups(json, examination, plan);
      json.member("advice", "add a unique last key to ORDER BY");
    }
  }
  write_moves(json, examination);
  examination.evidence = evidence.take_members();
}

}  // namespace darktap::compare
