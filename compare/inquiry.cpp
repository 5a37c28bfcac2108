#include "inquiry.h"

#include <algorithm>
#include <map>

#include "chosen_rows.h"
#include "distinct_order.h"
#include "evidence.h"
#include "hidden_keys.h"
#include "leeway.h"
#include "order_check.h"
#include "question_sql.h"
#include "representatives.h"
#include "same_input.h"
#include "spellings.h"
#include "tie_breaking.h"
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

// DISTINCT, cut behind keys that are not in the output: a row that the other side doesn't hold at all is no matter of order.
Task<InquiryResult> ask_whether_listed(const Examination& open, const Plan& plan, const mysql::Command& original, Interview& interview, CaptureTime now) {
  auto list = whole_list(original, plan, max_question_rows);
  if (!list) co_return unknown("the statement can't be asked without its LIMIT");
  std::vector<mysql::Command> questions;
  questions.push_back(std::move(*list));
  Task<Choices> asking = ask_choices(plan, std::move(questions), interview, now);
  Choices choices = co_await asking;
  InquiryResult contained = check_containment(open, plan, plan.columns, choices);
  if (contained.finding == Finding::refuted && held_within(open, plan, choices)) co_return unknown("a row in another spelling");
  co_return contained;
}

// Which spelling stands for rows that were made one is open as well: is it among them on both sides, and, where operators take rows
// away again, does some spelling come out?
Task<InquiryResult> ask_whether_one_of_equals(const Examination& open, const Plan& plan, const mysql::Command& original, Interview& interview, CaptureTime now) {
  auto all = rows_made_distinct(plan, original, sql::Operators::any);
  auto list = whole_list(original, plan, max_question_rows);
  bool only_unions = rows_made_distinct(plan, original, sql::Operators::unions).has_value();
  if (!all || (!only_unions && !list)) co_return unknown("no rows were made one");
  std::vector<mysql::Command> below, whole;
  below.push_back(std::move(*all));
  Task<Choices> asking = ask_choices(plan, std::move(below), interview, now);
  Choices choices = co_await asking;
  InquiryResult contained = check_containment(open, plan, plan.columns, choices);
  if (contained.finding != Finding::excused || !list) co_return contained;
  whole.push_back(std::move(*list));
  Task<Choices> listing = ask_choices(plan, std::move(whole), interview, now);
  Choices listed = co_await listing;
  if (!listed.reason.empty()) co_return unknown("a row in another spelling");
  // From the same rows another collation makes other ones.
  bool same_below = choices.reference == choices.target;
  if (same_below && listed.reference_rows != listed.target_rows) co_return unknown("the servers make other rows one");
  if (!only_unions && !held_within(open, plan, listed)) co_return unknown("a row in another spelling");
  co_return contained;
}

// The rows at the cut are on both sides, or are but for what has a leeway and is computed from the same rows.
Task<InquiryResult> ask_containment_or_input(const Examination& open, const Plan& plan, std::vector<mysql::Command> questions,
                                             const mysql::Command& original, Interview& interview, CaptureTime now) {
  Task<Choices> asking = ask_choices(plan, std::move(questions), interview, now);
  Choices choices = co_await asking;
  InquiryResult contained = check_containment(open, plan, plan.columns, choices);
  std::vector<Leeway> leeway = leeways(plan, open.a->columns);
  bool exact = std::all_of(leeway.begin(), leeway.end(), [](Leeway one) { return one == Leeway::none; });
  if (contained.finding == Finding::excused || exact) co_return contained;
  // A row that stands on both sides but for its leeways needs no place at the cut.
  Examination alone = open;
  pair_some_within(*open.a, *open.b, open.match, plan, alone.match);
  if (contained.finding == Finding::refuted && !held_within(alone, plan, choices)) co_return contained;
  std::vector<ColumnPlan> columns = without_leeway_columns(plan, open.a->columns);
  if (check_containment(alone, plan, columns, choices).finding != Finding::excused) co_return contained;
  Task<InquiryResult> below = ask_same_input(open, {}, plan, original, interview, now);
  co_return co_await below;
}

