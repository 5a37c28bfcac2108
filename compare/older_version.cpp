// Witnesses from the capture: the target's answer is what production answered before, or what an earlier write had left in the row.
#include "base/time.h"
#include "investigator.h"

namespace darktap::compare {

void Investigator::write_older_version(JsonWriter& json) const {
  if (const auto& version = file_.older) {
    json.key("older_version").begin_object().member("witness", "read").member("session", version->read.session.value).member("seq", version->read.seq);
    json.member("time", to_rfc3339(version->to)).end_object();
    return;
  }
  if (plan_.has_limit) return;
  auto shown = world_.writes.shown_by_target(file_.scope, first_.a.get(), first_.b.get(), &first_.match);
  if (!shown) return;
  const SeenWrite& write = *shown->write;
  json.key("older_version").begin_object().member("witness", "write").member("session", write.id.session.value).member("seq", write.id.seq);
  json.member("time", to_rfc3339(write.ok)).member("sql", write.sql).end_object();
}

// A row that is written faster than it is asked for never stands still: the target agrees with nobody, although it follows. It
// showed what production showed before the read, and then what production showed after it: it has passed the read's version.
// A target that stays with its answer, or comes to one that production never gave, passes nothing.
std::optional<Conclusion> Investigator::passed_by() const {
  if (!target_moved_ || plan_.has_limit || may_agree_by_chance() || first_.relation != Relation::different || walked_.empty()) return std::nullopt;
  auto write = cause_of_staleness();
  if (!write || write->uncommitted || healed_column() || is_ahead_of_replay(*write->write)) return std::nullopt;
  if (!file_.older) return std::nullopt;
  CaptureTime last_stale = file_.target.sent;
  std::optional<CaptureTime> passed;
  for (const Answered& step : walked_) {
    bool newer = world_.versions.newer(file_.exchange, step.answer).has_value();
    if (newer && !passed) passed = step.answered;
    if (!newer && passed) return std::nullopt;
    if (!newer) {
      bool is_first = identical(step.answer, file_.target.answer);
      if (!is_first && !world_.versions.older(file_.exchange, step.answer)) return std::nullopt;
      last_stale = step.asked;
    }
  }
  if (!passed) return std::nullopt;
  Evidence evidence;
  JsonWriter& json = evidence.json();
  json.member("reason", "the row never stood still: the target showed what production had answered before the read, then what it answered after it");
  write_attribution(json, *write);
  Staleness staleness = staleness_of(*write, passed);
  staleness.stale_us = since(visible_from(*write), last_stale);
  json.key("staleness_us").begin_array().number(staleness.stale_us).number(*staleness.agreed_us).end_array();
  write_gtid(json, write->write.get());
  Conclusion conclusion = verdict(Cause::read_after_write, Level::confirmed, std::move(evidence));
  conclusion.verdict->staleness = std::move(staleness);
  return conclusion;
}

}  // namespace darktap::compare
