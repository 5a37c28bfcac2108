// The target came to agree later: it was behind. Which write should it have shown, and is that all that it got wrong?
#include <algorithm>

#include "error_class.h"
#include "earlier_window.h"
#include "heard_rows.h"
#include "investigator.h"
#include "hidden_keys.h"
#include "order_check.h"
#include "question_sql.h"
#include "tie_containment.h"
#include "text.h"

namespace darktap::compare {

// The target came to agree: it was behind. Which write should it have shown?
Conclusion Investigator::behind(CaptureTime agreed, bool known_to_be_older) {
  Evidence evidence;
  JsonWriter& json = evidence.json();
  if (environmental_error() && first_.difference == Difference::error_only_target) {
    json.member("reason", "an error of the target's circumstances, gone when it was asked again");
    return verdict(Cause::nondeterministic, Level::confirmed, std::move(evidence));
  }
  auto write = cause_of_staleness();
  if (!write && hangs_on_order()) return wavered("the target came to agree");
  auto racing = world_.writes.racing(file_.scope);
  std::optional<std::string> healed = write ? healed_column() : std::nullopt;
  // A write that the target had applied, and that it answered without all the same, is not what it lacked.
  bool held = !write && target_held_it_while_stale();
  if (!write || healed) {
    if (racing) {
      json.member("racing_write", racing->write->sql);
      json.member("note", "this write was in flight while the source answered: the read could not expect it");
    } else if (healed) {
      json.member("healed_column", *healed).member("healed_by", write->write->sql);
      json.member("note", "the write does not touch this column: a wrong row that it brought into order, or another writer");
    } else if (held) {
      json.member("refuted_write", gtid_write_->sql);
      json.member("note", "the target had applied this write already, and answered otherwise all the same");
      write_gtid(json, nullptr);
    }
    json.member("behind_for_at_least_us", since(file_.exchange.response_last, last_stale_));
    json.member("agreed_after_us", since(file_.exchange.response_last, agreed));
    Conclusion stale = verdict(Cause::stale_read, known_to_be_older || healed || held ? Level::confirmed : Level::assumed, std::move(evidence));
    // Of one table alone it is sure which one was behind.
    if (file_.scope.tables.size() == 1) {
      stale.verdict->staleness = Staleness{written(file_.scope.tables[0].name), std::nullopt,
                                           since(file_.exchange.response_last, last_stale_), since(file_.exchange.response_last, agreed)};
    }
    return stale;
  }
  if (is_ahead_of_replay(*write->write)) return unexamined("a write of the run's own that came to the target after the read explains only some of what differs");
  if (write->write->kept) world_.target.seen_to_lag();
  if (write->write->replayed == Replayed::not_sent && !write->write->lost) world_.target.write_arrived();
  write_attribution(json, *write);
  Staleness staleness = staleness_of(*write, agreed);
  json.key("staleness_us").begin_array().number(staleness.stale_us).number(*staleness.agreed_us).end_array();
  write_gtid(json, write->write.get());
  // It lacked the very write, has it now, and agrees: where the write is the row's own, nothing is left to doubt.
  bool proved = !gtid_.empty() && write->write->gtid == gtid_ && !gtid_at_first_ && gtid_when_agreed_.value_or(false) && (write->shown || write->key);
  Conclusion conclusion = verdict(Cause::read_after_write, proved ? Level::proved : Level::confirmed, std::move(evidence));
  conclusion.verdict->staleness = std::move(staleness);
  return conclusion;
}

namespace {

// The same row on the other side: its first column or one that a unique key is made of says so, and of no other row.
std::optional<std::size_t> the_same_row(const Table& a, std::size_t row_a, const Table& b, const std::vector<std::size_t>& rows_b) {
  if (a.rows.size() == 1 && rows_b.size() == 1) return rows_b.front();
  for (std::size_t c = 0; c < a.columns.size() && c < b.columns.size(); ++c) {
    bool tells = c == 0 || (a.columns[c].flags & (mysql::column_flag::primary_key | mysql::column_flag::unique_key)) != 0;
    if (!tells) continue;
    std::optional<std::size_t> same;
    std::size_t found = 0;
    for (std::size_t row_b : rows_b)
      if (a.rows[row_a][c] == b.rows[row_b][c]) same = row_b, ++found;
    if (found == 1) return same;
  }
  return std::nullopt;
}

}  // namespace

// A row that differs in a column which no write touched was wrong before: replication by full row images mends it.
std::optional<std::string> Investigator::healed_column() const {
  if (!first_.a || !first_.b || first_.match.only_a.size() != first_.match.only_b.size() || plan_.has_limit) return std::nullopt;
  const Table &a = *first_.a, &b = *first_.b;
  for (std::size_t row_a : first_.match.only_a) {
    std::optional<std::size_t> partner = the_same_row(a, row_a, b, first_.match.only_b);
    if (!partner) continue;
    for (std::size_t c = 0; c < a.columns.size(); ++c) {
      const mysql::Column& column = a.columns[c];
      TypeFamily family = family_of(column);
      bool bare = !plan_.columns[c].item || !plan_.shape.items[*plan_.columns[c].item].column.empty();
      bool plain = bare && !column.org_name.empty() && !column.org_table.empty() && family != TypeFamily::datetime;  // ON UPDATE CURRENT_TIMESTAMP
      if (!plain || compare_cells(a.rows[row_a][c], column, b.rows[*partner][c], b.columns[c], plan_.columns[c]).match != CellMatch::different) continue;
      if (!world_.writes.touches_column(file_.scope, lower(column.org_name), a, row_a)) return column.name;
    }
  }
  return std::nullopt;
}

// The whole lists, their keys beside them: does the target sort at all? Evidence goes to refutation_.
Task<bool> Investigator::list_is_out_of_order(const Table& reference, const Table& target, CaptureTime now) {
  if (!plan_.has_order || plan_.random_order) co_return false;
  const Table *with_keys = &reference, *of_target = &target;
  std::optional<Table> asked_reference, asked_target;
  std::vector<std::size_t> keys;
  Evidence evidence;
  if (plan_.keys_projected()) {
    for (const auto& key : plan_.keys) keys.push_back(*key);
  } else {
    auto question = whole_list_with_keys(file_.exchange.command, plan_, max_question_rows);
    if (!question) co_return false;
    evidence.json().member("key_question", quoted_sql(question->text, plan_.collation));
    std::vector<Ask> asks;
    asks.push_back({Side::reference, *question});
    asks.push_back({Side::target, std::move(*question)});
    std::vector<Heard> heard = co_await interview_.ask(std::move(asks), now);
    asked_reference = rows_heard(heard[0]);
    asked_target = rows_heard(heard[1]);
    if (!asked_reference || !asked_target || asked_reference->columns.size() <= plan_.columns.size() || asked_target->columns.size() != asked_reference->columns.size()) co_return false;
    with_keys = &*asked_reference;
    of_target = &*asked_target;
    keys = columns_from(plan_.columns.size(), *with_keys);
  }
  // Texts sort as their collation will: the reference's list shows how, where both hold as many rows.
  std::optional<std::size_t> other_key;
  // Where any row of a group may give the key, each server has its own.
  bool own_keys = !plan_.keys_projected() && keys_hang_on_rows(plan_, world_.catalogue, file_.exchange.schema);
  bool same_rows = !own_keys && match_rows(reference, target, plan_.columns).complete() && with_keys->rows.size() == of_target->rows.size();
  for (std::size_t row = 0; same_rows && row < with_keys->rows.size() && !other_key; ++row) {
    for (std::size_t c : keys) {
      const mysql::Cell &x = with_keys->rows[row][c], &y = of_target->rows[row][c];
      bool text = !x.is_null && !y.is_null && is_text(family_of(with_keys->columns[c]));
      if (compare_cells(x, with_keys->columns[c], y, of_target->columns[c], {}).match == CellMatch::different && !(text && may_be_equal(x.text, y.text))) other_key = row;
    }
  }
  if (!other_key && !out_of_order(*of_target, keys, plan_)) co_return false;
  evidence.json().member("whole_list_out_of_order", true);
  if (other_key) evidence.json().member("first_violation_row", *other_key);
  refutation_ = evidence.take_members();
  co_return true;
}

// Both sides agree now, but under a LIMIT that may only mean that a later write has moved the window off the rows that
// differ. Where those are still on one side only, or the whole lists still differ, nothing has healed.
Task<bool> Investigator::still_apart(CaptureTime now) {
  if (may_agree_by_chance()) {
    Task<bool> values = values_still_apart(now);
    bool apart = co_await values;
    co_return apart;
  }
  if (!plan_.has_limit || !has_reference() || !first_.a) co_return false;
  if (now < next_list_question_) co_return true;
  next_list_question_ = now + inquiry_pause;
  auto list = whole_list(file_.exchange.command, plan_, max_question_rows);
  if (!list) co_return false;
  std::vector<mysql::Command> questions;
  questions.push_back(std::move(*list));
  Task<Choices> asking = ask_choices(plan_, std::move(questions), interview_, now);
  Choices choices = co_await asking;
  if (!choices.reason.empty() || !choices.whole) co_return false;
  std::vector<ColumnPlan> columns = without_leeway_columns(plan_, first_.a->columns);
  InquiryResult contained = check_containment(first_, plan_, columns, choices);
  bool window_may_have_moved = world_.writes.written_since(file_.scope, file_.exchange.request_first);
  bool lists_differ = window_may_have_moved && !match_rows(*choices.reference_tables[0], *choices.target_tables[0], columns).complete();
  if (contained.finding != InquiryResult::Finding::refuted && window_may_have_moved) {
    Task<bool> ordering = list_is_out_of_order(*choices.reference_tables[0], *choices.target_tables[0], now);
    bool violated = co_await ordering;
    if (violated) {
      apart_.clear();
      ++refuted_;
      first_.cause = Cause::order_violated;
      co_return true;
    }
  }
  if (contained.finding != InquiryResult::Finding::refuted && !lists_differ) co_return false;
  if (contained.finding == InquiryResult::Finding::refuted) {
    refutation_ = std::move(contained.evidence);
    apart_.clear();
  } else if (refuted_ == 0) {
    apart_ = "the windows came to agree after a later write, the whole lists without LIMIT did not";
  }
  co_return true;
}

// The windows never agreed, but the target has moved. Is what differed at first still on one side only?
Task<std::optional<Conclusion>> Investigator::look_back(CaptureTime now) {
  using Finding = InquiryResult::Finding;
  if (!plan_.has_limit || !has_reference() || !first_.a || !target_moved_) co_return std::nullopt;
  auto list = whole_list(file_.exchange.command, plan_, max_question_rows);
  if (!list) co_return std::nullopt;
  std::vector<mysql::Command> questions;
  questions.push_back(std::move(*list));
  Task<Choices> asking = ask_choices(plan_, std::move(questions), interview_, now);
  Choices choices = co_await asking;
  Task<std::optional<Conclusion>> earlier = window_moved_on(now);
  if (!choices.reason.empty()) co_return co_await earlier;
  std::vector<ColumnPlan> columns = without_leeway_columns(plan_, first_.a->columns);
  InquiryResult contained = check_containment(first_, plan_, columns, choices);
  if (contained.finding == Finding::refuted) {
    refutation_ = std::move(contained.evidence);
    ++refuted_;
    co_return std::nullopt;
  }
  if (contained.finding != Finding::excused || !choices.whole) co_return co_await earlier;
  const Table &reference = *choices.reference_tables[0], &target = *choices.target_tables[0];
  Task<bool> ordering = list_is_out_of_order(reference, target, now);
  bool violated = co_await ordering;
  if (violated) {
    first_.cause = Cause::order_violated;
    co_return std::nullopt;
  }
  if (!match_rows(reference, target, columns).complete()) {
    if (!world_.writes.written_since(file_.scope, file_.exchange.request_first)) co_return std::nullopt;
    std::optional<Conclusion> explained = co_await earlier;
    if (explained) co_return std::move(*explained);
    co_return unexamined("what differed at first is on both sides by now, and later writes move the rest");
  }
  if (auto by_replay = by_own_writes(now, Agreement::with_reference)) co_return std::move(*by_replay);
  if (cause_of_staleness()) co_return behind(now, true);
  co_return wavered("what differed at first is on both sides by now");
}

// Later writes move the window: the target may never show the source's rows. Then its first answer has to be the window of an earlier
// moment, and both servers have to hold the rows in question alike by now.
Task<std::optional<Conclusion>> Investigator::window_moved_on(CaptureTime now) {
  auto write = cause_of_staleness();
  bool may_be = is_window(plan_) && has_reference() && first_.a && first_.b && target_moved_ && write && !write->uncommitted && !is_ahead_of_replay(*write->write);
  if (!may_be) co_return std::nullopt;
  const std::size_t rows = std::min<std::size_t>(std::min<std::uint64_t>(*plan_.limit, max_question_rows) + window_rows_beyond, max_question_rows);
  const mysql::Command& original = file_.exchange.command;
  auto question = plan_.keys_projected() ? whole_list(original, plan_, rows) : whole_list_with_keys(original, plan_, rows);
  if (!question) co_return std::nullopt;
  std::vector<mysql::Command> questions;
  questions.push_back(*question);
  std::vector<Heard> heard = co_await interview_.ask(of_both_sides(questions), now);
  const std::optional<Table> reference = rows_heard(heard[0]), target = rows_heard(heard[1]);
  auto writes = world_.writes.dated(file_.scope, max_window_writes);
  if (!reference || !target || !writes) co_return std::nullopt;
  std::vector<std::size_t> keys;
  if (plan_.keys_projected())
    for (const auto& key : plan_.keys) keys.push_back(*key);
  else keys = columns_from(plan_.columns.size(), *reference);
  auto earlier = find_earlier_window(first_, plan_, world_.catalogue, *writes, {*reference, *target, std::move(keys)});
  if (!earlier || by_own_writes(now, Agreement::with_reference)) co_return std::nullopt;
  Evidence evidence;
  evidence.append(first_.evidence);
  JsonWriter& json = evidence.json();
  json.key("earlier_window").begin_object().member("key_question", quoted_sql(question->text, plan_.collation)).key("met_last");
  if (earlier->last) json.begin_object().member("session", earlier->last->id.session.value).member("seq", earlier->last->id.seq).end_object();
  else json.null();
  json.member("lacked_writes", earlier->lacked);
  json.member("note", "the target's rows are the window as it was after that write; later writes moved it on before the target showed the source's, and both servers hold the rows in question alike by now");
  json.end_object();
  first_.evidence = evidence.take_members();
  // It was surely behind for as long as it stayed with its first answer.
  last_stale_ = file_.target.sent;
  for (const Answered& step : walked_)
    if (identical(step.answer, file_.target.answer)) last_stale_ = step.asked;
    else break;
  Task<bool> asking_gtid = ask_gtid_again();
  co_await asking_gtid;
  co_return behind(now, true);
}

// Target and reference agree on a third answer. Was the first one older than the source's, or newer?
Task<Conclusion> Investigator::both_moved(CaptureTime agreed, CaptureTime now) {
  // The first answer came from inside a transaction: that the others, asked since, have another is no change of mind.
  if (world_.target.follows() != Follows::yes && world_.writes.own_to_be_rolled_back(file_.scope))
    if (auto write = left_out()) co_return skipped(*write, Level::assumed);
  Task<bool> asking_gtid = ask_gtid_again();
  co_await asking_gtid;
  bool was_newer = std::any_of(references_.begin(), references_.end(), [&](const mysql::Answer& r) { return examine(r, *target_, whole_).agrees(); });
  bool nothing_newer = !world_.writes.written_since(file_.scope, file_.exchange.request_first);
  bool source_held = !references_.empty() && examine(*source_, references_.front(), whole_).agrees();
  // Under a LIMIT a later write may move the window so that both agree by chance: the target never showed the source's answer.
  if (plan_.has_limit && !nothing_newer && source_held) {
    Task<std::optional<Conclusion>> moving = window_moved_on(now);
    std::optional<Conclusion> earlier = co_await moving;
    if (earlier) co_return std::move(*earlier);
    co_return unexamined("the window moved on before the target showed the source's rows");
  }
  if (hangs_on_order() && !cause_of_staleness()) co_return wavered("both sides changed their minds");
  if (auto by_replay = by_own_writes(agreed, Agreement::with_reference)) co_return std::move(*by_replay);
  if (!was_newer && (source_held || nothing_newer || cause_of_staleness())) co_return behind(agreed, source_held || nothing_newer);
  Evidence evidence;
  evidence.json().member("reason", "the reference left the source's answer too");
  co_return verdict(Cause::data_moved, Level::confirmed, std::move(evidence));
}

// The reading session's own open transaction: the others can't see what it wrote until it commits.
Conclusion Investigator::uncommitted(const Attribution& write) const {
  Evidence evidence;
  write_attribution(evidence.json(), write);
  Staleness staleness = staleness_of(write, std::nullopt);
  evidence.json().key("staleness_us").begin_array().number(staleness.stale_us).null().end_array();
  evidence.json().member("reason", "the reference does not show this uncommitted write either");
  Conclusion conclusion = verdict(Cause::read_after_write, Level::confirmed, std::move(evidence));
  conclusion.verdict->staleness = std::move(staleness);
  return conclusion;
}

}  // namespace darktap::compare
