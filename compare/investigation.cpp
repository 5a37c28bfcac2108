#include "investigation.h"

#include <algorithm>
#include <array>

#include "error_class.h"
#include "evidence.h"
#include "inquiry.h"
#include "ladder.h"
#include "noise.h"
#include "question_sql.h"
#include "session_state.h"
#include "tie_containment.h"

namespace darktap::compare {

namespace {

using Finding = InquiryResult::Finding;

// The reference may lag behind the source itself: that it sides with the target at first does not mean that the data moved.
constexpr std::chrono::milliseconds reference_patience{200};
constexpr std::chrono::seconds noise_quiet{10};
constexpr std::size_t max_inquiries = 8;  // of one case
// A refuted excuse is looked at again, since a target that lags may come to hold the rows that it lacked.
constexpr std::chrono::milliseconds inquiry_pause{1000};

std::int64_t since(CaptureTime from, CaptureTime to) { return to_microseconds(to - from); }

// What a rung of the ladder brought.
struct Rung {
  enum class Reference : std::uint8_t { not_asked, heard } reference = Reference::not_asked;
  enum class Target : std::uint8_t { stays, moved } target = Target::stays;  // since the rung before
  enum class Place : std::uint8_t { between, last } place = Place::between;
};

class Investigator {
 public:
  Investigator(const CaseFile& file, Interview& interview, World world)
      : file_(file), interview_(interview), world_(world), source_(file.exchange.answer), target_(file.target.answer), plan_(file.plan),
        last_stale_(file.target.sent) {}

  Task<Conclusion> run();

 private:
  Task<Conclusion> climb();
  Task<std::optional<Conclusion>> weigh(const mysql::Answer& target, CaptureTime agreed, CaptureTime now, Rung rung);
  Task<bool> still_apart(CaptureTime now);
  Task<bool> agrees_after_inquiry(const Examination& pair, CaptureTime now, bool is_first_pair);

  Conclusion verdict(Cause cause, Level level, Evidence&& extra = {}) const;
  Conclusion unexamined(const std::string& reason) const;
  Conclusion without_questions() const;
  Conclusion undefined_order() const;
  Conclusion behind(CaptureTime agreed, bool known_to_be_older);
  Conclusion both_moved(CaptureTime agreed);
  Conclusion skipped(const Attribution& write, Level level) const;
  Conclusion uncommitted(const Attribution& write) const;
  Conclusion settle();

  bool has_reference() const { return world_.options.reference == ComparerOptions::Reference::available; }
  bool unchanged(const mysql::Answer& target) const { return identical(target_, target) || examine(target_, target, plan_).agrees(); }
  std::optional<Attribution> cause_of_staleness() const;
  std::optional<Attribution> left_out() const { return world_.writes.skipped(file_.scope, first_.a.get(), first_.b.get(), leftovers()); }
  // Under a LIMIT a write moves other rows into the window: the leftovers don't have to hold its own.
  const RowMatch* leftovers() const { return plan_.has_limit ? nullptr : &first_.match; }
  bool environmental_error() const;
  void write_attribution(JsonWriter& json, const Attribution& write) const;

