#include "tie_breaking.h"

#include <algorithm>
#include <set>

#include "evidence.h"
#include "hidden_keys.h"
#include "leeway.h"
#include "question_sql.h"
#include "sql/lexer.h"
#include "sql/tie_break.h"
#include "text.h"
#include "tie_containment.h"

namespace darktap::compare {

namespace {

using Finding = InquiryResult::Finding;

// The plan of a statement whose ties are broken: nothing in it hangs on an order any more.
Plan settled_plan(const mysql::Command& question, const Plan& plan, const mysql::ResultSet& a, const mysql::ResultSet& b) {
  Plan result = make_plan(question, plan.collation, a.columns, b.columns, nullptr, {}, plan.dialect.mode);
  result.rows_hang_on_order = false;
  result.ties_broken = true;
  for (std::size_t c = 0; c < result.columns.size(); ++c) {
    result.columns[c].order_sensitive = false;
    result.columns[c].of_one_row = c < plan.columns.size() && plan.columns[c].of_one_row;
  }
  return result;
}

enum class Answers : std::uint8_t { agree, differ, unknown };

// What tells a row that differs from others, whatever order the statement leaves open; nothing where no column does.
using RowNames = std::optional<std::set<std::string>>;
RowNames differing_rows(const Examination& found, const Plan& plan) {
  if (!found.a || !found.b || found.match.complete()) return std::nullopt;
  std::vector<ColumnPlan> columns = without_leeway_columns(plan, found.a->columns);
  if (std::all_of(columns.begin(), columns.end(), [](const ColumnPlan& column) { return !column.noise.empty(); })) return std::nullopt;
  std::set<std::string> rows;
  for (std::size_t row : found.match.only_a) rows.insert(row_key(*found.a, row, columns));
  for (std::size_t row : found.match.only_b) rows.insert(row_key(*found.b, row, columns));
  return rows;
}

struct Compared {
  Answers answers = Answers::unknown;
  RowNames differing;
  RowCounts reference, target;  // what each gave
};

Compared compare_answers(const mysql::Command& question, const Plan& plan, const Heard& reference, const Heard& target) {
  const mysql::Answer *a = reference.answer(), *b = target.answer();
  if (a == nullptr || b == nullptr || a->first_rows() == nullptr || b->first_rows() == nullptr) return {};
  Plan settled = settled_plan(question, plan, *a->first_rows(), *b->first_rows());
  Examination found = examine(*a, *b, settled);
  Compared result;
  auto of_reference = table_of(*a->first_rows()), of_target = table_of(*b->first_rows());
  if (of_reference && of_target && of_reference->columns.size() == plan.columns.size() && of_target->columns.size() == plan.columns.size()) {
    result.reference = count_rows(*of_reference, plan.columns);
    result.target = count_rows(*of_target, plan.columns);
  }
  if (found.agrees()) result.answers = Answers::agree;
  if (found.agrees()) return result;
  // Another spelling of a group's key, or another row's value of a bare column, is all that is still open.
  bool other_rows = found.relation == Relation::open && found.a && !found.match.complete() && !pair_within(*found.a, *found.b, found.match, settled);
  if (!other_rows && !(found.relation == Relation::different && found.cause == Cause::defect)) return result;
  result.answers = Answers::differ;
  result.differing = differing_rows(found, plan);
  return result;
}

// Each row of one answer that the other lacks is one that the other's server gives with the ties broken one way or the other: its data
// allow it. Rows that are made of many are taken together, all one way.
bool given_with_ties_broken(const Table& answer, const std::vector<std::size_t>& rows, const std::vector<Compared>& broken, RowCounts Compared::* side, const Plan& plan) {
  RowCounts needed;
  for (std::size_t row : rows) ++needed[row_key(answer, row, plan.columns)];
  auto given = [&](const auto& need, const Compared& one) {
    auto found = (one.*side).find(need.first);
    return found != (one.*side).end() && found->second >= need.second;
  };
  bool together = !plan.shape.group_by.empty() || plan.shape.aggregate_without_group;
  if (together) {
    return std::any_of(broken.begin(), broken.end(), [&](const Compared& one) {
      return std::all_of(needed.begin(), needed.end(), [&](const auto& need) { return given(need, one); });
    });
  }
  return std::all_of(needed.begin(), needed.end(), [&](const auto& need) {
    return std::any_of(broken.begin(), broken.end(), [&](const Compared& one) { return given(need, one); });
  });
}

// A row that differs in the answer and both times with its ties broken; where rows can't be told apart, any may be it. One that
// differs now and again, or not in the answer in question, is wrong, but not what this difference is made of.
bool one_row_differs_throughout(const Examination& open, const std::vector<Compared>& broken, const Plan& plan) {
  RowNames asked = differing_rows(open, plan);
  if (!asked || std::any_of(broken.begin(), broken.end(), [](const Compared& one) { return !one.differing; })) return true;
  return std::any_of(asked->begin(), asked->end(), [&](const std::string& row) {
    return std::all_of(broken.begin(), broken.end(), [&](const Compared& one) { return one.differing->contains(row); });
  });
}

// The statement asked of both with its ties broken upwards and downwards.
struct Broken {
  std::size_t agree = 0, differ = 0, asked = 0;
  bool differ_throughout = false;  // in one row at least
  bool allowed = false;            // each side gives what the other answered, one way or the other
  std::string evidence;
};
Task<Broken> ask_broken(const Examination& open, const Plan& plan, const session::Exchange& exchange, const sql::Catalogue& catalogue, Interview& interview, CaptureTime now) {
  Broken result;
  std::vector<mysql::Command> questions;
  for (sql::Direction direction : {sql::Direction::ascending, sql::Direction::descending}) {
    auto sql = sql::break_ties(plan.sql, catalogue, exchange.schema, direction, plan.dialect);
    auto question = sql ? rewritten(exchange.command, plan, std::move(*sql)) : std::nullopt;
    if (!question) co_return result;
    questions.push_back(std::move(*question));
  }
  std::vector<Heard> heard = co_await interview.ask(of_both_sides(questions), now);
  Evidence evidence;
  evidence.json().key("ties_broken").begin_array();
  std::vector<Compared> broken;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    broken.push_back(compare_answers(questions[i], plan, heard[2 * i], heard[2 * i + 1]));
    Answers answers = broken.back().answers;
    result.agree += answers == Answers::agree ? 1 : 0;
    result.differ += answers == Answers::differ ? 1 : 0;
    evidence.json().begin_object().member("sql", quoted_sql(questions[i].text, plan.collation)).key("servers_agree");
    if (answers == Answers::unknown) evidence.json().null();
    else evidence.json().boolean(answers == Answers::agree);
    evidence.json().end_object();
  }
  evidence.json().end_array();
  result.asked = questions.size();
  result.differ_throughout = result.differ == result.asked && one_row_differs_throughout(open, broken, plan);
  bool rows = open.a && open.b && !open.match.complete();
  result.allowed = rows && given_with_ties_broken(*open.b, open.match.only_b, broken, &Compared::reference, plan) &&
                   given_with_ties_broken(*open.a, open.match.only_a, broken, &Compared::target, plan);
  result.evidence = evidence.take_members();
  co_return result;
}

// Nothing else is open: no row stands for others below, none is drawn.
bool only_ties_are_open(const Plan& plan) {
  const sql::QueryShape& shape = plan.shape;
  if (!shape.understood || shape.kind != sql::ShapeKind::select || !shape.nondeterministic_outside_items.empty()) return false;
  if (std::any_of(plan.columns.begin(), plan.columns.end(), [](const ColumnPlan& column) { return !column.noise.empty() || !column.session_state.empty(); })) return false;
  sql::Lexed lexed = sql::lex(plan.sql, plan.dialect);
  std::size_t groups = 0;
  for (const sql::Token& token : lexed.tokens) {
    std::string word = lower(sql::text_of(plan.sql, token));
    if (word == "group") ++groups;
    if (word == "distinct" || word == "union" || word == "except" || word == "intersect" || word == "rollup" || word == "any_value" || word.starts_with("@")) return false;
  }
  return groups <= (shape.group_by.empty() ? 0 : 1);
}

}  // namespace

