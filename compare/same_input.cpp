#include "same_input.h"

#include <algorithm>
#include <set>

#include "evidence.h"
#include "question_sql.h"
#include "sql/rewrite.h"
#include "sql/same_rows.h"
#include "text.h"

namespace darktap::compare {

namespace {

using Finding = InquiryResult::Finding;

enum class Input : std::uint8_t { same, differs, unknown };
struct InputFinding {
  Input input = Input::unknown;
  std::string reason, evidence;
  bool refused = false;  // a server did not understand the question
};

// The same rows, whatever their order.
bool same_rows(const mysql::ResultSet& a, const mysql::ResultSet& b) {
  if (a.columns.size() != b.columns.size() || a.row_count() != b.row_count()) return false;
  if (a.format == b.format && a.digests().same_multiset(b.digests())) return true;
  auto left = table_of(a), right = table_of(b);
  if (!left || !right) return false;
  std::vector<ColumnPlan> columns(left->columns.size());
  for (std::size_t c = 0; c < columns.size(); ++c)
    columns[c].as_json = family_of(left->columns[c]) == TypeFamily::json || family_of(right->columns[c]) == TypeFamily::json;
  RowMatch match = match_rows(*left, *right, columns);
  return match.complete();
}

Task<InputFinding> ask_input(std::vector<mysql::Command> questions, const Plan& plan, Interview& interview, CaptureTime now) {
  std::vector<Ask> asks;
  for (Side side : {Side::reference, Side::target})
    for (const mysql::Command& question : questions) asks.push_back({side, question});
  std::vector<Heard> heard = co_await interview.ask(std::move(asks), now);
  InputFinding result;
  result.input = Input::same;
  Evidence evidence;
  evidence.json().key("input_questions").begin_array();
  for (std::size_t i = 0; i < questions.size(); ++i) {
    const Heard &on_reference = heard[i], &on_target = heard[questions.size() + i];
    for (const Heard* one : {&on_reference, &on_target}) {
      if (one->answer() == nullptr) co_return InputFinding{Input::unknown, one->why_not(), {}, false};
      if (one->answer()->first_rows() == nullptr)
        co_return InputFinding{Input::unknown, "the question about the rows below failed on the " + std::string(to_string(one->side)), {}, true};
    }
    const mysql::ResultSet &a = *on_reference.answer()->first_rows(), &b = *on_target.answer()->first_rows();
    if (std::max(a.row_count(), b.row_count()) > max_input_rows)
      co_return InputFinding{Input::unknown, "more than " + std::to_string(max_input_rows) + " rows below", {}, false};
    bool same = same_rows(a, b);
    if (!same) result.input = Input::differs;
    evidence.json().begin_object().member("sql", quoted_sql(questions[i].text, plan.collation)).member("reference_rows", a.row_count());
    evidence.json().member("target_rows", b.row_count()).member("same_rows", same).end_object();
  }
  evidence.json().end_array();
  result.evidence = evidence.take_members();
  co_return result;
}

std::string bound() { return " LIMIT " + std::to_string(max_input_rows + 1); }

// The rows that the statement's FROM and WHERE give; of some groups only, where a condition is given.
std::optional<mysql::Command> block_question(const Plan& plan, const mysql::Command& original, std::string_view columns, std::string_view condition) {
  auto sql = sql::over_same_rows(plan.sql, columns, condition, bound(), plan.dialect);
  return sql ? rewritten(original, plan, std::move(*sql)) : std::nullopt;
}

// The tables that the statement reads, whole.
std::vector<mysql::Command> table_questions(const Plan& plan, const mysql::Command& original) {
  sql::Meaning meaning = sql::understand(plan.sql, plan.dialect);
  std::vector<mysql::Command> questions;
  if (!meaning.understood || meaning.tables_read.empty() || meaning.tables_read.size() > max_input_tables) return questions;
  for (const sql::TableName& table : meaning.tables_read) {
    std::string sql = "SELECT * FROM " + (table.schema.empty() ? "" : sql::quote_name(table.schema) + ".") + sql::quote_name(table.name) + bound();
    auto question = rewritten(original, plan, std::move(sql));
    if (!question) return {};
    questions.push_back(std::move(*question));
  }
  return questions;
}

// The groups of the paired rows, or of all that are on one side only.
std::optional<std::string> any_group(const Plan& plan, const Examination& open, const RowPairs& pairs) {
  std::size_t rows = pairs.empty() ? open.match.only_a.size() + open.match.only_b.size() : pairs.size();
  if (rows == 0 || rows > max_scoped_groups || plan.shape.group_by.empty() || plan.shape.with_rollup) return std::nullopt;
  std::set<std::string> groups;
  auto add = [&](const Table& table, std::size_t row) {
    auto group = group_condition(plan, table, row);
    if (group) groups.insert(std::move(*group));
    return group.has_value();
  };
  for (auto [row, other] : pairs)
    if (!add(*open.a, row)) return std::nullopt;
  for (std::size_t row : pairs.empty() ? open.match.only_a : std::vector<std::size_t>())
    if (!add(*open.a, row)) return std::nullopt;
  for (std::size_t row : pairs.empty() ? open.match.only_b : std::vector<std::size_t>())
    if (!add(*open.b, row)) return std::nullopt;
  std::string condition;
  for (const std::string& group : groups) condition += (condition.empty() ? "((" : " OR (") + group + ")";
  return condition + ")";
}

// The group's keys, and the columns that the cells which differ are computed from: the others' don't touch them. Nothing where rows
// are not grouped: then a row is known by all of its columns.
std::optional<std::string> columns_of_differing(const Plan& plan, const Examination& open, const RowPairs& pairs) {
  if (plan.shape.group_by.empty() && !plan.shape.aggregate_without_group) return std::nullopt;
  std::string keys;
  for (std::size_t k = 0; k < plan.shape.group_by.size(); ++k) {
    auto key = sql::group_key_over_rows(plan.sql, k, plan.dialect);
    if (!key) return std::nullopt;
    keys += *key + ", ";
  }
  std::set<std::size_t> items;
  for (auto [row_a, row_b] : pairs) {
    for (std::size_t c = 0; c < plan.columns.size(); ++c) {
      if (compare_cells(open.a->rows[row_a][c], open.a->columns[c], open.b->rows[row_b][c], open.b->columns[c], plan.columns[c]).match != CellMatch::different) continue;
      if (!plan.columns[c].item) return std::nullopt;
      items.insert(*plan.columns[c].item);
    }
  }
  if (items.empty()) return std::nullopt;
  std::string columns = sql::columns_of_items(plan.sql, {items.begin(), items.end()}, plan.dialect);
  return columns == "*" ? std::nullopt : std::optional(keys + columns);
}

// A subquery in the select list, in HAVING or ORDER BY reads tables whose rows are not among those of FROM and WHERE.
bool reads_beyond_its_rows(const Plan& plan) {
  const sql::QueryShape& shape = plan.shape;
  if (!shape.has_subquery) return false;
  if (std::any_of(shape.items.begin(), shape.items.end(), [](const sql::SelectItem& item) { return item.subquery; })) return true;
  std::string behind = lower(std::string(sql::text_at(plan.sql, shape.having)) + " " + std::string(sql::text_at(plan.sql, shape.order_clause)));
  return behind.find("select") != std::string::npos;
}

InquiryResult excused(InputFinding&& found) { return {Finding::excused, Cause::order_undefined, std::move(found.evidence), {}, true}; }

}  // namespace

std::optional<std::string> group_condition(const Plan& plan, const Table& table, std::size_t row) {
  std::string condition;
  for (std::size_t k = 0; k < plan.shape.group_by.size(); ++k) {
    const sql::SortKey& key = plan.shape.group_by[k];
    std::optional<std::size_t> shown;
    for (std::size_t c = 0; c < plan.columns.size() && !shown; ++c) {
      if (plan.columns[c].item) {
        const sql::SelectItem& item = plan.shape.items[*plan.columns[c].item];
        if (key.item == plan.columns[c].item || (!key.column.empty() && same_name(item.column, key.column))) shown = c;
      } else if (!key.column.empty() && same_name(table.columns[c].org_name, key.column)) {
        shown = c;
      }
    }
    auto literal = shown ? literal_of(table.rows[row][*shown], table.columns[*shown], plan.dialect) : std::nullopt;
    auto expression = sql::group_key_over_rows(plan.sql, k, plan.dialect);
    if (!literal || !expression) return std::nullopt;
    condition += (condition.empty() ? "(" : " AND (") + *expression + ") <=> " + *literal;
  }
  if (condition.empty()) return std::nullopt;
  return condition;
}

Task<std::optional<bool>> ask_whether_rows_agree(const Examination& open, const Plan& plan, const mysql::Command& original, std::string columns,
                                                 Interview& interview, CaptureTime now) {
  if (plan.rows_hang_on_order || plan.shape.kind != sql::ShapeKind::select || reads_beyond_its_rows(plan)) co_return std::nullopt;
  auto question = block_question(plan, original, columns, any_group(plan, open, {}).value_or(""));
  if (!question) co_return std::nullopt;
  std::vector<mysql::Command> questions;
  questions.push_back(std::move(*question));
  Task<InputFinding> asking = ask_input(std::move(questions), plan, interview, now);
  InputFinding found = co_await asking;
  if (found.input == Input::unknown) co_return std::nullopt;
  co_return found.input == Input::same;
}

Task<InquiryResult> ask_same_input(const Examination& open, RowPairs pairs, const Plan& plan, const mysql::Command& original, Interview& interview,
                                   CaptureTime now, OtherRows other_rows) {
  InquiryResult unknown{Finding::unknown, Cause::unexamined, {}, "the rows below can't be asked for"};
  bool reads_beyond = reads_beyond_its_rows(plan);
  bool hangs_below = plan.from_inner_query || plan.rows_hang_on_order || plan.shape.kind != sql::ShapeKind::select || reads_beyond;
  std::string columns = sql::columns_used(plan.sql, plan.dialect).value_or("*");
  if (!plan.rows_hang_on_order && !reads_beyond && plan.shape.kind == sql::ShapeKind::select) {
    for (const std::string& asked : columns == "*" ? std::vector<std::string>{"*"} : std::vector<std::string>{columns, "*"}) {
      auto question = block_question(plan, original, asked, "");
      if (!question) continue;
      std::vector<mysql::Command> questions;
      questions.push_back(std::move(*question));
      Task<InputFinding> asking = ask_input(std::move(questions), plan, interview, now);
      InputFinding found = co_await asking;
      if (found.input == Input::same) co_return excused(std::move(found));
      if (found.refused) continue;
      unknown.reason = found.input == Input::differs ? "the rows below differ too" : found.reason;
      bool sure = found.input == Input::differs && !hangs_below && plan.shape.aggregate_without_group && !pairs.empty();
      // Of rows that stand beside each other only what differs is in question.
      auto narrow = columns_of_differing(plan, open, pairs);
      auto condition = any_group(plan, open, pairs);
      bool fewer = narrow && *narrow != asked && (condition || plan.shape.group_by.empty());
      auto scoped = condition || fewer ? block_question(plan, original, fewer ? *narrow : asked, condition.value_or("")) : std::nullopt;
      if (scoped) {
        questions.clear();
        questions.push_back(std::move(*scoped));
        Task<InputFinding> again = ask_input(std::move(questions), plan, interview, now);
        InputFinding of_groups = co_await again;
        if (of_groups.input == Input::same) co_return excused(std::move(of_groups));
        if (of_groups.input == Input::differs) {
          found = std::move(of_groups);
          sure = !hangs_below;
        }
      }
      if (sure && other_rows == OtherRows::refute) co_return InquiryResult{Finding::refuted, Cause::defect, std::move(found.evidence), {}};
      break;
    }
  }
  if (!hangs_below) co_return unknown;
  std::vector<mysql::Command> questions = table_questions(plan, original);
  if (questions.empty()) co_return unknown;
  Task<InputFinding> asking = ask_input(std::move(questions), plan, interview, now);
  InputFinding found = co_await asking;
  if (found.input == Input::same) co_return excused(std::move(found));
  unknown.reason = found.input == Input::differs ? "its value hangs on an order below, and the tables that it reads differ" : found.reason;
  co_return unknown;
}

}  // namespace darktap::compare
