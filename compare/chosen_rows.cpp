#include "chosen_rows.h"

#include "evidence.h"
#include "heard_rows.h"
#include "question_sql.h"
#include "sql/tie_break.h"

namespace darktap::compare {

namespace {

using Finding = InquiryResult::Finding;

// The keys behind the window's columns, as the list of an IN.
std::optional<std::string> key_list(const Table& window, std::size_t keys, const Plan& plan) {
  if (window.rows.empty() || window.rows.size() > max_chosen_rows || window.columns.size() < keys) return std::nullopt;
  std::string list;
  for (const auto& row : window.rows) {
    std::string values;
    for (std::size_t c = window.columns.size() - keys; c < window.columns.size(); ++c) {
      auto literal = literal_of(row[c], window.columns[c], plan.dialect);
      if (!literal) return std::nullopt;
      values += (values.empty() ? "" : ", ") + *literal;
    }
    list += (list.empty() ? "(" : ", ") + (keys == 1 ? values : "(" + values + ")");
  }
  return list + ")";
}

bool gives(const Table& answer, const Table& wanted, const Plan& plan) {
  if (answer.columns.size() != wanted.columns.size() || answer.columns.size() != plan.columns.size()) return false;
  RowMatch match = match_rows(answer, wanted, plan.columns);
  return match.complete() && match.noise_columns.empty() && (!plan.has_order || match.in_place());
}

}  // namespace

Task<InquiryResult> ask_with_rows_chosen(const Examination& open, const Plan& plan, const session::Exchange& exchange, const sql::Catalogue& catalogue,
                                         Interview& interview, CaptureTime now) {
  InquiryResult unknown{Finding::unknown, Cause::unexamined, {}, "which rows a LIMIT below chose can't be asked for"};
  std::vector<sql::InnerWindow> windows = sql::inner_windows(plan.sql, catalogue, exchange.schema, plan.dialect);
  if (windows.empty() || !open.b) co_return unknown;
  std::vector<mysql::Command> questions;
  for (const sql::InnerWindow& window : windows) {
    auto question = rewritten(exchange.command, plan, window.sql);
    if (!question) co_return unknown;
    questions.push_back(std::move(*question));
  }
  std::vector<Heard> heard = co_await interview.ask(of_both_sides(questions), now);
  Evidence evidence;
  evidence.json().key("windows_below").begin_array();
  std::vector<std::string> rows;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    const mysql::Answer *a = heard[2 * i].answer(), *b = heard[2 * i + 1].answer();
    auto chosen = rows_heard(heard[2 * i + 1]);
    if (a == nullptr || a->first_rows() == nullptr || !chosen) co_return unknown;
    // May the target choose these? Asked as of any statement.
    Plan own = make_plan(questions[i], plan.collation, a->first_rows()->columns, b->first_rows()->columns, nullptr, {}, plan.dialect.mode);
    Examination window = examine(*a, *b, own);
    if (window.relation == Relation::open) {
      session::Exchange alone;
      alone.id = exchange.id;
      alone.schema = exchange.schema;
      alone.collation = exchange.collation;
      alone.command = questions[i];
      Task<InquiryResult> asking = inquire(window, own, alone, interview, now, ComparerOptions::Reference::available, catalogue);
      InquiryResult allowed = co_await asking;
      if (allowed.finding != Finding::excused || allowed.cause == Cause::nondeterministic) co_return unknown;
    } else if (!window.agrees() || window.cause == Cause::nondeterministic) {
      co_return unknown;
    }
    auto list = key_list(*chosen, windows[i].keys, plan);
    if (!list) co_return unknown;
    rows.push_back(std::move(*list));
    evidence.json().begin_object().member("sql", quoted_sql(questions[i].text, plan.collation)).member("target_rows", chosen->rows.size()).end_object();
  }
  evidence.json().end_array();
  auto sql = sql::with_rows_chosen(plan.sql, catalogue, exchange.schema, rows, plan.dialect);
  auto question = sql ? rewritten(exchange.command, plan, std::move(*sql)) : std::nullopt;
  if (!question) co_return unknown;
  questions = {*question};
  heard = co_await interview.ask(of_both_sides(questions), now);
  auto reference = rows_heard(heard[0]), target = rows_heard(heard[1]);
  // The target has to come to its own answer by them: else it had chosen others.
  if (!reference || !target || !gives(*target, *open.b, plan) || !gives(*reference, *open.b, plan)) co_return unknown;
  evidence.json().member("over_these_rows", quoted_sql(question->text, plan.collation)).member("reference_gives_the_targets_answer", true);
  co_return InquiryResult{Finding::excused, Cause::order_undefined, evidence.take_members(), {}};
}

}  // namespace darktap::compare
