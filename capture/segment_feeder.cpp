#include "capture/segment_feeder.h"

#include <algorithm>
#include <functional>
#include <string_view>
#include <utility>

namespace darktap::capture {

std::size_t SegmentFeeder::FlowHash::operator()(const FlowKey& flow) const noexcept {
  const auto view = [](const IpAddress& address) { return std::string_view(reinterpret_cast<const char*>(address.bytes.data()), address.bytes.size()); };
  constexpr std::size_t mixer = 0x9e3779b97f4a7c15;
  const std::size_t ports = std::size_t{flow.client.port} << 16 | flow.server.port;
  return (std::hash<std::string_view>()(view(flow.client.address)) * 31 + std::hash<std::string_view>()(view(flow.server.address))) ^ ports * mixer;
}

FlowKey SegmentFeeder::flow_of(const SegmentView& segment) const {
  if (ports_.second_is_server(segment.source, segment.destination)) return {segment.source, segment.destination};
  return {segment.destination, segment.source};
}

void SegmentFeeder::feed(const PacketView& packet) {
  ++fed_.packets;
  fed_.bytes += packet.wire_length;
  if (fed_.first_time == CaptureTime()) fed_.first_time = packet.time;
  fed_.last_time = std::max(fed_.last_time, packet.time);
  const auto segment = decoder_.decode(packet);
  if (!segment) return;
  if (!ports_.contains(segment->source.port) && !ports_.contains(segment->destination.port)) return;
  if (!ends_.empty()) send_ends();
  if (!shed_.empty()) {
    const FlowKey flow = flow_of(*segment);
    if (const auto found = shed_.find(flow); found != shed_.end()) {
      const bool opens = segment->flags.syn() && !segment->flags.ack();
      if (!opens) {
        count_shed(*segment, flow.client == segment->source);
        return;
      }
      shed_.erase(found);  // another session on the same ports
    }
  }
  if (!queue_.push(*segment)) shed(flow_of(*segment), *segment);
}

void SegmentFeeder::shed(const FlowKey& flow, const SegmentView& segment) {
  ++fed_.shed_sessions;
  count_shed(segment, flow.client == segment.source);
  shed_.insert_or_assign(flow, ++last_shed_);
  shed_order_.emplace_back(flow, last_shed_);
  while (shed_order_.size() > most_shed_sessions) {
    const auto found = shed_.find(shed_order_.front().first);
    if (found != shed_.end() && found->second == shed_order_.front().second) shed_.erase(found);
    shed_order_.pop_front();
  }
  // For the decoder the connection ends here. It comes behind all that was pushed, as soon as there is room.
  SegmentView end = segment;
  end.payload = {};
  end.cut = 0;
  end.flags.bits = TcpFlags::rst_bit;
  if (ends_.size() < most_shed_sessions) ends_.push_back(end);
}

void SegmentFeeder::count_shed(const SegmentView& segment, bool by_client) {
  ++fed_.shed_segments;
  fed_.shed_bytes += segment.payload.size() + segment.cut;
  if (!by_client || segment.payload.size() < 5) return;
  ByteReader reader(segment.payload);
  const std::size_t length = reader.u24le();
  const bool begins = reader.u8() == 0 && length > 0;
  // A command in one segment, or one that goes on behind a full one.
  constexpr std::size_t full_segment = 1000;
  if (begins && (segment.payload.size() == length + 4 || (segment.payload.size() < length + 4 && segment.payload.size() >= full_segment))) ++fed_.shed_requests;
}

void SegmentFeeder::send_ends() {
  while (!ends_.empty() && queue_.push(ends_.front())) ends_.pop_front();
}

void SegmentFeeder::publish() {
  send_ends();
  queue_.publish(wake_bytes_);
  fed_.fragments = decoder_.fragments();
  const std::lock_guard lock(mutex_);
  published_ = fed_;
}

FeederCounts SegmentFeeder::counts() const {
  const std::lock_guard lock(mutex_);
  return published_;
}

}  // namespace darktap::capture
