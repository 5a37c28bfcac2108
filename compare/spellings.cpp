#include "spellings.h"

#include "evidence.h"
#include "question_sql.h"

namespace darktap::compare {

using Finding = InquiryResult::Finding;

namespace {
InquiryResult unknown(std::string reason) { return {Finding::unknown, Cause::unexamined, {}, std::move(reason)}; }
}  // namespace

Task<InquiryResult> ask_spellings(std::vector<Spellings> spellings, const Plan& plan, Interview& interview, CaptureTime now) {
  if (spellings.size() > max_asked_spellings) co_return unknown("too many differently spelled keys");
  auto question = equal_under_collation(plan, spellings);
  if (!question) co_return unknown("a key that is no plain column: its collation can't be asked for");
  std::vector<Ask> asks;
  asks.push_back({Side::reference, *question});
  std::vector<Heard> heard = co_await interview.ask(std::move(asks), now);
  const mysql::Answer* answer = heard[0].answer();
  if (answer == nullptr) co_return unknown(heard[0].why_not());
  const mysql::ResultSet* rows = answer->first_rows();
  auto table = rows != nullptr ? table_of(*rows) : std::nullopt;
  if (!table || table->rows.size() != 1 || table->rows[0].size() != spellings.size()) co_return unknown("the collation question failed");
  InquiryResult result{Finding::excused, Cause::order_undefined, {}, {}};
  Evidence evidence;
  evidence.json().member("collation_question", quoted_sql(question->text, plan.collation)).key("spellings").begin_array();
  for (std::size_t i = 0; i < spellings.size(); ++i) {
    const mysql::Cell& cell = table->rows[0][i];
    if (cell.is_null) co_return unknown("a key's value is gone from the reference");
    if (cell.text != "1") result.finding = Finding::refuted;
    evidence.json().begin_object().member("source", quoted_sql(spellings[i].a, plan.collation));
    evidence.json().member("target", quoted_sql(spellings[i].b, plan.collation)).member("equal", cell.text == "1").end_object();
  }
  evidence.json().end_array();
  result.evidence = evidence.take_members();
  co_return result;
}

}  // namespace darktap::compare
