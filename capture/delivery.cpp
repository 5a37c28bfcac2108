#include "delivery.h"

#include <algorithm>
#include <array>
#include <limits>

namespace darktap::capture {

namespace {

constexpr std::array both_directions{Direction::to_server, Direction::to_client};
// The largest TCP window (RFC 7323): an acknowledgement further ahead is not this connection's.
constexpr Position largest_window = Position{1} << 30;

Position first_held(const HalfStream& half) {
  return half.held.empty() ? std::numeric_limits<Position>::max() : half.held.begin()->first;
}

Position end_of(const std::map<Position, HeldSegment>::value_type& held) {
  return held.first + static_cast<Position>(held.second.bytes.size() + held.second.cut);
}

// The part of `payload` (standing at `start`) between two positions; less where it was cut.
Bytes part(Bytes payload, Position start, Position from, Position to) {
  const Position payload_end = start + static_cast<Position>(payload.size());
  from = std::min(from, payload_end);
  to = std::min(to, payload_end);
  return payload.subspan(static_cast<std::size_t>(from - start), static_cast<std::size_t>(to - from));
}

// Held bytes that come again may have been sent earlier than we thought: what the copy acknowledges is enough.
void lower_needs(HalfStream& half, Position start, Position end, Position needs) {
  for (auto held = half.held.lower_bound(start); held != half.held.end() && end_of(*held) <= end; ++held) {
    held->second.needs = std::min(held->second.needs, needs);
  }
}

}  // namespace

bool Delivery::take_next(Flow& flow, const SegmentView& segment, bool from_first) {
  constexpr std::uint8_t special = TcpFlags::syn_bit | TcpFlags::fin_bit | TcpFlags::rst_bit;
  if (flow.phase != Flow::Phase::running || flow.waiting || (segment.flags.bits & (special | TcpFlags::ack_bit)) != TcpFlags::ack_bit || segment.cut > 0) return false;
  const Direction d = flow.direction(from_first);
  HalfStream& half = flow.half(d);
  HalfStream& other = flow.half(opposite(d));
  if (!half.anchored || !other.anchored || half.fin || other.fin || segment.sequence != half.next_sequence || flow.holds_segments()) return false;
  const Position needs = other.position_of(segment.acknowledgement);
  if (needs > other.position) return false;  // it acknowledges what was not seen
  other.acknowledged = std::max(other.acknowledged, needs);
  send_bytes(flow, d, segment.payload, segment.time, segment.packet);
  return true;
}

void Delivery::take(Flow& flow, const Arrival& arrival) {
  const Direction d = flow.direction(arrival.from_first);
  HalfStream& half = flow.half(d);
  HalfStream& other = flow.half(opposite(d));
  if (!half.anchored && (arrival.length() > 0 || arrival.flags.fin())) half.anchor(arrival.sequence, false);

  Position needs = 0;
  if (arrival.flags.ack()) {
    if (!other.anchored) other.anchor(arrival.acknowledgement, false);
    needs = other.position_of(arrival.acknowledgement);
    if (needs > other.position + largest_window) needs = 0;
    if (other.fin) needs = std::min(needs, *other.fin);
    other.acknowledged = std::max(other.acknowledged, needs);
  }
  if (arrival.flags.fin() && !half.fin) {
    const Position fin = half.position_of(arrival.sequence) + static_cast<Position>(arrival.length());
    if (fin >= half.position && fin <= half.position + largest_window) half.fin = fin;
  }
  if (arrival.length() > 0) deliver_or_hold(flow, d, arrival, needs);
  if (flow.holds_segments()) {
    drain(flow);
    relieve(flow, arrival.time);
  }
}

void Delivery::deliver_or_hold(Flow& flow, Direction d, const Arrival& arrival, Position needs) {
  HalfStream& half = flow.half(d);
  HalfStream& other = flow.half(opposite(d));
  const Position start = half.position_of(arrival.sequence);
  const Position end = start + static_cast<Position>(arrival.length());
  std::uint64_t new_bytes = 0;
  if (!half.held.empty()) lower_needs(half, start, end, needs);

  Position from = start;  // everything before it is dealt with
  while (true) {
    from = std::max(from, half.position);
    if (from >= end) break;
    const Position next_held = first_held(half);
    if (from == half.position && from < next_held && other.covers(needs)) {  // the usual way: in order, nothing copied
      const Position to = std::min(end, next_held);
      const Bytes bytes = part(arrival.payload, start, from, to);
      new_bytes += static_cast<std::uint64_t>(to - from);
      send_bytes(flow, d, bytes, arrival.time, arrival.packet);
      if (half.position < to) send_gap(flow, d, to - half.position, arrival.time, arrival.packet, Cause::proved);  // cut
      if (flow.holds_segments()) drain(flow);
      continue;
    }
    // The next stretch that is not held yet.
    const auto behind = half.held.upper_bound(from);
    if (behind != half.held.begin() && end_of(*std::prev(behind)) > from) {
      from = end_of(*std::prev(behind));
      continue;
    }
    const Position to = std::min(end, behind == half.held.end() ? end : behind->first);
    const std::size_t size = part(arrival.payload, start, from, to).size();
    if (fits(flow, size)) {
      hold(flow, d, arrival, start, from, to, needs);
      new_bytes += static_cast<std::uint64_t>(to - from);
      from = to;
      drain(flow);
    } else if (!force_oldest(flow, Cause::limit)) {
      // Nothing held here that could make room: declare what this segment waits for.
      if (!other.covers(needs)) send_gap(flow, opposite(d), needs - other.position, arrival.time, arrival.packet, Cause::limit);
      if (from > half.position) send_gap(flow, d, from - half.position, arrival.time, arrival.packet, Cause::limit);
    }
  }
  if (new_bytes == 0) ++stats_.duplicates;
  stats_.duplicate_bytes += arrival.length() - new_bytes;
}

void Delivery::hold(Flow& flow, Direction d, const Arrival& arrival, Position start, Position from, Position to, Position needs) {
  const Bytes bytes = part(arrival.payload, start, from, to);
  charge(flow, bytes.size());
  flow.half(d).held.emplace(from, HeldSegment{.bytes{bytes.begin(), bytes.end()},
                                             .cut = static_cast<std::uint32_t>(to - from) - static_cast<std::uint32_t>(bytes.size()),
                                             .needs = needs,
                                             .arrival = arrival.number,
                                             .time = arrival.time,
                                             .packet = arrival.packet});
}

// Sends what is held and has become next, in capture order between the two directions.
void Delivery::drain(Flow& flow) {
  while (true) {
    std::optional<Direction> ready;
    for (const Direction d : both_directions) {
      const HalfStream& half = flow.half(d);
      if (half.held.empty()) continue;
      const auto& [start, segment] = *half.held.begin();
      if (start > half.position || !flow.half(opposite(d)).covers(segment.needs)) continue;
      if (!ready || segment.packet < flow.half(*ready).held.begin()->second.packet) ready = d;
    }
    if (!ready) return;
    HalfStream& half = flow.half(*ready);
    const auto node = half.held.extract(half.held.begin());
    const HeldSegment& segment = node.mapped();
    release(flow, segment.bytes.size());
    send_bytes(flow, *ready, segment.bytes, segment.time, segment.packet);
    if (segment.cut > 0) send_gap(flow, *ready, segment.cut, segment.time, segment.packet, Cause::proved);
  }
}

void Delivery::relieve(Flow& flow, CaptureTime now) {
  while (true) {
    std::optional<Direction> oldest;
    for (const Direction d : both_directions) {
      const HalfStream& half = flow.half(d);
      if (half.held.empty() || !is_proved(flow, d)) continue;
      const HeldSegment& segment = half.held.begin()->second;
      if (!waited_enough(flow, segment.arrival, segment.time, now)) continue;
      if (!oldest || segment.packet < flow.half(*oldest).held.begin()->second.packet) oldest = d;
    }
    if (!oldest) return;
    force(flow, *oldest, Cause::proved);
  }
}

// Has the peer acknowledged bytes that the first held segment waits for?
bool Delivery::is_proved(const Flow& flow, Direction d) const {
  const HalfStream& half = flow.halves[index(d)];
  return half.held.begin()->first == half.position || half.acknowledged > half.position;
}

bool Delivery::force_oldest(Flow& flow, Cause cause) {
  std::optional<Direction> oldest;
  for (const Direction d : both_directions) {
    const HalfStream& half = flow.half(d);
    if (half.held.empty()) continue;
    if (!oldest || half.held.begin()->second.packet < flow.half(*oldest).held.begin()->second.packet) oldest = d;
  }
  if (!oldest) return false;
  force(flow, *oldest, cause);
  return true;
}

// Declares lost what the direction's first held segment waits for. Each call moves a position or frees a segment.
void Delivery::force(Flow& flow, Direction d, Cause cause) {
  HalfStream& half = flow.half(d);
  HalfStream& other = flow.half(opposite(d));
  auto& [start, segment] = *half.held.begin();
  const CaptureTime time = segment.time;
  const PacketNumber packet = segment.packet;
  if (start > half.position) {
    // Only as far as it is proved: the rest may be on its way.
    const Position to = cause == Cause::proved ? std::min(start, half.acknowledged) : start;
    send_gap(flow, d, to - half.position, time, packet, cause);
  } else {
    const Position to = std::min(segment.needs, first_held(other));
    if (to > other.position) {
      send_gap(flow, opposite(d), to - other.position, time, packet, cause);
    } else {
      segment.needs = 0;  // each direction waits for the other: an acknowledgement lies
    }
  }
  drain(flow);
}

void Delivery::flush(Flow& flow, CaptureTime time, PacketNumber packet) {
  while (force_oldest(flow, Cause::end)) {}
  for (const Direction d : both_directions) {
    const HalfStream& half = flow.half(d);
    const Position known_end = half.fin ? *half.fin : half.acknowledged;
    if (!half.covers(known_end)) send_gap(flow, d, known_end - half.position, time, packet, Cause::end);
  }
}

bool Delivery::fits(const Flow& flow, std::size_t payload) const {
  const std::size_t cost = payload + held_segment_overhead;
  return flow.buffered + cost <= limits_.buffered_per_connection && stats_.buffered + cost <= limits_.buffered_total;
}

void Delivery::charge(Flow& flow, std::size_t payload) {
  flow.buffered += payload + held_segment_overhead;
  stats_.buffered += payload + held_segment_overhead;
  stats_.buffered_peak = std::max(stats_.buffered_peak, stats_.buffered);
}

void Delivery::release(Flow& flow, std::size_t payload) {
  flow.buffered -= payload + held_segment_overhead;
  stats_.buffered -= payload + held_segment_overhead;
}

void Delivery::send_bytes(Flow& flow, Direction d, Bytes bytes, CaptureTime time, PacketNumber packet) {
  if (bytes.empty()) return;
  HalfStream& half = flow.half(d);
  if (half.uncounted_gap > 0) {
    if (half.seen) {
      ++stats_.gaps;
      stats_.lost_bytes += half.uncounted_gap;
    }
    half.uncounted_gap = 0;
  }
  half.seen = true;
  const StreamPosition position{static_cast<std::uint64_t>(half.position - half.origin)};
  half.advance(static_cast<Position>(bytes.size()));
  stats_.payload_bytes += bytes.size();
  sink_.on_bytes({flow.id, d, position, time, packet, bytes});
}

void Delivery::send_gap(Flow& flow, Direction d, Position length, CaptureTime time, PacketNumber packet, Cause cause) {
  HalfStream& half = flow.half(d);
  if (half.floating()) {  // what we joined begins with the first byte we see
    half.advance(length);
    half.origin = half.position;
    return;
  }
  if (cause == Cause::limit) ++stats_.forced_gaps;
  half.uncounted_gap += static_cast<std::uint64_t>(length);
  const StreamPosition position{static_cast<std::uint64_t>(half.position - half.origin)};
  half.advance(length);
  sink_.on_gap({flow.id, d, position, static_cast<std::uint64_t>(length), time, packet});
}

}  // namespace darktap::capture
