#include "leeway.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "order_check.h"
#include "pairing.h"
#include "representatives.h"
#include "sql/lexer.h"
#include "text.h"

namespace darktap::compare {

namespace {

// group_concat_max_len is 1024 at the least by default, and 4 at the least where a session set it; the server warns of each cut, but
// an answer may be without its warnings (vtgate).
constexpr std::size_t shortest_cut_list = 1000, shortest_limit_of_lists = 1;

std::vector<std::string_view> split_list(std::string_view value, std::string_view separator) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0;;) {
    std::size_t end = value.find(separator, begin);
    parts.push_back(value.substr(begin, end - begin));
    if (end == std::string_view::npos) return parts;
    begin = end + separator.size();
  }
}

bool same_letters(std::string_view x, std::string_view y) {
  std::string p(x), q(y);
  std::sort(p.begin(), p.end());
  std::sort(q.begin(), q.end());
  return p == q;
}

// The same elements, spellings aside; a list that the server cut off may hold others.
bool may_be_one_list(std::string_view x, std::string_view y, const ColumnPlan& column, Warned warned) {
  bool cut = may_be_cut(x, warned) && may_be_cut(y, warned) && std::max(x.size(), y.size()) - std::min(x.size(), y.size()) < 4;
  const sql::ValueBuilder* builder = column.builder != nullptr ? column.builder : column.ordered_builder;
  if (builder != nullptr && builder->function == "json_objectagg") return true;  // of a key met twice, one value stays
  if (!column.distinct_list && !cut && !same_letters(x, y)) return false;  // only DISTINCT leaves a spelling open
  if (column.list_order == ColumnPlan::ListOrder::by_value && builder != nullptr && !builder->separator.empty()) {
    // In the order of its own values: element for element one value.
    std::vector<std::string_view> p = split_list(x, builder->separator), q = split_list(y, builder->separator);
    if (cut) p.resize(std::min(p.size(), q.size()) - 1), q.resize(p.size());
    return std::equal(p.begin(), p.end(), q.begin(), q.end(), may_be_equal);
  }
  if (cut || same_letters(x, y)) return true;
  if (builder == nullptr || builder->function != "group_concat" || builder->separator.empty()) return (x.size() == y.size() && same_letters(lower(x), lower(y))) || may_be_equal(x, y);
  std::vector<std::string_view> p = split_list(x, builder->separator), q = split_list(y, builder->separator);
  if (p.size() != q.size() || p.size() > max_pairing_rows) return false;
  std::vector<std::pair<std::string_view, std::string_view>> pairs;
  std::erase_if(p, [&](std::string_view one) {
    auto same = std::find_if(q.begin(), q.end(), [&](std::string_view other) { return same_name(one, other); });
    if (same == q.end()) return false;
    q.erase(same);
    return true;
  });
  pair_as_many(p, q, may_be_equal, pairs);
  return p.empty();
}

bool close(const mysql::Cell& a, const mysql::Cell& b) {
  auto number = [](const std::string& text) -> std::optional<double> {
    double value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
  };
  auto x = number(a.text), y = number(b.text);
  return x && y && std::abs(*x - *y) <= max_float_sum_difference * std::max({std::abs(*x), std::abs(*y), 1.0});
}

bool holds_any(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) { return text.find(word) != std::string_view::npos; });
}

// A UNION, EXCEPT or INTERSECT that is not ALL makes rows one, whatever operators stand beside it; of rows that EXCEPT ALL and INTERSECT
// ALL hold equal any may be the ones that stay.
bool makes_rows_one(const Plan& plan) {
  sql::Lexed lexed = sql::lex(plan.sql, plan.dialect);
  auto word = [&](std::size_t token) { return token < lexed.tokens.size() ? lower(plan.sql.substr(lexed.tokens[token].offset, lexed.tokens[token].length)) : std::string(); };
  for (std::size_t i = 0; i < lexed.tokens.size(); ++i)
    if (std::string one = word(i); one == "except" || one == "intersect" || one == "minus" || (one == "union" && word(i + 1) != "all")) return true;
  return false;
}

