#include "capture/reassembler.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "delivery.h"
#include "flow_table.h"
#include "plain_segment.h"

namespace darktap::capture {

namespace {

// Sequence numbers this far behind a SYN belong to its connection; others to an earlier one on the same ports.
constexpr std::uint32_t handshake_reach = 1u << 24;

// Of a connection's bytes the acknowledgement of some is timed.
constexpr std::uint64_t packets_between_probes = 15;  // odd: of question and answer in turn, both

Arrival arrival_of(const SegmentView& segment) {
  return {.sequence = segment.sequence + (segment.flags.syn() ? 1 : 0),
          .acknowledgement = segment.acknowledgement,
          .flags = segment.flags,
          .payload = segment.payload,
          .cut = segment.cut,
          .time = segment.time,
          .packet = segment.packet};
}

}  // namespace

struct Reassembler::State {
  State(StreamSink& to, ReassemblerOptions given) : sink(to), options(std::move(given)) {}

  void feed(const SegmentView& segment);
  void advance(CaptureTime now);
  void finish(CaptureTime time);

  FlowTable::Found find_or_create(const SegmentView& segment);
  FlowTable::Found create(std::uint32_t hash, const SegmentView& segment);
  bool belongs_to_ended(const Flow& flow, const SegmentView& segment, bool from_first) const;
  bool is_other_connection(const Flow& flow, const SegmentView& segment, bool from_first) const;
  void learn_handshake(Flow& flow, const SegmentView& segment, bool from_first);
  void open(Flow& flow);
  void gather(Flow& flow, const Arrival& arrival);
  void start(Flow& flow);
  void note_reset(Flow& flow, const SegmentView& segment, bool from_first);
  void settle(FlowIndex index, CaptureTime now, PacketNumber packet);
  void end(FlowIndex index, StreamEnd::Reason reason, CaptureTime time, PacketNumber packet);
  void retire(FlowIndex index, Flow::Phase phase);

