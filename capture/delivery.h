// The order in which one connection's bytes and gaps go to the sink: position by position in each direction, and nothing in
// front of what it acknowledges.
#pragma once

#include "base/stream.h"
#include "capture/reassembler.h"
#include "flow.h"

namespace darktap::capture {

class Delivery {
 public:
  Delivery(StreamSink& sink, const ReassemblerLimits& limits, ReassemblerStats& stats)
      : sink_(sink), limits_(limits), stats_(stats) {}

  // Takes a segment of a running flow: its acknowledgement, its bytes, its FIN.
  void take(Flow& flow, const Arrival& arrival);
  // The same for the segment that comes next in its direction, of a flow in which nothing waits and nothing ends. False where it is
  // not of that kind; nothing has happened then.
  bool take_next(Flow& flow, const SegmentView& segment, bool from_first);
  // Declares the holes lost that are proved by an acknowledgement and have waited long enough.
  void relieve(Flow& flow, CaptureTime now);
  // Nothing more will come: delivers all that is held, and the bytes known to be missing at the end of a direction.
  void flush(Flow& flow, CaptureTime time, PacketNumber packet);

  bool waited_enough(const Flow& flow, std::uint64_t since_packets, CaptureTime since, CaptureTime now) const {
    return flow.packets - since_packets >= limits_.reorder_packets || now - since >= limits_.reorder_time;
  }
  bool fits(const Flow& flow, std::size_t payload) const;
  void charge(Flow& flow, std::size_t payload);
  void release(Flow& flow, std::size_t payload);

 private:
  enum class Cause { proved, limit, end };

  void deliver_or_hold(Flow& flow, Direction d, const Arrival& arrival, Position needs);
  void hold(Flow& flow, Direction d, const Arrival& arrival, Position start, Position from, Position to, Position needs);
  void drain(Flow& flow);
  bool force_oldest(Flow& flow, Cause cause);
  void force(Flow& flow, Direction d, Cause cause);
  bool is_proved(const Flow& flow, Direction d) const;
  void send_bytes(Flow& flow, Direction d, Bytes bytes, CaptureTime time, PacketNumber packet);
  void send_gap(Flow& flow, Direction d, Position length, CaptureTime time, PacketNumber packet, Cause cause);

  StreamSink& sink_;
  const ReassemblerLimits& limits_;
  ReassemblerStats& stats_;
};

}  // namespace darktap::capture
