#include "tie_breaking.h"

#include "evidence.h"
#include "leeway.h"
#include "question_sql.h"
#include "sql/tie_break.h"
#include "tie_containment.h"

namespace darktap::compare {

namespace {

using Finding = InquiryResult::Finding;

// The plan of a statement whose ties are broken: nothing in it hangs on an order any more.
Plan settled_plan(const mysql::Command& question, const Plan& plan, const mysql::ResultSet& a, const mysql::ResultSet& b) {
  Plan result = make_plan(question, plan.collation, a.columns, b.columns);
  result.rows_hang_on_order = false;
  for (ColumnPlan& column : result.columns) column.order_sensitive = false;
  return result;
}

enum class Answers : std::uint8_t { agree, differ, unknown };

Answers compare_answers(const mysql::Command& question, const Plan& plan, const Heard& reference, const Heard& target) {
  const mysql::Answer *a = reference.answer(), *b = target.answer();
  if (a == nullptr || b == nullptr || a->first_rows() == nullptr || b->first_rows() == nullptr) return Answers::unknown;
  Plan settled = settled_plan(question, plan, *a->first_rows(), *b->first_rows());
  Examination found = examine(*a, *b, settled);
  if (found.agrees()) return Answers::agree;
  if (found.relation == Relation::different && found.cause == Cause::defect) return Answers::differ;
  // Another spelling of a group's key, or another row's value of a bare column, is all that is still open.
  bool other_rows = found.relation == Relation::open && found.a && !found.match.complete() && !pair_within(*found.a, *found.b, found.match, settled);
  return other_rows ? Answers::differ : Answers::unknown;
}

}  // namespace

Task<InquiryResult> ask_with_ties_broken(const Examination& open, const Plan& plan, const session::Exchange& exchange, const sql::Catalogue& catalogue,
                                         Interview& interview, CaptureTime now) {
  InquiryResult result{Finding::unknown, Cause::unexamined, {}, "the rows below differ, and its ties can't be broken"};
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
  std::size_t agree = 0, differ = 0;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    Answers answers = compare_answers(questions[i], plan, heard[2 * i], heard[2 * i + 1]);
    agree += answers == Answers::agree ? 1 : 0;
    differ += answers == Answers::differ ? 1 : 0;
    evidence.json().begin_object().member("sql", quoted_sql(questions[i].text, plan.collation)).key("servers_agree");
    if (answers == Answers::unknown) evidence.json().null();
    else evidence.json().boolean(answers == Answers::agree);
    evidence.json().end_object();
  }
  evidence.json().end_array();
  if (differ == questions.size()) co_return InquiryResult{Finding::refuted, Cause::defect, evidence.take_members(), {}};
  result.reason = "which rows come out hangs on an order below, and the tables that it reads differ";
  if (agree < questions.size() || !open.a) co_return result;
  auto whole = sql::drop_inner_limits(plan.sql, plan.dialect);
  auto list = whole_list_of(whole ? *whole : plan.sql, exchange.command, plan, max_question_rows);
  bool cut = whole || plan.has_limit;  // the rows that differ may be of a tie that was cut: do they exist?
  if (!list || !cut) co_return result;
  questions.clear();
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
