// Takes the time that one connection's ends need to answer the tap: in its handshake, and now and then for bytes that an end
// acknowledges without sending any.
#pragma once

#include <optional>

#include "base/round_trips.h"
#include "capture/segment.h"

namespace darktap::capture {

class RoundTripMeter {
 public:
  // Is anything waited for? Asked of every segment.
  bool waits() const { return step_ != Step::idle; }

  // A SYN or SYN-ACK. One that is sent again makes the handshake worthless: which of them was answered is unknown.
  void on_syn(const SegmentView& segment, RoundTrips& found) {
    if (!segment.flags.ack()) {
      step_ = step_ == Step::idle && !done_ ? Step::syn : Step::idle;
      done_ = true;
      sent_ = segment.time;
      return;
    }
    if (step_ == Step::syn && segment.time >= sent_) record(found.handshake_server, segment.time);
    step_ = step_ == Step::syn || (step_ == Step::idle && !done_) ? Step::syn_ack : Step::idle;
    done_ = true;
    sent_ = segment.time;
    awaited_ = segment.sequence + 1;
  }

  // Bytes whose acknowledgement is to be timed, if nothing else is.
  void on_bytes(const SegmentView& segment, Direction direction) {
    if (step_ != Step::idle) return;
    step_ = direction == Direction::to_server ? Step::to_server : Step::to_client;
    sent_ = segment.time;
    awaited_ = segment.sequence + static_cast<std::uint32_t>(segment.payload.size() + segment.cut);
  }

  // Any segment while something is waited for.
  void on_segment(const SegmentView& segment, Direction direction, RoundTrips& found) {
    if (segment.flags.syn()) return;
    const Direction answers = step_ == Step::to_client || step_ == Step::syn_ack ? Direction::to_server : Direction::to_client;
    if (direction != answers || !segment.flags.ack() || segment.acknowledgement - awaited_ >= 0x80000000u) return;
    const bool pure = segment.payload.empty() && segment.cut == 0;
    if (step_ == Step::syn_ack) record(found.handshake_client, segment.time);
    else if (pure && step_ == Step::to_client) record(found.ack_client, segment.time);
    else if (pure && step_ == Step::to_server) record(found.ack_server, segment.time);
    step_ = Step::idle;
  }

 private:
  enum class Step : std::uint8_t { idle, syn, syn_ack, to_server, to_client };

  void record(Histogram& histogram, CaptureTime now) const {
    if (now >= sent_) histogram.record(static_cast<std::uint64_t>(to_microseconds(now - sent_)));
  }

  Step step_ = Step::idle;
  bool done_ = false;  // the handshake was seen
  std::uint32_t awaited_ = 0;
  CaptureTime sent_;
};

}  // namespace darktap::capture