// Two tables' rows, laid side by side.
class WithinLeeways {
 public:
  WithinLeeways(const Table& a, const Table& b, const Plan& plan, std::vector<Leeway> leeway)
      : a_(a), b_(b), plan_(plan), leeway_(std::move(leeway)), relaxed_(without_leeway_columns(plan, a.columns)) {}

  bool agree(std::size_t row_a, std::size_t row_b, bool surely) const {
    if (!rows_agree(a_, row_a, b_, row_b, relaxed_)) return false;
    for (std::size_t c = 0; c < leeway_.size(); ++c) {
      if (leeway_[c] == Leeway::none) continue;
      const mysql::Cell &x = a_.rows[row_a][c], &y = b_.rows[row_b][c];
      bool same = compare_cells(x, a_.columns[c], y, b_.columns[c], plan_.columns[c]).match != CellMatch::different;
      if (same) continue;
      if (surely && leeway_[c] == Leeway::spelling && !same_name(trimmed(x.text), trimmed(y.text))) return false;
      if (!within(leeway_[c], x, y, plan_.columns[c], both_warned(a_, b_))) return false;
    }
    return true;
  }

 private:
  const Table &a_, &b_;
  const Plan& plan_;
  std::vector<Leeway> leeway_;
  std::vector<ColumnPlan> relaxed_;
};

}  // namespace

bool may_be_cut(std::string_view list, Warned warned) { return list.size() >= (warned == Warned::yes ? shortest_limit_of_lists : shortest_cut_list); }

std::string_view to_string(Leeway leeway) {
  constexpr std::array<std::string_view, 6> names{"none", "representative_of_a_group", "bare_column", "list_built_over_unordered_rows",
                                                  "window_over_ties", "float_summation_order"};
  return names[static_cast<std::size_t>(leeway)];
}

std::vector<Leeway> leeways(const Plan& plan, const std::vector<mysql::Column>& columns) {
  std::vector<Leeway> result(columns.size(), Leeway::none);
  const sql::QueryShape& shape = plan.shape;
  if (!shape.understood || plan.columns.size() != columns.size()) return result;
  std::string all = lower(plan.sql);
  bool one_block = shape.kind == sql::ShapeKind::select;
  bool makes_distinct = shape.kind == sql::ShapeKind::set_operation && makes_rows_one(plan);
  bool groups_somewhere = holds_any(all, {"group by", "distinct", "union", "min(", "max("});
  auto of_base_table = [&](const sql::SelectItem& item) {
    return !item.column_table.empty() && std::any_of(shape.tables.begin(), shape.tables.end(), [&](const sql::ShapeTable& table) {
      return !table.derived && same_name(table.alias.empty() ? table.table.name : table.alias, item.column_table);
    });
  };
  // A subquery of WHERE decides which rows come out, never how their values are spelled.
  auto inner_groups = [&](std::size_t c) {
    if (!groups_somewhere) return false;
    const sql::SelectItem* item = one_block && plan.columns[c].item ? &shape.items[*plan.columns[c].item] : nullptr;
    if (item != nullptr && item->subquery) return true;
    return plan.from_inner_query && (item == nullptr || !of_base_table(*item));
  };
  bool inner_lists = plan.from_inner_query && holds_any(all, {"group_concat", "json_arrayagg", "json_objectagg"});
  std::vector<std::size_t> representatives = representative_columns(plan, columns);
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const ColumnPlan& column = plan.columns[c];
    bool text = is_text(family_of(columns[c]));
    bool item = one_block && column.item.has_value();
    bool window_of_ties = item && column.order_sensitive && shape.items[*column.item].window && !plan.rows_hang_on_order;
    if (column.float_sum && !window_of_ties) result[c] = Leeway::float_sum;
    else if (plan.ties_broken && !column.distinct_list && (column.limited_list || column.part_of_list || column.ordered_builder != nullptr)) continue;
    else if (column.limited_list || column.part_of_list) result[c] = Leeway::window;
    else if (column.builder != nullptr || column.ordered_builder != nullptr) result[c] = Leeway::list;
    else if (item && !shape.items[*column.item].builders.empty()) result[c] = Leeway::list;
    else if (column.order_sensitive) result[c] = Leeway::window;
    else if (std::find(representatives.begin(), representatives.end(), c) != representatives.end()) result[c] = is_bare_column(plan, c) ? Leeway::bare : Leeway::spelling;
    else if (inner_lists && !plan.ties_broken) result[c] = Leeway::window;
    else if (text && (makes_distinct || inner_groups(c) || (item && (shape.items[*column.item].aggregate || shape.items[*column.item].window)))) result[c] = Leeway::spelling;
  }
  return result;
}

