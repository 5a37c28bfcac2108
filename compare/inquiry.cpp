#include "inquiry.h"

#include <algorithm>
#include <map>

#include "evidence.h"
#include "hidden_keys.h"
#include "order_check.h"
#include "question_sql.h"
#include "representatives.h"
#include "spellings.h"
#include "tie_containment.h"

namespace darktap::compare {

namespace {

using Finding = InquiryResult::Finding;

InquiryResult unknown(std::string reason) { return {Finding::unknown, Cause::unexamined, {}, std::move(reason)}; }

std::vector<std::size_t> key_columns(const Plan& plan) {
  std::vector<std::size_t> columns;
  for (const auto& key : plan.keys) columns.push_back(*key);
  return columns;
}

// LIMIT with its keys in the output: both servers are asked for the whole ties at the cuts.
Task<InquiryResult> ask_ties(const Examination& open, const Plan& plan, const mysql::Command& original, Interview& interview, CaptureTime now) {
  const Table& a = *open.a;
  std::vector<mysql::Command> questions;
  std::size_t last = a.rows.size() - 1;
  if (auto tail = whole_tie(original, plan, a, last, key_columns(plan))) questions.push_back(std::move(*tail));
  if (!questions.empty() && plan.offset > 0 && !same_key(a, 0, a, last, plan)) {
    if (auto head = whole_tie(original, plan, a, 0, key_columns(plan))) questions.push_back(std::move(*head));
    else questions.clear();
  }
  if (questions.empty())
    if (auto list = whole_list(original, plan, max_question_rows)) questions.push_back(std::move(*list));
  if (questions.empty()) co_return unknown("the tie at the cut can't be asked for: its key has no exact literal or the statement can't be rewritten");
  Task<InquiryResult> task = ask_containment(open, plan, std::move(questions), interview, now);
  co_return co_await task;
}

Task<InquiryResult> ask_cut(const Examination& open, const Plan& plan, const mysql::Command& original, Interview& interview, CaptureTime now) {
  Evidence evidence;
  if (!open.spellings.empty()) {
    Task<InquiryResult> equal = ask_spellings(open.spellings, plan, interview, now);
    InquiryResult spelled = co_await equal;
    if (spelled.finding != Finding::excused) co_return spelled;
    evidence.append(spelled.evidence);
  }
  Task<InquiryResult> ties = ask_ties(open, plan, original, interview, now);
  InquiryResult result = co_await ties;
  evidence.append(result.evidence);
  result.evidence = evidence.take_members();
  co_return result;
}

}  // namespace

Task<InquiryResult> inquire(const Examination& open, const Plan& plan, const session::Exchange& exchange, Interview& interview,
                            CaptureTime now, ComparerOptions::Reference reference) {
  if (reference == ComparerOptions::Reference::none) co_return unknown("no reference to ask (--reference)");
  const mysql::Command& original = exchange.command;
  switch (open.open) {
    case OpenQuestion::none: break;
    case OpenQuestion::equal_spellings: {
      Task<InquiryResult> task = ask_spellings(open.spellings, plan, interview, now);
      co_return co_await task;
    }
    case OpenQuestion::cut_in_ties: {
      Task<InquiryResult> task = ask_cut(open, plan, original, interview, now);
      co_return co_await task;
    }
    case OpenQuestion::unordered_limit: {
      auto list = whole_list(original, plan, max_question_rows);
      if (!list) co_return unknown("the statement can't be asked without its LIMIT");
      std::vector<mysql::Command> questions;
      questions.push_back(std::move(*list));
      Task<InquiryResult> task = ask_containment(open, plan, std::move(questions), interview, now);
      InquiryResult result = co_await task;
      if (plan.random_order) result.cause = Cause::nondeterministic;
      co_return result;
    }
    case OpenQuestion::hidden_keys: {
      Task<InquiryResult> task = ask_hidden_keys(open, plan, original, interview, now);
      co_return co_await task;
    }
    case OpenQuestion::representatives: {
      Task<InquiryResult> task = ask_representatives(open, plan, original, interview, now);
      co_return co_await task;
    }
  }
  co_return unknown("nothing to ask");
}

}  // namespace darktap::compare
