#include "representatives.h"

#include <algorithm>

#include "evidence.h"
#include "order_check.h"
#include "pairing.h"
#include "question_sql.h"
#include "sql/rewrite.h"
#include "text.h"

namespace darktap::compare {

namespace {

using Finding = InquiryResult::Finding;

constexpr std::size_t max_asked_groups = 20;

bool is_group_key(const Plan& plan, std::size_t item) {
  return std::any_of(plan.shape.group_by.begin(), plan.shape.group_by.end(), [&](const sql::SortKey& key) {
    return key.item == item || (!key.column.empty() && same_name(key.column, plan.shape.items[item].column));
  });
}

bool is_bare(const Plan& plan, const sql::SelectItem& item, std::size_t index) {
  return !plan.shape.group_by.empty() && !item.column.empty() && !is_group_key(plan, index);
}

bool is_min_or_max(const sql::SelectItem& item) {
  std::string text = lower(item.text);
  return item.aggregate && (text.starts_with("min(") || text.starts_with("max(")) && text.find(')') == text.size() - 1;
}

// The column whose values are asked for: the item itself, or what MIN and MAX look at.
std::string asked_column(const sql::SelectItem& item) {
  if (!item.column.empty()) return sql::quote_name(item.column);
  if (is_min_or_max(item)) return item.text.substr(4, item.text.size() - 5);
  return {};
}

// One group of one column: its values, each spelling once.
std::optional<std::string> group_question(const Plan& plan, const Table& a, std::size_t row, std::size_t column) {
  const sql::QueryShape& shape = plan.shape;
  if (!plan.columns[column].item || shape.tables.size() != 1 || shape.tables[0].derived || shape.has_subquery) return std::nullopt;
  const sql::SelectItem& item = shape.items[*plan.columns[column].item];
  std::string asked = asked_column(item);
  if (asked.empty()) return std::nullopt;
  std::string condition = shape.where.empty() ? "1" : "(" + std::string(sql::text_at(plan.sql, shape.where)) + ")";
  bool by_value = is_min_or_max(item) || shape.distinct;
  if (by_value) {
    auto literal = literal_of(a.rows[row][column], a.columns[column], plan.dialect);
    if (!literal) return std::nullopt;
    condition += " AND " + asked + " = " + *literal;
  }
  for (const sql::SortKey& key : shape.group_by) {
    std::optional<std::size_t> shown;
    for (std::size_t c = 0; c < plan.columns.size(); ++c) {
      if (!plan.columns[c].item) continue;
      const sql::SelectItem& candidate = shape.items[*plan.columns[c].item];
      if (key.item == plan.columns[c].item || (!key.column.empty() && same_name(candidate.column, key.column))) shown = c;
    }
    auto literal = shown ? literal_of(a.rows[row][*shown], a.columns[*shown], plan.dialect) : std::nullopt;
    if (!literal) return std::nullopt;
    std::string name = key.column.empty() ? shape.items[*plan.columns[*shown].item].text : sql::quote_name(key.column);
    condition += " AND (" + name + ") <=> " + *literal;
  }
  std::string table = shape.tables[0].table.schema.empty() ? "" : sql::quote_name(shape.tables[0].table.schema) + ".";
  table += sql::quote_name(shape.tables[0].table.name);
  if (!shape.tables[0].alias.empty()) table += " AS " + sql::quote_name(shape.tables[0].alias);
  return "SELECT " + asked + " FROM " + table + " WHERE " + condition + " GROUP BY HEX(" + asked + "), " + asked;
}

bool holds(const Heard& heard, const mysql::Cell& cell) {
  const mysql::Answer* answer = heard.answer();
  const mysql::ResultSet* rows = answer != nullptr ? answer->first_rows() : nullptr;
  auto table = rows != nullptr ? table_of(*rows) : std::nullopt;
  return table && std::any_of(table->rows.begin(), table->rows.end(), [&](const auto& row) { return row.size() == 1 && row[0] == cell; });
}

}  // namespace

std::vector<std::size_t> representative_columns(const Plan& plan, const std::vector<mysql::Column>& columns) {
  std::vector<std::size_t> result;
  const sql::QueryShape& shape = plan.shape;
  if (!shape.understood || shape.kind != sql::ShapeKind::select) return result;
  for (std::size_t c = 0; c < plan.columns.size(); ++c) {
    if (!plan.columns[c].item) continue;
    const sql::SelectItem& item = shape.items[*plan.columns[c].item];
    bool text = is_text(family_of(columns[c]));
    bool key = is_group_key(plan, *plan.columns[c].item);
    bool bare = is_bare(plan, item, *plan.columns[c].item);
    if ((text && (shape.distinct || key || is_min_or_max(item))) || bare) result.push_back(c);
  }
  return result;
}

std::optional<std::vector<std::pair<std::size_t, std::size_t>>> pair_groups(const Table& a, const Table& b, const RowMatch& match, const Plan& plan) {
  if (match.only_a.size() != match.only_b.size() || match.only_a.size() > max_pairing_rows) return std::nullopt;
  std::vector<std::size_t> columns = representative_columns(plan, a.columns);
  std::vector<ColumnPlan> relaxed = plan.columns;
  for (std::size_t c : columns) relaxed[c].noise.push_back("representative");
  // A bare column comes from any row of its group; the others are one value to the collation, spelled twice.
  std::erase_if(columns, [&](std::size_t c) { return is_bare(plan, plan.shape.items[*plan.columns[c].item], *plan.columns[c].item); });
  auto equal = [&](std::size_t row_a, std::size_t row_b, auto same_text) {
    return rows_agree(a, row_a, b, row_b, relaxed) && std::all_of(columns.begin(), columns.end(), [&](std::size_t c) {
      const mysql::Cell &x = a.rows[row_a][c], &y = b.rows[row_b][c];
      return x == y || (!x.is_null && !y.is_null && same_text(x.text, y.text));
    });
  };
  // The sure pairs first: what no letter rule knows may be equal to anything.
  auto surely = [&](std::size_t x, std::size_t y) { return equal(x, y, same_name); };
  auto perhaps = [&](std::size_t x, std::size_t y) { return equal(x, y, may_be_equal); };
  return pair_greedily<std::size_t>(match.only_a, match.only_b, {surely, perhaps});
}

Task<InquiryResult> ask_representatives(const Examination& open, const Plan& plan, const mysql::Command& original, Interview& interview, CaptureTime now) {
  InquiryResult result;
  const Table &a = *open.a, &b = *open.b;
  auto pairs = pair_groups(a, b, open.match, plan);
  if (!pairs) {
    result.reason = "the groups can't be paired";
    co_return result;
  }

  struct GroupQuestion {
    std::size_t row_a, row_b, column;
    mysql::Command command;
  };
  std::vector<GroupQuestion> questions;
  for (auto [row_a, row_b] : *pairs) {
    for (std::size_t c : representative_columns(plan, a.columns)) {
      if (compare_cells(a.rows[row_a][c], a.columns[c], b.rows[row_b][c], b.columns[c], plan.columns[c]).match != CellMatch::different) continue;
      auto sql = group_question(plan, a, row_a, c);
      auto command = sql && original.parameters.empty() ? rewritten(original, plan, std::move(*sql)) : std::nullopt;
      if (!command || questions.size() == max_asked_groups) {
        result.reason = command ? "more groups differ than are asked for" : "the groups can't be asked for one by one";
        co_return result;
      }
      questions.push_back({row_a, row_b, c, std::move(*command)});
    }
  }
  std::vector<Ask> asks;
  for (Side side : {Side::reference, Side::target})
    for (const GroupQuestion& question : questions) asks.push_back({side, question.command});
  std::vector<Heard> heard = co_await interview.ask(std::move(asks), now);
  result.finding = Finding::excused;
  Evidence evidence;
  evidence.json().member("rule", "representative_of_a_group").key("re_queries").begin_array();
  for (std::size_t i = 0; i < questions.size(); ++i) {
    const GroupQuestion& question = questions[i];
    const mysql::Cell &left = a.rows[question.row_a][question.column], &right = b.rows[question.row_b][question.column];
    evidence.json().begin_object().member("sql", quoted_sql(question.command.text, plan.collation));
    bool both = true;
    for (std::size_t side = 0; side < 2; ++side) {
      const Heard& one = heard[side * questions.size() + i];
      if (one.answer() == nullptr) {
        result = {Finding::unknown, Cause::unexamined, {}, one.why_not()};
        co_return result;
      }
      both = both && holds(one, left) && holds(one, right);
    }
    evidence.json().member("both_values_on_both_sides", both).end_object();
    if (!both) result.finding = Finding::refuted;
  }
  evidence.json().end_array();
  result.evidence = evidence.take_members();
  co_return result;
}

}  // namespace darktap::compare
