// In a run that sends writes, both sides meet each of them at another moment: what follows from that, and what does not. An overlap in
// time proves nothing: a wrong row may lie in the same table. It is the replay's order where nothing else can have made the difference
// go away, or where production itself answered so before or after.
#include "investigator.h"

namespace darktap::compare {

namespace {
constexpr std::chrono::milliseconds under_way_at_most{50};  // between a write's effect and the answer to it
}

// Was the target asked once while it had just the writes that the source may have had, one of them undecided at most, and answered
// otherwise all the same? Then it is wrong with that one and without it.
bool Investigator::refuted_by_ladder() const {
  if (plan_.has_limit || first_.relation != Relation::different) return false;
  return std::any_of(walked_.begin(), walked_.end(), [&](const Answered& step) {
    ExplainedRows rows(plan_, world_.catalogue, first_.a.get(), first_.b.get(), first_.match);
    // Nothing else came while it answered.
    const OwnWrites before = world_.writes.own(file_.scope, file_.target, step.asked, rows);
    if (!before.same_set || before.forgotten || before.undecided > 1) return false;
    ExplainedRows again(plan_, world_.catalogue, first_.a.get(), first_.b.get(), first_.match);
    return world_.writes.own(file_.scope, file_.target, step.answered + under_way_at_most, again).same_set;
  });
}

std::optional<Conclusion> Investigator::by_own_writes(CaptureTime agreed, Agreement agreement) const {
  if (environmental_error()) return std::nullopt;
  ExplainedRows rows(plan_, world_.catalogue, first_.a.get(), first_.b.get(), first_.match);
  const bool target_stays = agreement == Agreement::at_first || agreement == Agreement::none;
  const OwnWrites own = world_.writes.own(file_.scope, file_.target, target_stays ? CaptureTime::max() : agreed, rows);
  Evidence evidence;
  JsonWriter& json = evidence.json();
  if (own.explain_all) {
    auto order = [&](const Attribution& write, const std::string& reason) {
      json.member("reason", reason);
      if (own.racing) json.member("racing_write", write.write->sql);
      write_attribution(json, write);
      return verdict(Cause::replay_artifact, Level::confirmed, std::move(evidence));
    };
    if (agreement == Agreement::with_source && own.same_set && !own.forgotten)
      return order(*own.apart, "the run itself sent this write to the target, and not at the same place before or behind the read as at the source: once the target had it, it gave the source's answer");
    if (own.target_shows_them && own.early)
      return order(*own.early, "the target's row shows what this write of the run's own wrote, which at the source came after the read: the order of both is the replay's");
    if (file_.older) {
      write_older_version(json);
      return order(*own.apart, "the target's answer is what production answered before; the run itself sent this write to the target, and it was not there yet when the read was sent: the order of both is the replay's");
    }
    if (auto newer = world_.versions.newer(file_.exchange, file_.target.answer)) {
      json.key("newer_version").begin_object().member("session", newer->read.session.value).member("seq", newer->read.seq).end_object();
      return order(own.early.value_or(*own.apart), "the target's answer is what production answered later; the run itself had sent this write to the target, which at the source came after the read: the order of both is the replay's");
    }
    if (agreement == Agreement::none && refuted_by_ladder()) {
      write_attribution(json, *own.apart);
      json.member("note", "with this write of the run's own the target answers otherwise than the source as well as without it");
      return verdict(first_.cause, Level::confirmed, std::move(evidence));
    }
    write_attribution(json, *own.apart);
    json.member("unexamined_because", "the run itself sent this write to the target at another moment than the source had it, and nothing shows whether it made the difference");
    return verdict(Cause::unexamined, Level::assumed, std::move(evidence));
  }
  if (agreement == Agreement::none) return std::nullopt;
  // Both sides had met the same writes when they answered. What they agree on since is brought about by later ones.
  if (own.healing) {
    bool unclear = world_.target.lags() || first_.relation == Relation::open;
    if (unclear) return unexamined("later writes of the run's own came to the target before it agreed, and it may have been behind, or in another order");
    write_attribution(json, *own.healing);
    json.member("note", "both sides agree only since later writes of the run's own: before them, nothing explains the target's answer");
    return verdict(first_.cause, Level::confirmed, std::move(evidence));
  }
  if (own.forgotten) return unexamined("later writes of the run's own came to the target before it agreed");
  bool says_nothing = agreement == Agreement::at_first || (agreement == Agreement::with_reference && !cause_of_staleness());
  if (says_nothing && own.met)
    return unexamined("the run itself wrote to what is read: that the reference agrees by now says nothing of the first answers");
  return std::nullopt;
}

}  // namespace darktap::compare
