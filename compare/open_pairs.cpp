// What only the servers can tell of a pair: how often a case asks them, and what a refutation is worth while data move.
#include "investigator.h"

namespace darktap::compare {

namespace {

using Finding = InquiryResult::Finding;

constexpr std::size_t max_inquiries = 8;  // of one case

}  // namespace

// An open pair is put to the servers; every further one of a case only while that is polite.
Task<bool> Investigator::agrees_after_inquiry(const Examination& pair, CaptureTime now, bool is_first_pair) {
  if (inquiries_ >= max_inquiries && !last_chance_) co_return false;
  ++inquiries_;
  Task<InquiryResult> task = inquire(pair, plan_for(pair), file_.exchange, interview_, now, world_.options.reference, world_.catalogue);
  InquiryResult result = co_await task;
  for (const auto& other : pair.also_open) {
    if (result.finding != Finding::excused) break;
    Task<InquiryResult> asking = inquire(*other, plan_for(*other), file_.exchange, interview_, now, world_.options.reference, world_.catalogue);
    InquiryResult found = co_await asking;
    if (found.finding != Finding::excused) result = std::move(found);
  }
  // A window that a later write has moved on one side before the other is no proof.
  if (result.finding == Finding::refuted && result.by_window && world_.writes.written_since(file_.scope, file_.exchange.request_first)) {
    result.finding = Finding::unknown;
    result.reason = "later writes move the window, on one side before the other";
  }
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

}  // namespace darktap::compare