  const CaseFile& file_;
  Interview& interview_;
  World world_;
  const mysql::Answer &source_, &target_;
  const Plan& plan_;
  Examination first_, latest_;  // latest_: the target's last answer against the authority's
  Ladder ladder_;
  std::vector<mysql::Answer> references_;  // in the order of asking
  std::optional<mysql::Answer> previous_target_;
  CaptureTime last_stale_;                 // when the target was last seen with an answer that didn't agree
  std::size_t inquiries_ = 0;
  CaptureTime next_inquiry_{};
  CaptureTime next_list_question_{};        // about the whole lists
  std::size_t refuted_ = 0;
  bool order_refuted_ = false;             // the last inquiry found the order itself wrong
  bool reference_differs_ = false;         // from the source's answer, when it was last asked
  bool sides_agree_without_source_ = false;
  std::string unknown_, apart_;  // why nothing could be settled: the excuse was open; the whole lists still differ
  std::string refutation_;       // what the last settled inquiry showed
};

Conclusion Investigator::verdict(Cause cause, Level level, Evidence&& extra) const {
  Evidence evidence;
  evidence.append(first_.evidence);
  evidence.append(extra.take_members());
  if (!ladder_.entries().empty()) ladder_.write(evidence.json());
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

// One of the three that a server's circumstances bring about: a lock, a kill, a lost connection.
bool Investigator::environmental_error() const {
  const mysql::ServerError* error = first_.difference == Difference::error_only_source ? source_.error() : target_.error();
  return error != nullptr && is_environmental(classify(*error));
}

std::optional<Attribution> Investigator::cause_of_staleness() const {
  return world_.writes.explaining(file_.scope, first_.a.get(), first_.b.get(), leftovers());
}

void Investigator::write_attribution(JsonWriter& json, const Attribution& found) const {
  const SeenWrite& write = *found.write;
  CaptureTime visible = !found.uncommitted && write.committed ? *write.committed : write.ok;
  json.key("write").begin_object().member("session", write.id.session.value).member("seq", write.id.seq).member("sql", write.sql);
  json.member("table", found.table.first.empty() ? found.table.second : found.table.first + "." + found.table.second).key("key");
  if (found.key) json.string(*found.key);
  else json.null();
  json.member("age_us", since(visible, file_.exchange.request_first)).end_object();
  json.member("attribution", found.session == Attribution::Session::own ? "own_session" : "other_session");
  if (found.uncommitted) json.member("uncommitted", true);
}

Conclusion Investigator::skipped(const Attribution& write, Level level) const {
  Evidence evidence;
  evidence.json().member("reason", write.write->replayed == Replayed::rolled_back ? "the run rolled this write back" : "the run did not send this write");
  write_attribution(evidence.json(), write);
  return verdict(Cause::skipped_write, level, std::move(evidence));
}

// The target came to agree: it was behind. Which write should it have shown?
Conclusion Investigator::behind(CaptureTime agreed, bool known_to_be_older) {
  Evidence evidence;
  JsonWriter& json = evidence.json();
  if (environmental_error() && first_.difference == Difference::error_only_target) {
    json.member("reason", "an error of the target's circumstances, gone when it was asked again");
    return verdict(Cause::nondeterministic, Level::confirmed, std::move(evidence));
  }
  auto write = cause_of_staleness();
  if (!write) {
    if (auto racing = world_.writes.racing(file_.scope)) {
      json.member("racing_write", racing->write->sql);
      json.member("note", "this write was in flight while the source answered: the read could not expect it");
    }
    json.member("behind_for_at_least_us", since(file_.exchange.response_last, last_stale_));
    json.member("agreed_after_us", since(file_.exchange.response_last, agreed));
    return verdict(Cause::stale_read, known_to_be_older ? Level::confirmed : Level::assumed, std::move(evidence));
  }
  if (write->write->replayed == Replayed::not_sent && world_.target_follows == Follows::unknown) world_.target_follows = Follows::yes;
  write_attribution(json, *write);
  CaptureTime visible = !write->uncommitted && write->write->committed ? *write->write->committed : write->write->ok;
  json.key("staleness_us").begin_array().number(since(visible, last_stale_)).number(since(visible, agreed)).end_array();
  return verdict(Cause::read_after_write, Level::confirmed, std::move(evidence));
}

// Target and reference agree on a third answer. Was the first one older than the source's, or newer?
Conclusion Investigator::both_moved(CaptureTime agreed) {
  bool was_newer = std::any_of(references_.begin(), references_.end(), [&](const mysql::Answer& r) { return examine(r, target_, plan_).agrees(); });
  bool nothing_newer = !world_.writes.written_since(file_.scope, file_.exchange.request_first);
  bool source_held = !references_.empty() && examine(source_, references_.front(), plan_).agrees();
  if (!was_newer && (source_held || nothing_newer || cause_of_staleness())) return behind(agreed, source_held || nothing_newer);
  Evidence evidence;
  evidence.json().member("reason", "the reference left the source's answer too");
  return verdict(Cause::data_moved, Level::confirmed, std::move(evidence));
}

// The reading session's own open transaction: the others can't see what it wrote until it commits.
Conclusion Investigator::uncommitted(const Attribution& write) const {
  Evidence evidence;
  write_attribution(evidence.json(), write);
  evidence.json().key("staleness_us").begin_array().number(since(write.write->ok, last_stale_)).null().end_array();
  evidence.json().member("reason", "the reference does not show this uncommitted write either");
  return verdict(Cause::read_after_write, Level::confirmed, std::move(evidence));
}

Conclusion Investigator::undefined_order() const {
  Evidence evidence;
  evidence.append(refutation_);
  return verdict(Cause::order_undefined, Level::confirmed, std::move(evidence));
}

// What can't be asked again is judged by the two answers.
Conclusion Investigator::without_questions() const {
  if (auto write = left_out(); write && world_.target_follows != Follows::yes) return skipped(*write, Level::assumed);
  bool about_rows = first_.a != nullptr || first_.relation == Relation::open;
  if (about_rows || first_.cause == Cause::unexamined) return unexamined("the statement is no plain read: it is not asked again");
  return verdict(first_.cause, first_.cause == Cause::replay_artifact ? Level::assumed : Level::proved);
}

// An open pair is put to the servers; every further one of a case only while that is polite.
Task<bool> Investigator::agrees_after_inquiry(const Examination& pair, CaptureTime now, bool is_first_pair) {
  if (inquiries_ >= max_inquiries) co_return false;
  ++inquiries_;
  Task<InquiryResult> task = inquire(pair, plan_, file_.exchange, interview_, now, world_.options.reference);
  InquiryResult result = co_await task;
  next_inquiry_ = now + (result.finding == Finding::unknown ? inquiry_pause / 4 : inquiry_pause);
  order_refuted_ = result.finding == Finding::refuted && result.cause == Cause::order_violated;
  if (result.finding == Finding::unknown) {
    // What was refuted twice, while the target stays with its answer, is not made open by data that moves meanwhile.
    if (refuted_ < 2) unknown_ = result.reason;
    co_return false;
  }
  if (!is_first_pair) co_return result.finding == Finding::excused;
  unknown_.clear();
  refutation_ = std::move(result.evidence);
  if (result.finding == Finding::refuted) ++refuted_;
  if (order_refuted_) first_.cause = Cause::order_violated;
  if (result.finding == Finding::excused && result.cause == Cause::nondeterministic) first_.cause = Cause::nondeterministic;
  co_return result.finding == Finding::excused;
}

// Both sides agree now, but under a LIMIT that may only mean that a later write has moved the window off the rows that
// differ. Where those are still on one side only, or the whole lists still differ, nothing has healed.
Task<bool> Investigator::still_apart(CaptureTime now) {
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
  InquiryResult contained = check_containment(first_, plan_, choices);
  bool window_may_have_moved = world_.writes.written_since(file_.scope, file_.exchange.request_first);
  bool lists_differ = window_may_have_moved && choices.reference != choices.target;
  if (contained.finding != Finding::refuted && !lists_differ) co_return false;
  if (contained.finding == Finding::refuted) {
    refutation_ = std::move(contained.evidence);
    apart_.clear();
  } else {
    apart_ = "the windows came to agree after a later write, the whole lists without LIMIT did not";
  }
  co_return true;
}

// One rung: a conclusion, or nothing where the ladder must go on.
Task<std::optional<Conclusion>> Investigator::weigh(const mysql::Answer& target, CaptureTime agreed, CaptureTime now, Rung rung) {
  latest_ = examine(source_, target, plan_);
  Examination with_source = latest_;
  bool still_first = unchanged(target), last = rung.place == Rung::Place::last;
  bool agrees = with_source.agrees();
  if (with_source.relation == Relation::open && (now >= next_inquiry_ || rung.target == Rung::Target::moved || last)) {
    Task<bool> task = agrees_after_inquiry(with_source, now, still_first);
    agrees = co_await task;
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
    co_return behind(agreed, true);
  }
  if (rung.reference == Rung::Reference::not_asked) co_return std::nullopt;
  const mysql::Answer& reference = references_.back();
  Examination with_reference = examine(reference, target, plan_);
  if (reference_differs_) latest_ = with_reference;
  bool sides_agree = with_reference.agrees();
  if (with_reference.relation == Relation::open && first_.relation != Relation::open) {
    Task<bool> task = agrees_after_inquiry(with_reference, now, false);
    sides_agree = co_await task;
  }
  // A target that lags walks through the reference's earlier answers.
  if (!sides_agree && !still_first)
    sides_agree = std::any_of(references_.begin(), references_.end(), [&](const mysql::Answer& r) { return examine(r, target, plan_).agrees(); });
  if (!reference_differs_ && still_first && world_.target_follows == Follows::no)
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
    co_return both_moved(agreed);
  }
  ladder_.mark_target_agreed();
  auto write = cause_of_staleness();
  if (write && write->uncommitted) {
    sides_agree_without_source_ = true;
    if (!last) co_return std::nullopt;
    co_return uncommitted(*write);
  }
  bool newer = world_.writes.written_since(file_.scope, file_.exchange.request_first);
  bool patient = now - file_.opened >= reference_patience && (!write || newer);
  if (!patient && !last) co_return std::nullopt;
  Evidence evidence;
  bool circumstance = first_.difference == Difference::error_only_source && environmental_error();
  evidence.json().member("reason", circumstance ? "an error of the source's circumstances, gone when the reference was asked"
                                                : "the reference now answers what the target answered at first");
  co_return verdict(circumstance ? Cause::nondeterministic : Cause::data_moved, Level::confirmed, std::move(evidence));
}

// The ladder is at its end, and the target stayed with another answer.
Conclusion Investigator::settle() {
  // Where writes move the data (or moved it, and the reference lags), different answers of the reference are no noise.
  if (!plan_.has_limit && !world_.writes.written_since(file_.scope, file_.exchange.request_first - noise_quiet)) {
    if (auto noisy = noisy_cells(source_, target_, references_, plan_)) {
      Evidence evidence;
      evidence.append(*noisy);
      return verdict(Cause::nondeterministic, Level::confirmed, std::move(evidence));
    }
  }
  if (world_.target_follows != Follows::yes)
    if (auto write = left_out()) return skipped(*write, has_reference() && !reference_differs_ ? Level::confirmed : Level::assumed);
  bool open = first_.relation == Relation::open || latest_.relation == Relation::open;
  if (refuted_ == 0 && open && !unknown_.empty()) return unexamined(unknown_);
  if (!apart_.empty()) return unexamined(apart_);
  // The rows came to agree, the order did not.
  bool order_is_wrong = latest_.relation == Relation::different || (latest_.relation == Relation::open && order_refuted_);
  if (order_is_wrong && latest_.cause == Cause::order_violated) first_ = latest_;
  if (first_.cause == Cause::unexamined) return verdict(Cause::unexamined, Level::assumed);
  Evidence evidence;
  evidence.append(refutation_);
  if (!has_reference()) evidence.json().member("note", "no reference: only the target was asked again");
  else if (reference_differs_) evidence.json().member("note", "the reference answers neither what the source nor what the target did");
  return verdict(first_.cause, Level::confirmed, std::move(evidence));
}

Task<Conclusion> Investigator::climb() {
  std::size_t last = last_rung(world_.options.ladder_limit), rung = 0;
  bool random = is_random(plan_);
  bool reference_due = true;
  for (;;) {
    CaptureTime due = file_.opened + rung_offset(rung, world_.options.ladder_limit);
    std::vector<Ask> asks;
    asks.push_back({Side::target, file_.exchange.command});
    if (has_reference() && (reference_due || random || rung >= last)) asks.push_back({Side::reference, file_.exchange.command});
    std::vector<Heard> heard = co_await interview_.ask(std::move(asks), due);
    heard.reserve(2);  // what points into it stays good
    const mysql::Answer* target = heard[0].answer();
    if (target == nullptr) co_return unexamined(heard[0].why_not());
    bool moved = !identical(previous_target_ ? *previous_target_ : target_, *target);
    if (has_reference() && heard.size() == 1 && moved && !examine(source_, *target, plan_).agrees()) {
      std::vector<Ask> more;
      more.push_back({Side::reference, file_.exchange.command});
      std::vector<Heard> late = co_await interview_.ask(std::move(more), heard[0].answered);
      heard.push_back(std::move(late[0]));
    }
    if (heard.size() > 1) {
      const mysql::Answer* reference = heard[1].answer();
      if (reference == nullptr) co_return unexamined(heard[1].why_not());
      references_.push_back(*reference);
      reference_differs_ = !examine(source_, *reference, plan_).agrees();
      ladder_.add({since(file_.opened, heard[1].asked), Side::reference, digest_of(*reference), !reference_differs_});
    }
    ladder_.add({since(file_.opened, heard[0].asked), Side::target, digest_of(*target), false});
    CaptureTime now = heard.back().answered;
    Rung found{heard.size() > 1 ? Rung::Reference::heard : Rung::Reference::not_asked, moved ? Rung::Target::moved : Rung::Target::stays, rung >= last ? Rung::Place::last : Rung::Place::between};
    Task<std::optional<Conclusion>> weighing = weigh(*target, heard[0].answered, now, found);
    std::optional<Conclusion> conclusion = co_await weighing;
    if (conclusion) co_return std::move(*conclusion);
    if (rung >= last) co_return settle();
    last_stale_ = std::max(last_stale_, heard[0].asked);
    // The reference is asked again while it tells another story than the source; else only once the target moves.
    reference_due = reference_differs_;
    previous_target_ = *target;
    do ++rung;
    while (rung < last && file_.opened + rung_offset(rung + 1, world_.options.ladder_limit) <= now);
  }
}

Task<Conclusion> Investigator::run() {
  first_ = examine(source_, target_, plan_);
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
  if (plan_.depends_on_session()) {
    Evidence evidence;
    StateJudgement judged = judge_session_state(plan_, file_.history, evidence.json());
    co_return verdict(judged.cause, judged.level, std::move(evidence));
  }
  if (file_.meaning.statement_class != sql::StatementClass::read) co_return without_questions();
  if (world_.target_follows == Follows::no)
    if (auto write = left_out(); write && write->key) co_return skipped(*write, Level::proved);
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

}  // namespace

Task<Conclusion> investigate(const CaseFile& file, Interview& interview, World world) {
  Investigator investigator(file, interview, world);
  Task<Conclusion> story = investigator.run();
  co_return co_await story;
}

}  // namespace darktap::compare