Task<std::optional<InquiryResult>> ask_whether_they_mean_the_same(const Examination& open, const Plan& plan, const session::Exchange& exchange, const sql::Catalogue& catalogue,
                                                                  Interview& interview, CaptureTime now) {
  if (!only_ties_are_open(plan) || keys_hang_on_rows(plan, catalogue, exchange.schema)) co_return std::nullopt;
  Task<Broken> asking = ask_broken(open, plan, exchange, catalogue, interview, now);
  Broken broken = co_await asking;
  if (!broken.differ_throughout) co_return std::nullopt;
  Evidence evidence;
  evidence.append(broken.evidence);
  evidence.json().member("reason", "both servers hold the same rows below, and answer differently where no tie is left: they compare or compute otherwise");
  co_return InquiryResult{Finding::refuted, Cause::defect, evidence.take_members(), {}};
}

Task<InquiryResult> ask_with_ties_broken(const Examination& open, const Plan& plan, const session::Exchange& exchange, const sql::Catalogue& catalogue,
                                         Interview& interview, CaptureTime now) {
  InquiryResult result{Finding::unknown, Cause::unexamined, {}, "the rows below differ, and its ties can't be broken"};
  Task<Broken> asking_broken = ask_broken(open, plan, exchange, catalogue, interview, now);
  Broken broken = co_await asking_broken;
  if (broken.asked == 0) co_return result;
  Evidence evidence;
  evidence.append(broken.evidence);
  if (broken.differ_throughout) co_return InquiryResult{Finding::refuted, Cause::defect, evidence.take_members(), {}};
  if (broken.allowed) {
    evidence.json().member("each_row_given_with_ties_broken", true);
    co_return InquiryResult{Finding::excused, Cause::order_undefined, evidence.take_members(), {}};
  }
  result.reason = "which rows come out hangs on an order below, and the tables that it reads differ";
  if (broken.agree < broken.asked || !open.a) co_return result;
  auto whole = sql::drop_inner_limits(plan.sql, plan.dialect);
  auto list = whole_list_of(whole ? *whole : plan.sql, exchange.command, plan, max_question_rows);
  bool cut = whole || plan.has_limit;  // the rows that differ may be of a tie that was cut: do they exist?
  if (!list || !cut) co_return result;
  std::vector<mysql::Command> questions;
  questions.push_back(std::move(*list));
  Task<Choices> asking = ask_choices(plan, std::move(questions), interview, now);
  Choices choices = co_await asking;
  InquiryResult contained = check_containment(open, plan, plan.columns, choices);
  if (contained.finding == Finding::unknown) co_return result;
  evidence.append(contained.evidence);
  contained.evidence = evidence.take_members();
  co_return contained;
}

}  // namespace darktap::compare
