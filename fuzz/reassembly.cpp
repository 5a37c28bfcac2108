// Any segments of a few connections, in positions near each other so that they overlap, wrap, leave holes and lie: the promises
// to the sink hold, and memory stays within the limits.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <optional>

#include "capture/reassembler.h"

namespace {

using namespace darktap;

void require(bool holds) {
  if (!holds) std::abort();
}

class Promises final : public StreamSink {
 public:
  void on_open(const StreamOpen& event) override { require(open_.emplace(event.connection, std::array<std::uint64_t, 2>{}).second); }
  void on_bytes(const StreamBytes& event) override { go_on(event.connection, event.direction, event.position, event.bytes.size()); }
  void on_gap(const StreamGap& event) override { go_on(event.connection, event.direction, event.position, event.length); }
  void on_end(const StreamEnd& event) override { require(open_.erase(event.connection) == 1); }
  bool all_ended() const { return open_.empty(); }

 private:
  void go_on(ConnectionId connection, Direction direction, StreamPosition position, std::uint64_t length) {
    const auto found = open_.find(connection);
    require(found != open_.end() && length > 0);
    std::uint64_t& next = found->second[index(direction)];
    require(position.value == next);
    next += length;
  }
  std::map<ConnectionId, std::array<std::uint64_t, 2>> open_;
};

}  // namespace

// Input: three bytes of limits, then segments of seven bytes: connection and direction, flags, position, acknowledged
// position, length, cut, time step.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::array<std::byte, 256> payload{};
  ByteReader reader({reinterpret_cast<const std::byte*>(data), size});
  capture::ReassemblerOptions options;
  options.limits.buffered_per_connection = std::size_t{reader.peek()} * 64;
  options.limits.buffered_total = options.limits.buffered_per_connection * 2;
  options.limits.reorder_packets = reader.u8() % 40;
  options.limits.connections = 1 + reader.u8() % 4;
  options.limits.reorder_time = std::chrono::milliseconds(reader.u8());
  Promises promises;
  capture::Reassembler reassembler(promises, options);
  capture::SegmentView segment;
  for (std::uint64_t number = 1; reader.remaining() >= 7; ++number) {
    const std::uint8_t who = reader.u8();
    const std::uint8_t pair = who / 2 % 4;
    const Endpoint client{IpAddress::from_v4({10, 0, 0, pair}), 40000}, server{IpAddress::from_v4({10, 0, 1, 1}), 3306};
    segment.source = who & 1 ? server : client;
    segment.destination = who & 1 ? client : server;
    // Two generations of sequence numbers a connection, both about to wrap.
    const std::uint32_t base = (who & 8 ? 0x7fffffe0u : 0xffffffe0u) + (who & 16 ? 0x40000000u : 0u);
    segment.flags.bits = reader.u8();
    segment.sequence = base + reader.u8();
    segment.acknowledgement = base + reader.u8();
    segment.payload = Bytes(payload).first(reader.u8());
    segment.cut = reader.u8() / 8 * (who & 32 ? 1u : 0u);
    segment.time += std::chrono::milliseconds(reader.u8()) - std::chrono::milliseconds(20);
    segment.packet = PacketNumber{number};
    reassembler.feed(segment);
    require(reassembler.stats().buffered <= options.limits.buffered_total);
  }
  reassembler.finish(segment.time);
  require(promises.all_ended());
  require(reassembler.stats().buffered == 0);
  return 0;
}
