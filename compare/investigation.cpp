#include "investigation.h"

#include <algorithm>

#include "error_class.h"
#include "investigator.h"
#include "noise.h"
#include "question_sql.h"
#include "server_words.h"
#include "session_state.h"
#include "tie_containment.h"

namespace darktap::compare {

namespace {

using Finding = InquiryResult::Finding;

// The reference may lag behind the source itself: that it sides with the target at first does not mean that the data moved.
constexpr std::chrono::milliseconds reference_patience{200};
constexpr std::chrono::seconds noise_quiet{10};
constexpr std::size_t max_walked = 64;    // more than a ladder has rungs

}  // namespace

Conclusion Investigator::verdict(Cause cause, Level level, Evidence&& extra) const {
  Evidence evidence;
  evidence.append(first_.evidence);
  evidence.append(extra.take_members());
  if (!ladder_.entries().empty()) {
    bool of_time = cause == Cause::read_after_write || cause == Cause::stale_read || cause == Cause::defect || cause == Cause::unexamined;
    if (of_time) write_older_version(evidence.json());
    ladder_.write(evidence.json());
  }
  Conclusion conclusion;
  conclusion.verdict = Verdict{first_.difference, cause, level, object_of(evidence.take_members())};
  conclusion.rules = first_.rules;
  return conclusion;
}

Conclusion Investigator::unexamined(const std::string& reason) const {
  Evidence evidence;
  evidence.json().member("unexamined_because", reason);
  return verdict(Cause::unexamined, Level::assumed, std::move(evidence));
}

// A side changed its mind without a write, on what hangs on an order: lag that nobody saw, or an order that comes out as it likes.
// Between servers that are alike it is the order.
Conclusion Investigator::wavered(const std::string& reason) const {
  if (world_.options.sides != ComparerOptions::Sides::alike) return unexamined(reason + ", no write was seen, and the answer hangs on an order that nothing promised");
  Evidence evidence;
  evidence.json().member("noise", "order_undefined").member("reason", reason + ", and the answer hangs on an order that nothing promised (--aa)");
  return verdict(Cause::nondeterministic, Level::confirmed, std::move(evidence));
}

// One of the three that a server's circumstances bring about: a lock, a kill, a lost connection.
bool Investigator::environmental_error() const {
  const mysql::ServerError* error = first_.difference == Difference::error_only_source ? source_->error() : target_->error();
  return error != nullptr && is_environmental(classify(*error));
}

std::optional<Attribution> Investigator::cause_of_staleness() const {
  return world_.writes.explaining(file_.scope, first_.a.get(), first_.b.get(), &first_.match,
                                  plan_.has_limit ? WriteIndex::Leftovers::of_a_window : WriteIndex::Leftovers::all_rows,
                                  target_held_it_while_stale() ? gtid_write_.get() : nullptr);
}

Conclusion Investigator::skipped(const Attribution& write, Level level) const {
  Evidence evidence;
  if (write.write->replayed == Replayed::applied_anew) {
    evidence.json().member("reason", "this write has values that each server draws for itself (UUID(), RAND() and their like)");
    write_attribution(evidence.json(), write);
    return verdict(Cause::nondeterministic, Level::assumed, std::move(evidence));
  }
  evidence.json().member("reason", write.write->tainted ? "this write was computed from a table whose writes the run left out"
                                   : write.write->lost ? "the target lost this write's transaction: the connection broke, it timed out or was a deadlock's victim"
                                   : write.write->replayed == Replayed::rolled_back ? "the run rolled this write back" : "the run did not send this write");
  write_attribution(evidence.json(), write);
  return verdict(Cause::skipped_write, level, std::move(evidence));
}

// The whole ladder did not bring it.
Conclusion Investigator::stayed_away(const Attribution& write) const {
  if (write.key && !write.write->lost && !target_moved_) world_.target.write_stayed_away();
  return skipped(write, has_reference() && !reference_differs_ ? Level::confirmed : Level::assumed);
}

Conclusion Investigator::undefined_order() const {
  Evidence evidence;
  evidence.append(refutation_);
  return verdict(Cause::order_undefined, Level::confirmed, std::move(evidence));
}

// A replica that has not caught up yet holds the rows that the target should not show any more: both would agree on an order of old ones.
bool Investigator::reference_may_lack_write(CaptureTime now) const {
  auto written = world_.writes.last_before(file_.scope);
  return written && now < *written + reference_patience;
}

// One rung: a conclusion, or nothing where the ladder must go on.
Task<std::optional<Conclusion>> Investigator::weigh(const mysql::Answer& target, CaptureTime agreed, CaptureTime now, Rung rung) {
  latest_ = examine(*source_, target, whole_);
  Examination with_source = latest_;
  bool still_first = unchanged(target), last = rung.place == Rung::Place::last;
  last_chance_ = last;
  const std::size_t refuted_before = refuted_;
  bool agrees = with_source.agrees();
  if (with_source.relation == Relation::open && (now >= next_inquiry_ || rung.target == Rung::Target::moved || last)) {
    Task<bool> task = agrees_after_inquiry(with_source, now, still_first);
    agrees = co_await task;
    if (agrees && still_first && !last && reference_may_lack_write(now)) {
      next_inquiry_ = file_.opened + reference_patience;
      co_return std::nullopt;
    }
    if (agrees && still_first) {
      if (first_.cause == Cause::nondeterministic) {
        Evidence evidence;
        evidence.append(refutation_);
        co_return verdict(Cause::nondeterministic, Level::confirmed, std::move(evidence));
      }
      co_return undefined_order();
    }
  }
  if (agrees) {
    Task<bool> task = still_apart(now);
    bool apart = co_await task;
    if (apart) co_return std::nullopt;
    ladder_.mark_target_agreed();
    Task<bool> asking_gtid = ask_gtid_again();
    co_await asking_gtid;
    if (auto by_replay = by_own_writes(agreed, Agreement::with_source)) co_return std::move(*by_replay);
    co_return behind(agreed, true);
  }
  if (rung.reference == Rung::Reference::not_asked) co_return std::nullopt;
  const mysql::Answer& reference = references_.back();
  Examination with_reference = examine(reference, target, whole_);
  if (reference_differs_) latest_ = with_reference;
  bool sides_agree = with_reference.agrees();
  // Where the first pair was open the source's own choice decides; only where the data have moved on is the reference left to tell.
  bool due = first_.relation != Relation::open && (now >= next_inquiry_ || rung.target == Rung::Target::moved);
  bool moved_on = last && refuted_ == refuted_before && world_.writes.written_since(file_.scope, file_.exchange.request_first);
  if (with_reference.relation == Relation::open && (due || moved_on)) {
    Task<bool> task = agrees_after_inquiry(with_reference, now, false);
    sides_agree = co_await task;
  }
  // A target that lags walks through the reference's earlier answers.
  if (!sides_agree && !still_first)
    sides_agree = std::any_of(references_.begin(), references_.end(), [&](const mysql::Answer& r) { return examine(r, target, whole_).agrees(); });
  // A restored backup lacks the write as the target does: that both agree doesn't mean that the source's data moved.
  if (still_first && (!reference_differs_ || sides_agree) && world_.target.follows() == Follows::no && !copy_has_more_to_tell(sides_agree, last))
    if (auto write = left_out()) co_return skipped(*write, Level::confirmed);
  if (random_rows_differ(plan_, references_)) {
    Evidence evidence;
    write_random_rows(evidence.json(), plan_, references_);
    co_return verdict(Cause::nondeterministic, Level::confirmed, std::move(evidence));
  }
  if (!sides_agree) co_return std::nullopt;
  if (!still_first) {
    Task<bool> task = still_apart(now);
    bool apart = co_await task;
    if (apart) co_return std::nullopt;
    ladder_.mark_target_agreed();
    Task<Conclusion> moving = both_moved(agreed, now);
    co_return co_await moving;
  }
  ladder_.mark_target_agreed();
  auto write = cause_of_staleness();
  bool newer = world_.writes.written_since(file_.scope, file_.exchange.request_first);
  if (write && !write->uncommitted && (last || newer)) {
    // What the answers look like now may be chance: a later write may have brought the first answer back on both sides.
    Task<bool> asking_gtid = ask_gtid_again();
    bool has_it_by_now = co_await asking_gtid;
    if (has_it_by_now && (write->shown || write->key)) {
      last_stale_ = file_.target.sent;
      co_return behind(agreed, true);
    }
  }
  // Neither server ever showed the write that the run left out, and none came after it that could have taken it back (unless the
  // reference is known to get none).
  bool taken_back = newer && !world_.target.reference_stands_still() && !(write && write->uncommitted);
  auto missing = taken_back || world_.target.follows() == Follows::yes ? std::nullopt : left_out();
  if (missing && last) {
    if (!newer) world_.target.reference_lacked_write();
    co_return stayed_away(*missing);
  }
  if (write && write->uncommitted) {
    sides_agree_without_source_ = true;
    if (!last) co_return std::nullopt;
    co_return uncommitted(*write);
  }
  bool patient = now - file_.opened >= reference_patience && (!write || newer) && !missing;
  if (!patient && !last) co_return std::nullopt;
  if (may_agree_by_chance()) {
    Task<bool> task = values_still_apart(now);
    bool apart = co_await task;
    if (apart) co_return std::nullopt;
  }
  if (auto by_replay = by_own_writes(now, Agreement::at_first)) co_return std::move(*by_replay);
  Evidence evidence;
  if (hangs_on_order() || (plan_.has_limit && first_.relation == Relation::open)) co_return wavered("the reference changed its mind");
  bool circumstance = first_.difference == Difference::error_only_source && environmental_error();
  evidence.json().member("reason", circumstance ? "an error of the source's circumstances, gone when the reference was asked"
                                                : "the reference now answers what the target answered at first");
  co_return verdict(circumstance ? Cause::nondeterministic : Cause::data_moved, Level::confirmed, std::move(evidence));
}

// The ladder is at its end, and the target stayed with another answer.
Conclusion Investigator::settle() {
  // Where writes move the data (or moved it, and the reference lags), different answers of the reference are no noise.
  if (!plan_.has_limit && !world_.writes.written_since(file_.scope, file_.exchange.request_first - noise_quiet)) {
    if (auto noisy = noisy_cells(*source_, *target_, references_, plan_)) {
      Evidence evidence;
      evidence.append(*noisy);
      return verdict(Cause::nondeterministic, Level::confirmed, std::move(evidence));
    }
  }
  if (world_.target.follows() != Follows::yes)
    if (auto write = left_out()) return left_out_or_refuted(*write);
  if (auto by_replay = by_own_writes(CaptureTime::max(), Agreement::none)) return std::move(*by_replay);
  if (auto passed = passed_by()) return std::move(*passed);
  bool open = first_.relation == Relation::open || latest_.relation == Relation::open;
  if (refuted_ == 0 && open && !unknown_.empty()) return unexamined(unknown_);
  if (!apart_.empty()) return unexamined(apart_);
  // The rows came to agree, the order did not.
  bool order_is_wrong = latest_.relation == Relation::different || (latest_.relation == Relation::open && order_refuted_);
  if (order_is_wrong && latest_.cause == Cause::order_violated) first_ = latest_;
  if (first_.cause == Cause::unexamined) return verdict(Cause::unexamined, Level::assumed);
  Evidence evidence;
  evidence.append(refutation_);
  write_gtid(evidence.json(), nullptr);
  if (!has_reference()) evidence.json().member("note", "no reference: only the target was asked again");
  else if (reference_differs_) evidence.json().member("note", "the reference answers neither what the source nor what the target did");
  return verdict(first_.cause, Level::confirmed, std::move(evidence));
}

Task<Conclusion> Investigator::climb() {
  std::size_t last = last_rung(world_.options.ladder_limit), rung = 0;
  bool random = is_random(plan_) || world_.noisy.contains(file_.meaning.fingerprint);
  bool reference_due = true;
  Task<bool> asking_gtid = ask_gtid();
  co_await asking_gtid;
  for (;;) {
    CaptureTime due = file_.opened + rung_offset(rung, world_.options.ladder_limit);
    std::vector<Ask> asks;
    asks.push_back({Side::target, file_.exchange.command});
    if (has_reference() && (reference_due || random || rung >= last)) asks.push_back({Side::reference, file_.exchange.command});
    std::vector<Heard> heard = co_await interview_.ask(std::move(asks), due);
    heard.reserve(2);  // what points into it stays good
    const mysql::Answer* target = heard[0].answer();
    if (target == nullptr) co_return unexamined(heard[0].why_not());
    bool moved = !identical(previous_target_ ? *previous_target_ : *target_, *target);
    if (has_reference() && heard.size() == 1 && moved && !examine(*source_, *target, whole_).agrees()) {
      std::vector<Ask> more;
      more.push_back({Side::reference, file_.exchange.command});
      std::vector<Heard> late = co_await interview_.ask(std::move(more), heard[0].answered);
      heard.push_back(std::move(late[0]));
    }
    if (heard.size() > 1) {
      const mysql::Answer* reference = heard[1].answer();
      if (reference == nullptr) co_return unexamined(heard[1].why_not());
      references_.push_back(*reference);
      reference_differs_ = !examine(*source_, *reference, whole_).agrees();
      reference_differed_ = reference_differed_ || reference_differs_;
      ladder_.add({since(file_.opened, heard[1].asked), Side::reference, digest_of(*reference), !reference_differs_});
    }
    ladder_.add({since(file_.opened, heard[0].asked), Side::target, digest_of(*target), false});
    CaptureTime now = heard.back().answered;
    target_moved_ = target_moved_ || moved;
    if (!moved && !walked_.empty()) walked_.back().asked = heard[0].asked;
    else if (walked_.size() < max_walked) walked_.push_back({heard[0].asked, heard[0].answered, *target});
    Rung found{heard.size() > 1 ? Rung::Reference::heard : Rung::Reference::not_asked, moved ? Rung::Target::moved : Rung::Target::stays, rung >= last ? Rung::Place::last : Rung::Place::between};
    Task<std::optional<Conclusion>> weighing = weigh(*target, heard[0].answered, now, found);
    std::optional<Conclusion> conclusion = co_await weighing;
    if (conclusion) co_return std::move(*conclusion);
    if (rung >= last) {
      Task<std::optional<Conclusion>> looking_back = look_back(now);
      std::optional<Conclusion> gone = co_await looking_back;
      if (gone) co_return std::move(*gone);
      Task<bool> waiting = wait_for_copy(now);
      co_await waiting;
      co_return settle();
    }
    last_stale_ = std::max(last_stale_, heard[0].asked);
    // The reference is asked again while it tells another story than the source; else only once the target moves.
    reference_due = reference_differs_;
    previous_target_ = *target;
    do ++rung;
    while (rung < last && file_.opened + rung_offset(rung + 1, world_.options.ladder_limit) <= now);
  }
}

// Where more rows were answered than are kept, a server's answer with the very same rows stands in for the captured one: its
// digests prove it.
Task<bool> Investigator::find_stand_ins() {
  std::vector<Ask> asks;
  asks.push_back({Side::reference, file_.exchange.command});
  asks.push_back({Side::target, file_.exchange.command});
  std::vector<Heard> heard = co_await interview_.ask(std::move(asks), file_.opened);
  auto stands_in = [](const mysql::Answer* answer, const mysql::Answer& captured) {
    if (answer == nullptr || answer->results.size() != 1 || answer->first_rows() == nullptr) return false;
    const mysql::ResultSet &rows = *answer->first_rows(), &old = *captured.first_rows();
    return rows.all_rows_kept() && rows.format == old.format && rows.columns.size() == old.columns.size() && rows.digests().same_multiset(old.digests());
  };
  if (!stands_in(heard[0].answer(), *source_) || heard[1].answer() == nullptr) co_return false;
  source_stand_in_ = *heard[0].answer();
  source_ = &*source_stand_in_;
  // The target's order counts, so that its answer has to be the same, row for row; else it is what is judged now.
  if (!target_->first_rows()->all_rows_kept()) {
    if (!stands_in(heard[1].answer(), *target_)) co_return false;
    target_stand_in_ = *heard[1].answer();
    target_ = &*target_stand_in_;
  }
  co_return true;
}

Task<Conclusion> Investigator::run() {
  first_ = examine(*source_, *target_, whole_);
  if (first_.relation == Relation::different && file_.meaning.statement_class == sql::StatementClass::read && has_reference() && one_result_is_longer_than_kept()) {
    Task<bool> finding = find_stand_ins();
    bool found = co_await finding;
    if (found) {
      first_ = examine(*source_, *target_, whole_);
      Evidence evidence;
      evidence.append(first_.evidence);
      evidence.json().member("rows_from", "the reference, whose answer has the digest of the source's");
      first_.evidence = evidence.take_members();
    }
  }
  if (first_.relation == Relation::same) co_return Conclusion{std::nullopt, first_.rules};
  if (first_.relation == Relation::excused) {
    const auto& accepted = world_.options.accepted_rules;
    bool all_accepted = std::all_of(first_.rules.begin(), first_.rules.end(), [&](std::string_view rule) {
      return std::find(accepted.begin(), accepted.end(), rule) != accepted.end();
    });
    if (first_.cause == Cause::normalization && all_accepted) co_return Conclusion{std::nullopt, first_.rules};
    co_return verdict(first_.cause, Level::proved);
  }
  if (first_.cause == Cause::unsupported) co_return verdict(Cause::unsupported, Level::proved);
  if (auto made = left_out_schema()) co_return skipped(*made, Level::proved);
  if (lacks_a_name() && schema_is_unknown(file_.exchange, file_.meaning)) {
    Evidence evidence;
    evidence.json().member("reason", "the session chose its schema before the capture began; the target was asked in the one that the run's address names");
    co_return verdict(Cause::replay_artifact, Level::proved, std::move(evidence));
  }
  if (plan_.describes_server && tells_of_itself(first_, plan_)) {
    Evidence evidence;
    evidence.json().member("reason", "the server tells of itself: its plans, statistics, settings or storage, not of the data");
    co_return verdict(Cause::nondeterministic, Level::proved, std::move(evidence));
  }
  if (file_.variables.unknown) {
    Evidence evidence;
    StateJudgement judged = judge_user_variable(*file_.variables.unknown, evidence.json());
    co_return verdict(judged.cause, judged.level, std::move(evidence));
  }
  if (plan_.depends_on_session()) {
    Evidence evidence;
    StateJudgement judged = judge_session_state(plan_, file_.history, evidence.json());
    co_return verdict(judged.cause, judged.level, std::move(evidence));
  }
  if (file_.meaning.statement_class != sql::StatementClass::read) co_return without_questions();
  if (world_.target.follows() != Follows::yes)
    if (auto write = world_.writes.timed(file_.scope, first_.a.get(), first_.b.get(), &first_.match)) {
      Evidence evidence;
      evidence.json().member("reason", "both sides show a time at which this write was under way; which one the source's clock showed is in no captured row, so that the target was given the tap's");
      write_attribution(evidence.json(), *write);
      co_return verdict(Cause::nondeterministic, Level::assumed, std::move(evidence));
    }
  Explained how{};
  if (world_.target.follows() == Follows::no)
    if (auto write = left_out(&how); write && write->key && (how == Explained::row_by_row || !world_.target.reference_is_a_copy()))
      co_return skipped(*write, !world_.target.is_inferred() ? Level::proved : has_reference() ? Level::confirmed : Level::assumed);
  if (first_.relation == Relation::open && !cause_of_staleness()) {
    Task<bool> task = agrees_after_inquiry(first_, file_.opened, true);
    bool excused = co_await task;
    if (excused) {
      Evidence evidence;
      evidence.append(refutation_);
      Cause cause = first_.cause == Cause::nondeterministic ? Cause::nondeterministic : Cause::order_undefined;
      co_return verdict(cause, Level::confirmed, std::move(evidence));
    }
  }
  Task<Conclusion> ladder = climb();
  co_return co_await ladder;
}

}  // namespace darktap::compare
