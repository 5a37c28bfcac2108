#include "representatives.h"

#include <algorithm>
#include <array>
#include <set>

#include "evidence.h"
#include "list_order.h"
#include "question_sql.h"
#include "same_input.h"
#include "sql/lexer.h"
#include "sql/rewrite.h"
#include "sql/same_rows.h"
#include "text.h"
#include "tie_containment.h"

namespace darktap::compare {

namespace {

using Finding = InquiryResult::Finding;

constexpr std::size_t max_groups_asked_singly = 20, max_groups_a_question = 25, max_asked_groups = 250;
constexpr std::size_t max_group_question_bytes = 256 * 1024;

bool is_group_key(const Plan& plan, std::size_t item) {
  return std::any_of(plan.shape.group_by.begin(), plan.shape.group_by.end(), [&](const sql::SortKey& key) {
    return key.item == item || (!key.column.empty() && same_name(key.column, plan.shape.items[item].column));
  });
}

bool is_min_or_max(const sql::SelectItem& item) {
  std::string text = lower(item.text);
  return item.aggregate && (text.starts_with("min(") || text.starts_with("max(")) && text.find(')') == text.size() - 1;
}

// What is asked for in each row of the group: the item itself, or what MIN and MAX look at.
std::string asked_expression(const Plan& plan, const Table& a, std::size_t column) {
  if (!plan.columns[column].item) {  // behind a star
    const mysql::Column& shown = a.columns[column];
    if (shown.org_name.empty() || shown.table.empty()) return {};
    return sql::quote_name(shown.table) + "." + sql::quote_name(shown.org_name);
  }
  const sql::SelectItem& item = plan.shape.items[*plan.columns[column].item];
  if (is_min_or_max(item)) return item.text.substr(4, item.text.size() - 5);
  if (item.aggregate || item.window || item.subquery || item.star != sql::Star::no) return {};
  return item.text;
}

// A union may print these otherwise than the statement does, and so may a temporary table, in which rows are grouped.
bool printed_otherwise(const mysql::Column& column) {
  TypeFamily family = family_of(column);
  return family == TypeFamily::floating || family == TypeFamily::bit || family == TypeFamily::json || family == TypeFamily::geometry || family == TypeFamily::vector;
}

// A derived table, or a CTE, that gives the rows of its tables as they are: nothing in it is grouped, made one, cut or numbered.
bool gives_rows_as_they_are(const Plan& plan) {
  if (!plan.from_inner_query) return true;
  auto below = sql::over_same_rows(plan.sql, "1", "", "", plan.dialect);
  if (!below || holds_aggregate(*below)) return false;
  constexpr std::array<std::string_view, 15> makes_rows{"distinct", "distinctrow", "group", "having", "limit", "fetch", "offset", "over", "union", "except", "intersect", "minus", "recursive", "json_table", "values"};
  sql::Lexed lexed = sql::lex(*below, plan.dialect);
  return lexed.clean && std::none_of(lexed.tokens.begin(), lexed.tokens.end(), [&](const sql::Token& token) {
    std::string word = lower(sql::text_of(*below, token));
    return word.starts_with("@") || std::find(makes_rows.begin(), makes_rows.end(), word) != makes_rows.end();
  });
}

// One group, and the columns of its row that differ: the values that its rows hold. Each spelling once where it is one column.
std::optional<std::string> group_question(const Plan& plan, const Table& a, std::size_t row, const std::vector<std::size_t>& columns, std::string_view number = "") {
  const sql::QueryShape& shape = plan.shape;
  if (shape.with_rollup || !gives_rows_as_they_are(plan)) return std::nullopt;
  std::string asked, condition, items(number);
  for (std::size_t c : columns) {
    asked = asked_expression(plan, a, c);
    if (asked.empty()) return std::nullopt;
    items += (items.empty() ? "" : ", ") + asked;
  }
  auto add = [&](const std::string& one) { condition += (condition.empty() ? "" : " AND ") + one; };
  if (!shape.group_by.empty()) {
    auto group = group_condition(plan, a, row);
    if (!group) return std::nullopt;
    add(*group);
  }
  if (columns.size() > 1) return sql::over_same_rows(plan.sql, items, condition, " LIMIT " + std::to_string(max_question_rows), plan.dialect);
  bool by_value = is_text(family_of(a.columns[columns[0]])) && !is_bare_column(plan, columns[0]) && shape.group_by.empty();
  if (by_value) {
    auto literal = literal_of(a.rows[row][columns[0]], a.columns[columns[0]], plan.dialect);
    if (!literal) return std::nullopt;
    add("(" + asked + ") = " + *literal);
  }
  return sql::over_same_rows(plan.sql, items, condition, " GROUP BY HEX(" + asked + "), " + asked, plan.dialect);
}

struct GroupRow {
  std::size_t row_a, row_b;
  std::vector<std::size_t> columns;  // that differ, and are looked for inside the group
};

// One question about some of the groups. Where it is about several, its first column numbers them.
struct GroupQuestion {
  mysql::Command command;
  std::size_t first = 0, count = 0;  // of the groups
  std::vector<std::size_t> columns;  // that it asks for
  bool numbered = false;
};

std::optional<GroupQuestion> question_about(const std::vector<GroupRow>& groups, std::size_t first, std::size_t count, const Plan& plan, const Table& a,
                                            const mysql::Command& original) {
  GroupQuestion question{{}, first, count, {}, count > 1};
  std::set<std::size_t> columns;
  for (std::size_t i = first; i < first + count; ++i) columns.insert(groups[i].columns.begin(), groups[i].columns.end());
  question.columns.assign(columns.begin(), columns.end());
  if (count > 1 && std::any_of(columns.begin(), columns.end(), [&](std::size_t c) { return printed_otherwise(a.columns[c]); })) return std::nullopt;
  std::string sql;
  for (std::size_t i = first; i < first + count; ++i) {
    auto one = group_question(plan, a, groups[i].row_a, question.columns, count > 1 ? std::to_string(i) : "");
    if (!one) return std::nullopt;
    sql += count == 1 ? *one : (i > first ? "\nUNION ALL (" : "(") + *one + "\n)";
  }
  if (sql.size() > max_group_question_bytes) return std::nullopt;
  auto command = rewritten(original, plan, std::move(sql));
  if (!command) return std::nullopt;
  question.command = std::move(*command);
  return question;
}

// One group at a time where they are few, else many in one question. Nothing where a group can't be asked for.
std::optional<std::vector<GroupQuestion>> group_questions(const std::vector<GroupRow>& groups, const Plan& plan, const Table& a, const mysql::Command& original) {
  if (groups.size() > max_asked_groups) return std::nullopt;
  std::size_t step = groups.size() <= max_groups_asked_singly ? 1 : max_groups_a_question;
  std::vector<GroupQuestion> questions;
  for (std::size_t first = 0; first < groups.size(); first += step) {
    auto question = question_about(groups, first, std::min(step, groups.size() - first), plan, a, original);
    if (!question) return std::nullopt;
    questions.push_back(std::move(*question));
  }
  return questions;
}

// Do the group's rows hold the cell? Nothing where there are more of them than were asked for.
std::optional<bool> holds(const Table& table, const GroupQuestion& question, std::size_t group, std::size_t column, const Table& answer, const mysql::Cell& cell, const Plan& plan) {
  std::size_t place = static_cast<std::size_t>(std::find(question.columns.begin(), question.columns.end(), column) - question.columns.begin()) + (question.numbered ? 1 : 0);
  std::string number = std::to_string(group);
  std::size_t rows = 0;
  for (const auto& row : table.rows) {
    if (row.size() <= place || (question.numbered && row[0].text != number)) continue;
    if (row[place] == cell) return true;
    if (printed_otherwise(answer.columns[column]) &&
        compare_cells(row[place], table.columns[place], cell, answer.columns[column], plan.columns[column]).match != CellMatch::different) return true;
    ++rows;
  }
  if (question.columns.size() > 1 && rows >= max_question_rows) return std::nullopt;
  return false;
}

}  // namespace

std::optional<mysql::Command> rows_made_distinct(const Plan& plan, const mysql::Command& original, sql::Operators operators) {
  const sql::QueryShape& shape = plan.shape;
  std::string bound = " LIMIT " + std::to_string(max_question_rows);
  if (shape.kind == sql::ShapeKind::set_operation) {
    auto all = sql::all_of_union(plan.sql, operators, plan.dialect);
    return all ? rewritten(original, plan, *all + "\n" + bound) : std::nullopt;
  }
  bool of_rows = shape.kind == sql::ShapeKind::select && shape.group_by.empty() && !shape.aggregate_without_group && !shape.has_window && !shape.items.empty();
  std::optional<std::string> united = of_rows && plan.from_inner_query ? sql::over_all_of_union(plan.sql, operators, plan.dialect) : std::nullopt;
  if (united) {
    std::string_view shown = std::string_view(plan.sql).substr(shape.items.front().span.begin, shape.items.back().span.end - shape.items.front().span.begin);
    auto all = sql::over_same_rows(*united, shown, "", bound, plan.dialect);
    return all ? rewritten(original, plan, std::move(*all)) : std::nullopt;
  }
  bool plain = shape.distinct && shape.group_by.empty() && !shape.aggregate_without_group && !shape.has_window && !shape.items.empty();
  if (!plain || shape.kind != sql::ShapeKind::select) return std::nullopt;
  std::string_view items = std::string_view(plan.sql).substr(shape.items.front().span.begin, shape.items.back().span.end - shape.items.front().span.begin);
  auto all = sql::over_same_rows(plan.sql, items, "", bound, plan.dialect);
  return all ? rewritten(original, plan, std::move(*all)) : std::nullopt;
}

bool is_bare_column(const Plan& plan, std::size_t column) {
  const sql::QueryShape& shape = plan.shape;
  if (shape.kind != sql::ShapeKind::select || (shape.group_by.empty() && !shape.aggregate_without_group)) return false;
  if (plan.columns[column].of_one_row) return false;
  if (!plan.columns[column].item) return true;
  const sql::SelectItem& item = shape.items[*plan.columns[column].item];
  return !item.aggregate && !item.window && !item.subquery && !is_group_key(plan, *plan.columns[column].item);
}

std::vector<std::size_t> representative_columns(const Plan& plan, const std::vector<mysql::Column>& columns) {
  std::vector<std::size_t> result;
  const sql::QueryShape& shape = plan.shape;
  if (!shape.understood || shape.kind != sql::ShapeKind::select) return result;
  for (std::size_t c = 0; c < plan.columns.size(); ++c) {
    bool text = is_text(family_of(columns[c])), bare = is_bare_column(plan, c);
    bool key = plan.columns[c].item && is_group_key(plan, *plan.columns[c].item);
    bool extreme = plan.columns[c].item && is_min_or_max(shape.items[*plan.columns[c].item]);
    if ((text && (shape.distinct || key || extreme)) || bare) result.push_back(c);
  }
  return result;
}

Task<InquiryResult> ask_representatives(const Examination& open, const Plan& plan, const mysql::Command& original, Interview& interview, CaptureTime now) {
  InquiryResult result;
  const Table &a = *open.a, &b = *open.b;
  auto pairs = pair_within(a, b, open.match, plan);
  if (!pairs) {
    result.reason = "the groups can't be paired";
    co_return result;
  }

  // Each row of DISTINCT and of a UNION is a row below: both servers hold both spellings, or they don't.
  if (auto list = rows_made_distinct(plan, original, sql::Operators::any)) {
    std::vector<mysql::Command> asked;
    asked.push_back(std::move(*list));
    Task<Choices> asking = ask_choices(plan, std::move(asked), interview, now);
    Choices choices = co_await asking;
    InquiryResult contained = check_containment(open, plan, plan.columns, choices);
    if (contained.finding == Finding::excused && plan.has_limit && choices.reference == choices.target) {
      // From the same rows another collation makes other ones: then a LIMIT hides how many.
      auto whole = whole_list(original, plan, max_question_rows);
      if (!whole) co_return result;
      std::vector<mysql::Command> listing;
      listing.push_back(std::move(*whole));
      Task<Choices> asking_list = ask_choices(plan, std::move(listing), interview, now);
      Choices listed = co_await asking_list;
      result.reason = listed.reason.empty() ? "the servers make other rows one" : listed.reason;
      if (!listed.reason.empty() || listed.reference_rows != listed.target_rows) co_return result;
    }
    if (contained.finding != Finding::unknown) co_return contained;
  }

  std::vector<GroupRow> groups;
  std::vector<Leeway> leeway = leeways(plan, a.columns);
  RowPairs rest;  // what rests on the rows below
  std::set<Leeway> rules;
  for (auto [row_a, row_b] : *pairs) {
    GroupRow group{row_a, row_b, {}};
    bool in_group = true;
    for (std::size_t c = 0; c < leeway.size(); ++c) {
      if (compare_cells(a.rows[row_a][c], a.columns[c], b.rows[row_b][c], b.columns[c], plan.columns[c]).match == CellMatch::different) {
        rules.insert(leeway[c]);
        in_group = in_group && (leeway[c] == Leeway::spelling || leeway[c] == Leeway::bare);
        group.columns.push_back(c);
      }
    }
    if (group.columns.empty()) continue;
    if (in_group && group_question(plan, a, row_a, group.columns)) groups.push_back(std::move(group));
    else rest.emplace_back(row_a, row_b);
  }
  Evidence evidence;
  evidence.json().key("value_rules").begin_array();
  for (Leeway rule : rules) evidence.json().string(to_string(rule));
  evidence.json().end_array();
  auto questions = group_questions(groups, plan, a, original);
  if (!questions) {  // more groups than are asked for
    groups.clear();
    questions.emplace();
    rest = *pairs;
  }
  std::vector<Ask> asks;
  for (Side side : {Side::reference, Side::target})
    for (const GroupQuestion& question : *questions) asks.push_back({side, question.command});
  std::vector<Heard> heard = co_await interview.ask(std::move(asks), now);
  result.finding = Finding::excused;
  if (!questions->empty()) evidence.json().member("rule", "representative_of_a_group").key("re_queries").begin_array();
  for (std::size_t i = 0; i < questions->size(); ++i) {
    const GroupQuestion& question = (*questions)[i];
    evidence.json().begin_object().member("sql", quoted_sql(question.command.text, plan.collation));
    bool both = true;
    for (std::size_t side = 0; side < 2; ++side) {
      const Heard& one = heard[side * questions->size() + i];
      if (one.answer() == nullptr) co_return InquiryResult{Finding::unknown, Cause::unexamined, {}, one.why_not()};
      const mysql::ResultSet* rows = one.answer()->first_rows();
      auto table = rows != nullptr ? table_of(*rows) : std::nullopt;
      if (!table) co_return InquiryResult{Finding::unknown, Cause::unexamined, {}, "the question about the group failed"};
      for (std::size_t g = question.first; g < question.first + question.count; ++g) {
        for (std::size_t c : groups[g].columns) {
          auto left = holds(*table, question, g, c, a, a.rows[groups[g].row_a][c], plan), right = holds(*table, question, g, c, b, b.rows[groups[g].row_b][c], plan);
          if (!left || !right) co_return InquiryResult{Finding::unknown, Cause::unexamined, {}, "the group has more than " + std::to_string(max_question_rows) + " rows"};
          both = both && *left && *right;
        }
      }
    }
    if (question.count > 1) evidence.json().member("groups", question.count);
    evidence.json().member("both_values_on_both_sides", both).end_object();
    if (both) continue;
    // A cell may be missed for how a temporary table prints it: the rows below decide.
    bool may_be_missed = question.count == 1 && groups[question.first].columns.size() > 1 &&
                         std::any_of(question.columns.begin(), question.columns.end(), [&](std::size_t c) { return printed_otherwise(a.columns[c]); });
    if (may_be_missed) rest.emplace_back(groups[question.first].row_a, groups[question.first].row_b);
    else result.finding = Finding::refuted;
  }
  if (!questions->empty()) evidence.json().end_array();
  if (result.finding == Finding::excused && !rest.empty()) {
    RowPairs paired = rest;
    bool of_all_rows = std::all_of(rules.begin(), rules.end(), [](Leeway rule) { return rule == Leeway::list || rule == Leeway::float_sum; });
    Task<InquiryResult> task = ask_same_input(open, std::move(rest), plan, original, interview, now, of_all_rows ? OtherRows::refute : OtherRows::leave_open);
    InquiryResult below = co_await task;
    evidence.append(below.evidence);
    result.finding = below.finding;
    result.cause = below.cause;
    result.reason = below.reason;
    result.by_rows_below = below.by_rows_below;
    // The same rows, and lists with an order of their own: it must hold.
    for (std::size_t c = 0; c < leeway.size() && result.finding == Finding::excused; ++c) {
      if (leeway[c] != Leeway::list || plan.columns[c].list_order != ColumnPlan::ListOrder::by_other) continue;
      RowPairs permuted;
      for (auto [row_a, row_b] : paired)
        if (a.rows[row_a][c] != b.rows[row_b][c]) permuted.emplace_back(row_a, row_b);
      if (permuted.empty()) continue;
      Task<InquiryResult> asking = ask_list_order(open, std::move(permuted), c, plan, original, interview, now);
      InquiryResult order = co_await asking;
      evidence.append(order.evidence);
      result.finding = order.finding;
      result.cause = order.cause;
      result.reason = order.reason;
    }
  }
  result.evidence = evidence.take_members();
  co_return result;
}

}  // namespace darktap::compare