// LIMIT with its keys in the output: both servers are asked for the whole ties at the cuts.
Task<InquiryResult> ask_ties(const Examination& open, const Plan& plan, const mysql::Command& original, Interview& interview, CaptureTime now) {
  const Table& a = *open.a;
  std::vector<mysql::Command> questions;
  std::size_t last = a.rows.size() - 1;
  auto is_long = [&](std::size_t row) { return std::any_of(plan.keys.begin(), plan.keys.end(), [&](const auto& key) { return a.rows[row][*key].text.size() >= long_beginning; }); };
  bool by_beginnings = is_long(0) || is_long(last);  // then a tie is more than one text: the whole list is asked for
  if (auto tail = by_beginnings ? std::nullopt : whole_tie(original, plan, a, last, key_columns(plan))) questions.push_back(std::move(*tail));
  if (!questions.empty() && plan.offset > 0 && !same_key(a, 0, a, last, plan)) {
    if (auto head = whole_tie(original, plan, a, 0, key_columns(plan))) questions.push_back(std::move(*head));
    else questions.clear();
  }
  if (questions.empty())
    if (auto list = whole_list(original, plan, max_question_rows)) questions.push_back(std::move(*list));
  if (questions.empty()) co_return unknown("the tie at the cut can't be asked for: its key has no exact literal or the statement can't be rewritten");
  Task<InquiryResult> task = ask_containment_or_input(open, plan, std::move(questions), original, interview, now);
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

// Rows that differ within their leeways: the values first, then, where the rows moved as well, their order.
Task<InquiryResult> ask_values(const Examination& open, const Plan& plan, const mysql::Command& original, Interview& interview, CaptureTime now) {
  Task<InquiryResult> asking = ask_representatives(open, plan, original, interview, now);
  InquiryResult values = co_await asking;
  if (values.finding != Finding::excused || (open.spellings.empty() && !open.hidden_order)) co_return values;
  std::vector<ColumnPlan> columns = without_leeway_columns(plan, open.a->columns);
  if (open.hidden_order && plan.shape.distinct) {
    Task<InquiryResult> below = ask_same_input(open, {}, plan, original, interview, now);
    co_return co_await below;
  }
  Task<InquiryResult> about_order = open.hidden_order ? ask_hidden_keys(open, plan, columns, original, interview, now)
                                                      : ask_spellings(open.spellings, plan, interview, now);
  InquiryResult order = co_await about_order;
  Evidence evidence;
  evidence.append(values.evidence);
  evidence.append(order.evidence);
  order.evidence = evidence.take_members();
  co_return order;
}

Task<InquiryResult> inquire_once(const Examination& open, const Plan& plan, const session::Exchange& exchange, Interview& interview, CaptureTime now,
                                 const sql::Catalogue& catalogue) {
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
      Task<InquiryResult> task = ask_containment_or_input(open, plan, std::move(questions), original, interview, now);
      InquiryResult result = co_await task;
      if (result.finding != Finding::excused) {
        Task<InquiryResult> spelled = ask_whether_one_of_equals(open, plan, original, interview, now);
        InquiryResult found = co_await spelled;
        if (found.finding == Finding::excused) result = std::move(found);
      }
      if (plan.random_order) result.cause = Cause::nondeterministic;
      co_return result;
    }
    case OpenQuestion::hidden_keys: {
      Task<InquiryResult> task = ask_hidden_keys(open, plan, plan.columns, original, interview, now);
      InquiryResult result = co_await task;
      if (result.finding != Finding::excused && keys_hang_on_rows(plan, catalogue, exchange.schema)) {
        Task<InquiryResult> asking = ask_keys_of_groups(open, plan, original, interview, now);
        result = co_await asking;
      }
      if (result.finding != Finding::unknown) co_return result;
      Task<InquiryResult> breaking = ask_with_ties_broken(open, plan, exchange, catalogue, interview, now);
      InquiryResult broken = co_await breaking;
      co_return broken.finding == Finding::refuted ? broken : result;
    }
    case OpenQuestion::representatives: {
      Task<InquiryResult> task = ask_values(open, plan, original, interview, now);
      InquiryResult result = co_await task;
      if (result.finding != Finding::unknown) co_return result;
      Task<InquiryResult> choosing = ask_with_rows_chosen(open, plan, exchange, catalogue, interview, now);
      InquiryResult chosen = co_await choosing;
      if (chosen.finding == Finding::excused) co_return chosen;
      Task<InquiryResult> breaking = ask_with_ties_broken(open, plan, exchange, catalogue, interview, now);
      InquiryResult broken = co_await breaking;
      co_return broken.finding == Finding::unknown ? result : broken;
    }
    case OpenQuestion::rows_below: {
      if (plan.shape.distinct && open.match.complete()) {
        Task<InquiryResult> ordering = ask_order_of_distinct(open, plan, original, interview, now);
        InquiryResult ordered = co_await ordering;
        if (ordered.finding == Finding::excused) co_return ordered;
      }
      Task<InquiryResult> task = ask_same_input(open, {}, plan, original, interview, now);
      InquiryResult result = co_await task;
      if (result.finding != Finding::unknown) co_return result;
      if (plan.shape.distinct && plan.has_limit && !plan.rows_hang_on_order) {
        Task<InquiryResult> listed = ask_whether_listed(open, plan, original, interview, now);
        InquiryResult found = co_await listed;
        co_return found.finding == Finding::refuted ? found : result;
      }
      Task<InquiryResult> choosing = ask_with_rows_chosen(open, plan, exchange, catalogue, interview, now);
      InquiryResult chosen = co_await choosing;
      if (chosen.finding == Finding::excused) co_return chosen;
      Task<InquiryResult> breaking = ask_with_ties_broken(open, plan, exchange, catalogue, interview, now);
      InquiryResult broken = co_await breaking;
      co_return broken.finding == Finding::unknown ? result : broken;
    }
  }
  co_return unknown("nothing to ask");
}

}  // namespace

Task<InquiryResult> inquire(const Examination& open, const Plan& plan, const session::Exchange& exchange, Interview& interview,
                            CaptureTime now, ComparerOptions::Reference reference, const sql::Catalogue& catalogue) {
  if (reference == ComparerOptions::Reference::none) co_return unknown("no reference to ask (--reference)");
  Task<InquiryResult> asking = inquire_once(open, plan, exchange, interview, now, catalogue);
  InquiryResult result = co_await asking;
  if (result.finding != Finding::excused || !result.by_rows_below) co_return result;
  // The same rows excuse an order only where both servers mean the same by the statement.
  Task<std::optional<InquiryResult>> checking = ask_whether_they_mean_the_same(open, plan, exchange, catalogue, interview, now);
  std::optional<InquiryResult> apart = co_await checking;
  co_return apart ? std::move(*apart) : std::move(result);
}

}  // namespace darktap::compare