bool within(Leeway leeway, const mysql::Cell& a, const mysql::Cell& b, const ColumnPlan& plan, Warned warned) {
  if (a == b) return true;
  switch (leeway) {
    case Leeway::none: return false;
    case Leeway::bare: case Leeway::window: return true;
    case Leeway::spelling: return !a.is_null && !b.is_null && may_be_equal(a.text, b.text);
    case Leeway::list: return !a.is_null && !b.is_null && may_be_one_list(a.text, b.text, plan, warned);
    case Leeway::float_sum: return !a.is_null && !b.is_null && close(a, b);
  }
  return false;
}

std::vector<ColumnPlan> without_leeway_columns(const Plan& plan, const std::vector<mysql::Column>& columns) {
  std::vector<ColumnPlan> relaxed = plan.columns;
  std::vector<Leeway> leeway = leeways(plan, columns);
  for (std::size_t c = 0; c < relaxed.size(); ++c)
    if (leeway[c] != Leeway::none) relaxed[c].noise.push_back("leeway");
  return relaxed;
}

std::optional<RowPairs> pair_within(const Table& a, const Table& b, const RowMatch& match, const Plan& plan) {
  if (match.only_a.size() != match.only_b.size() || match.only_a.empty()) return std::nullopt;
  RowMatch rest;
  RowPairs pairs = pair_some_within(a, b, match, plan, rest);
  if (!rest.complete()) return std::nullopt;
  return pairs;
}

bool holds_within(const Table& list, const Table& answer, std::size_t row, const Plan& plan) {
  WithinLeeways pair(answer, list, plan, leeways(plan, answer.columns));
  for (std::size_t other = 0; other < list.rows.size(); ++other)
    if (pair.agree(row, other, false)) return true;
  return false;
}

RowPairs pair_some_within(const Table& a, const Table& b, const RowMatch& match, const Plan& plan, RowMatch& rest) {
  rest.only_a = match.only_a;
  rest.only_b = match.only_b;
  RowPairs pairs;
  if (match.only_a.size() > max_pairing_rows || match.only_b.size() > max_pairing_rows) return pairs;
  std::vector<Leeway> leeway = leeways(plan, a.columns);
  if (std::all_of(leeway.begin(), leeway.end(), [](Leeway one) { return one == Leeway::none; })) return pairs;
  WithinLeeways pair(a, b, plan, std::move(leeway));
  // The sure pairs first, in place before elsewhere.
  for (int rule = 0; rule < 2; ++rule) {
    std::erase_if(rest.only_a, [&](std::size_t x) {
      auto found = std::find_if(rest.only_b.begin(), rest.only_b.end(), [&](std::size_t y) { return (rule > 0 || x == y) && pair.agree(x, y, true); });
      if (found == rest.only_b.end()) return false;
      pairs.emplace_back(x, *found);
      rest.only_b.erase(found);
      return true;
    });
  }
  // What no letter rule knows may be equal to anything: which with which is found by trying.
  pair_as_many(rest.only_a, rest.only_b, [&](std::size_t x, std::size_t y) { return pair.agree(x, y, false); }, pairs);
  return pairs;
}

}  // namespace darktap::compare
