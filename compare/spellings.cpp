#include "spellings.h"

#include <algorithm>
#include <map>

#include "evidence.h"
#include "question_sql.h"

namespace darktap::compare {

using Finding = InquiryResult::Finding;

namespace {

InquiryResult unknown(std::string reason) { return {Finding::unknown, Cause::unexamined, {}, std::move(reason)}; }

// What follows from other pairs is not asked: equality is passed on.
std::vector<Spellings> spanning(const std::vector<Spellings>& spellings) {
  std::map<std::pair<std::size_t, std::string>, std::pair<std::size_t, std::string>> parent;
  auto root = [&](std::pair<std::size_t, std::string> node) {
    for (auto next = parent.find(node); next != parent.end(); next = parent.find(node)) node = next->second;
    return node;
  };
  std::vector<Spellings> result;
  for (const Spellings& one : spellings) {
    auto a = root({one.key, one.a}), b = root({one.key, one.b});
    if (a == b) continue;
    parent[a] = b;
    result.push_back(one);
  }
  return result;
}

Task<InquiryResult> ask_part(std::vector<Spellings> spellings, const Plan& plan, Interview& interview, CaptureTime now) {
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

}  // namespace

Task<InquiryResult> ask_spellings(std::vector<Spellings> spellings, const Plan& plan, Interview& interview, CaptureTime now) {
  spellings = spanning(spellings);
  if (spellings.size() > max_asked_spellings) co_return unknown("too many differently spelled keys");
  InquiryResult all{Finding::excused, Cause::order_undefined, {}, {}};
  for (std::size_t begin = 0; begin < spellings.size(); begin += max_spellings_a_question) {
    std::size_t end = std::min(spellings.size(), begin + max_spellings_a_question);
    Task<InquiryResult> asking = ask_part({spellings.begin() + static_cast<std::ptrdiff_t>(begin), spellings.begin() + static_cast<std::ptrdiff_t>(end)}, plan, interview, now);
    InquiryResult part = co_await asking;
    if (part.finding != Finding::excused) co_return part;
    if (begin == 0) all.evidence = std::move(part.evidence);
  }
  co_return all;
}

}  // namespace darktap::compare
