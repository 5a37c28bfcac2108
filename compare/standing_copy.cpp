// A reference that is a copy which stands still (a restored backup) lacks the left-out writes as the target does. Then the two have to
// answer alike, and where they don't a wrong row is to blame, whatever was left out.
#include <algorithm>

#include "investigator.h"

namespace darktap::compare {

namespace {
constexpr std::chrono::milliseconds copy_patience{1000};
}

std::optional<Attribution> Investigator::left_out(Explained* how) const {
  ExplainedRows rows(plan_, world_.catalogue, first_.a.get(), first_.b.get(), first_.match);
  auto write = world_.writes.skipped(file_.scope, first_.a.get(), first_.b.get(), leftovers(), &rows);
  if (how != nullptr) *how = rows.row_by_row() ? Explained::row_by_row : Explained::as_a_whole;
  return write;
}

// Before a left-out write is believed because the reference says so: is the rest of the ladder needed, to learn whether the reference
// is such a copy, or since it is one and answers otherwise than the target?
bool Investigator::copy_has_more_to_tell(bool sides_agree, bool is_last) {
  Following& known = world_.target;
  if (!reference_differs_ && !sides_agree) {
    Explained how{};
    if (left_out(&how) && how == Explained::row_by_row) known.reference_showed_write();
    return known.reference_is_a_copy();
  }
  bool lacks = reference_differs_ && sides_agree && !world_.writes.written_since(file_.scope, file_.exchange.request_first);
  if (!lacks || !known.reference_may_be_a_copy()) return false;
  if (is_last) known.reference_lacked_write();
  return !is_last;
}

// Both stayed with their answers, and these differ.
bool Investigator::both_stayed_apart() const {
  if (!has_reference() || target_moved_ || references_.size() < 2) return false;
  const mysql::Answer& reference = references_.back();
  return std::all_of(references_.begin(), references_.end(), [&](const mysql::Answer& one) { return identical(one, reference); }) &&
         examine(reference, *target_, whole_).relation == Relation::different;
}

// What the reference is comes out as ladders end, and many end together: what hangs on it waits for the others, and looks once more.
Task<bool> Investigator::wait_for_copy(CaptureTime now) {
  Following& known = world_.target;
  Explained how{};
  if (known.follows() == Follows::yes || !both_stayed_apart() || !left_out(&how)) co_return false;
  if (!reference_differs_ && how == Explained::row_by_row) known.reference_showed_write();
  if (!known.reference_may_be_a_copy()) co_return false;
  std::vector<Ask> asks;
  asks.push_back({Side::target, file_.exchange.command});
  asks.push_back({Side::reference, file_.exchange.command});
  std::vector<Heard> heard = co_await interview_.ask(std::move(asks), now + copy_patience);
  if (heard[0].answer() == nullptr || heard[1].answer() == nullptr || !known.reference_is_a_copy()) co_return false;
  references_.push_back(*heard[1].answer());
  target_moved_ = target_moved_ || !identical(*target_, *heard[0].answer());
  co_return true;
}

Conclusion Investigator::left_out_or_refuted(const Attribution& write) const {
  if (!copy_refutes() || first_.cause == Cause::unexamined) return stayed_away(write);
  Evidence evidence;
  evidence.json().member("note", "the reference is a copy that stands still: it lacks what the run left out as the target does, and answers otherwise all the same");
  write_attribution(evidence.json(), write);
  return verdict(first_.cause, Level::confirmed, std::move(evidence));
}

}  // namespace darktap::compare