  StreamSink& sink;
  ReassemblerOptions options;
  ReassemblerStats stats;
  RoundTrips round_trips;
  SegmentDecoder decoder{options.limits.fragments};
  SegmentView plain;  // the usual segment is read into it, again and again
  FlowTable flows;
  Delivery delivery{sink, options.limits, stats};
  std::uint64_t last_id = 0;
  PacketNumber last_packet;
};

// The life of a segment, from top to bottom.
void Reassembler::State::feed(const SegmentView& segment) {
  ++stats.segments;
  last_packet = segment.packet;
  advance(segment.time);
  const ServerPorts& ports = options.ports;
  if (!ports.contains(segment.source.port) && !ports.contains(segment.destination.port)) {
    ++stats.untracked;
    return;
  }
  const auto [index, from_first] = find_or_create(segment);
  if (index == no_flow) return;

  Flow& flow = flows[index];
  // Moving costs more than all else here: a flow keeps its place for some packets, few in relation to those it may be evicted among.
  if (stats.segments - flow.listed > options.limits.connections / 16) {
    flows.live.move_to_back(index);
    flow.listed = stats.segments;
  }
  ++flow.packets;
  if (flow.roles != Flow::Roles::unknown) {
    if (flow.meter.waits()) flow.meter.on_segment(segment, flow.direction(from_first), round_trips);
    else if (flow.packets % packets_between_probes == 0 && !segment.payload.empty()) flow.meter.on_bytes(segment, flow.direction(from_first));
  }
  if (delivery.take_next(flow, segment, from_first)) return;  // nearly every segment
  if (segment.flags.syn()) learn_handshake(flow, segment, from_first);
  Arrival arrival = arrival_of(segment);
  arrival.number = flow.packets;
  arrival.from_first = from_first;
  if (flow.phase == Flow::Phase::gathering) {
    gather(flow, arrival);
  } else {
    delivery.take(flow, arrival);
  }
  if (flow.phase == Flow::Phase::gathering || flow.waiting || (segment.flags.bits & (TcpFlags::fin_bit | TcpFlags::rst_bit)) ||
      flow.holds_segments()) {
    if (segment.flags.rst()) note_reset(flow, segment, from_first);
    settle(index, segment.time, segment.packet);
  }
}

// The live flow that the segment belongs to; none where there is nothing to do with it.
FlowTable::Found Reassembler::State::find_or_create(const SegmentView& segment) {
  const std::uint32_t hash = FlowTable::hash(segment.source, segment.destination);
  const FlowTable::Found found = flows.find(hash, segment.source, segment.destination);
  if (found.flow != no_flow && flows[found.flow].phase == Flow::Phase::running && !segment.flags.syn()) return found;
  if (found.flow == no_flow) {
    if (segment.flags.rst()) {
      ++stats.after_end;
      return {};
    }
    return create(hash, segment);
  }
  Flow& flow = flows[found.flow];
  const bool opens = segment.flags.syn() && !segment.flags.ack();
  switch (flow.phase) {
    case Flow::Phase::ignored:
      if (!opens) {
        ++stats.ignored;
        return {};
      }
      flows.erase(found.flow);
      return create(hash, segment);
    case Flow::Phase::closed:
      if (belongs_to_ended(flow, segment, found.from_first)) {
        ++stats.after_end;
        return {};
      }
      flows.erase(found.flow);
      return create(hash, segment);
    case Flow::Phase::gathering:
    case Flow::Phase::running: break;
  }
  if (segment.flags.syn() && is_other_connection(flow, segment, found.from_first)) {
    end(found.flow, StreamEnd::Reason::replaced, segment.time, segment.packet);
    flows.erase(found.flow);
    return create(hash, segment);
  }
  return found;
}

FlowTable::Found Reassembler::State::create(std::uint32_t hash, const SegmentView& segment) {
  if (segment.flags.syn()) {  // a handshake tells who the server is; is it one of ours?
    const Endpoint& server = segment.flags.ack() ? segment.source : segment.destination;
    if (!options.ports.contains(server.port)) {
      ++stats.untracked;
      const FlowIndex index = flows.insert(hash, segment.source, segment.destination);
      flows.live.push_back(index);
      retire(index, Flow::Phase::ignored);
      return {};
    }
  }
  const std::size_t most = std::max<std::size_t>(options.limits.connections, 1);
  while (flows.live.size() >= most) {
    ++stats.evicted;
    end(flows.live.front(), StreamEnd::Reason::evicted, segment.time, segment.packet);
  }
  const FlowIndex index = flows.insert(hash, segment.source, segment.destination);
  Flow& flow = flows[index];
  flow.id = ConnectionId{++last_id};
  flow.first_time = segment.time;
  flow.first_packet = segment.packet;
  flow.listed = stats.segments;
  flows.live.push_back(index);
  return {index, true};
}

// The last packets of a connection that has ended: anything but a new handshake or new data.
bool Reassembler::State::belongs_to_ended(const Flow& flow, const SegmentView& segment, bool from_first) const {
  const Direction d = flow.direction(from_first);
  const HalfStream& half = flow.halves[index(d)];
  if (segment.flags.rst()) return true;
  if (segment.flags.syn()) {
    const bool opens = !segment.flags.ack();
    const bool same = half.anchored && half.initial_sequence == segment.sequence + 1;
    return same && (d == Direction::to_server) == opens;
  }
  const Position length = static_cast<Position>(segment.payload.size() + segment.cut);
  return length == 0 || !half.anchored || half.position_of(segment.sequence) + length <= half.position;
}

// Does a SYN or SYN-ACK begin another connection than the one we know on these ports?
bool Reassembler::State::is_other_connection(const Flow& flow, const SegmentView& segment, bool from_first) const {
  const bool opens = !segment.flags.ack();
  const std::uint32_t first_byte = segment.sequence + 1;
  if (flow.phase == Flow::Phase::gathering && flow.roles == Flow::Roles::unknown) {
    // Midstream so far: is this the handshake of what we gathered?
    for (const GatheredSegment& gathered : flow.gathered) {
      const Arrival& arrival = gathered.arrival;
      if (arrival.from_first != from_first && !arrival.flags.ack()) continue;
      const std::uint32_t number = arrival.from_first == from_first ? arrival.sequence : arrival.acknowledgement;
      if (number - first_byte >= handshake_reach) return true;
    }
    return false;
  }
  const Direction d = flow.direction(from_first);
  if ((d == Direction::to_server) != opens) return true;  // the roles have changed
  const HalfStream& half = flow.halves[index(d)];
  if (!half.anchored || half.initial_sequence == first_byte) return false;
  if (opens) return true;
  // A SYN-ACK with an unknown number: ours if it answers our SYN and nothing else told where the server stands.
  const HalfStream& other = flow.halves[index(Direction::to_server)];
  return !(other.certain && other.initial_sequence == segment.acknowledgement);
}

void Reassembler::State::learn_handshake(Flow& flow, const SegmentView& segment, bool from_first) {
  const bool by_server = segment.flags.ack();
  flow.meter.on_syn(segment, round_trips);
  if (flow.roles == Flow::Roles::unknown) {
    flow.roles = by_server == from_first ? Flow::Roles::first_is_server : Flow::Roles::second_is_server;
  }
  HalfStream& own = flow.half(flow.direction(from_first));
  HalfStream& other = flow.half(opposite(flow.direction(from_first)));
  if (!own.anchored) own.anchor(segment.sequence + 1, true);
  if (by_server && !other.anchored) other.anchor(segment.acknowledgement, true);
  flow.handshake = true;
  if (!flow.opened) open(flow);
}

void Reassembler::State::open(Flow& flow) {
  flow.opened = true;
  ++stats.connections;
  if (!flow.handshake) ++stats.midstream;
  sink.on_open({flow.id, flow.key(), flow.first_time, flow.first_packet,
                flow.handshake ? StreamOpen::Start::handshake : StreamOpen::Start::midstream});
}

// Keeps the segment until both ends of the handshake have told where their bytes begin, or may no longer be expected.
void Reassembler::State::gather(Flow& flow, const Arrival& arrival) {
  const bool keeps = !arrival.flags.syn() || arrival.length() > 0;
  const bool certain = flow.halves[0].certain && flow.halves[1].certain;
  const bool fits = !keeps || delivery.fits(flow, arrival.payload.size());
  if (certain || !fits) {
    start(flow);
    if (keeps) delivery.take(flow, arrival);
    return;
  }
  if (!keeps) return;
  delivery.charge(flow, arrival.payload.size());
  flow.gathered.push_back({arrival, {arrival.payload.begin(), arrival.payload.end()}});
  flow.gathered.back().arrival.payload = {};
}

// From here on bytes flow: fixes who is who and where each direction begins, then takes what was gathered.
void Reassembler::State::start(Flow& flow) {
  flow.phase = Flow::Phase::running;
  if (flow.roles == Flow::Roles::unknown) {
    const bool second = options.ports.second_is_server(flow.first, flow.second);
    flow.roles = second ? Flow::Roles::second_is_server : Flow::Roles::first_is_server;
  }
  if (!flow.opened) open(flow);

  for (const Direction d : {Direction::to_server, Direction::to_client}) {
    HalfStream& half = flow.half(d);
    if (half.anchored) continue;
    std::optional<std::uint32_t> lowest, acknowledged;
    for (const GatheredSegment& gathered : flow.gathered) {
      const Arrival& arrival = gathered.arrival;
      const bool own = flow.direction(arrival.from_first) == d;
      const bool has_bytes = gathered.payload.size() + arrival.cut > 0;
      if (own && has_bytes && (!lowest || *lowest - arrival.sequence < 0x80000000u)) lowest = arrival.sequence;
      if (!own && arrival.flags.ack() && !acknowledged) acknowledged = arrival.acknowledgement;
    }
    if (lowest || acknowledged) half.anchor(lowest ? *lowest : *acknowledged, false);
  }
  std::vector<GatheredSegment> gathered = std::move(flow.gathered);
  flow.gathered.clear();
  for (GatheredSegment& segment : gathered) {
    delivery.release(flow, segment.payload.size());
    segment.arrival.payload = segment.payload;
    delivery.take(flow, segment.arrival);
  }
}

// A RST from behind where its sender stands is not believed (RFC 5961).
void Reassembler::State::note_reset(Flow& flow, const SegmentView& segment, bool from_first) {
  if (flow.closing == StreamEnd::Reason::reset) return;
  if (flow.roles != Flow::Roles::unknown) {
    const HalfStream& half = flow.half(flow.direction(from_first));
    if (half.anchored && half.position_of(segment.sequence) < half.position) return;
  }
  flow.closing = StreamEnd::Reason::reset;
  flow.closing_packets = flow.packets;
  flow.closing_time = segment.time;
}

// Moves the flow on as far as packets and time allow, and keeps it in the waiting list while time can still help.
void Reassembler::State::settle(FlowIndex index, CaptureTime now, PacketNumber packet) {
  Flow& flow = flows[index];
  if (flow.phase == Flow::Phase::gathering && delivery.waited_enough(flow, 0, flow.first_time, now)) start(flow);
  if (flow.phase == Flow::Phase::running && flow.holds_segments()) delivery.relieve(flow, now);
  if (!flow.closing && flow.halves[0].fin && flow.halves[1].fin) {
    flow.closing = StreamEnd::Reason::finished;
    flow.closing_packets = flow.packets;
    flow.closing_time = now;
  }
  if (flow.closing) {
    const bool all_there = flow.closing == StreamEnd::Reason::finished && flow.halves[0].complete() && flow.halves[1].complete();
    if (all_there || delivery.waited_enough(flow, flow.closing_packets, flow.closing_time, now)) {
      end(index, *flow.closing, now, packet);
      return;
    }
  }
  const bool waits = flow.has_to_wait();
  if (waits && !flow.waiting) {
    flow.wait_checked = now;
    flows.waiting.push_back(index);
  } else if (!waits && flow.waiting) {
    flows.waiting.remove(index);
  }
  flow.waiting = waits;
}

void Reassembler::State::advance(CaptureTime now) {
  const auto patience = std::max(options.limits.reorder_time, std::chrono::nanoseconds(1));
  while (flows.waiting.front() != no_flow) {
    const FlowIndex index = flows.waiting.front();
    Flow& flow = flows[index];
    if (now - flow.wait_checked < patience) return;
    flow.wait_checked = now;
    flows.waiting.move_to_back(index);
    settle(index, now, last_packet);
  }
}

// Everything held comes out, then the end. The flow stays known for a while.
void Reassembler::State::end(FlowIndex index, StreamEnd::Reason reason, CaptureTime time, PacketNumber packet) {
  Flow& flow = flows[index];
  if (flow.phase == Flow::Phase::gathering) start(flow);
  delivery.flush(flow, time, packet);
  sink.on_end({flow.id, time, packet, reason});
  retire(index, Flow::Phase::closed);
}

void Reassembler::State::retire(FlowIndex index, Flow::Phase phase) {
  flows.retire(index, phase);
  // The newest is never dropped, so that a caller may still look at it.
  while (flows.retired.size() > remembered_connections) flows.erase(flows.retired.front());
}

void Reassembler::State::finish(CaptureTime time) {
  std::vector<FlowIndex> open_flows;
  for (FlowIndex index = flows.live.front(); index != no_flow; index = flows.live.next(index)) open_flows.push_back(index);
  std::sort(open_flows.begin(), open_flows.end(), [&](FlowIndex a, FlowIndex b) { return flows[a].id < flows[b].id; });
  for (FlowIndex index : open_flows) {
    end(index, flows[index].closing.value_or(StreamEnd::Reason::capture_ended), time, last_packet);
  }
}

Reassembler::Reassembler(StreamSink& sink, ReassemblerOptions options) : state_(std::make_unique<State>(sink, std::move(options))) {}
Reassembler::~Reassembler() = default;
Reassembler::Reassembler(Reassembler&&) noexcept = default;
Reassembler& Reassembler::operator=(Reassembler&&) noexcept = default;

void Reassembler::feed(const PacketView& packet) {
  ReassemblerStats& stats = state_->stats;
  ++stats.packets;
  stats.bytes += packet.wire_length;
  stats.captured_bytes += packet.data.size();
  if (read_plain_segment(packet, state_->plain)) {
    state_->feed(state_->plain);
    return;
  }
  const auto segment = state_->decoder.decode(packet);
  if (segment) {
    state_->feed(*segment);
  } else {
    ++stats.not_segments[static_cast<std::size_t>(segment.error())];
  }
}

void Reassembler::feed(const SegmentView& segment) { state_->feed(segment); }
void Reassembler::advance(CaptureTime now) { state_->advance(now); }
void Reassembler::finish(CaptureTime time) { state_->finish(time); }
const ReassemblerStats& Reassembler::stats() const { return state_->stats; }
const RoundTrips& Reassembler::round_trips() const { return state_->round_trips; }
const FragmentStats& Reassembler::fragments() const { return state_->decoder.fragments(); }

}  // namespace darktap::capture
