// Two endpoints that talk TCP, told in positions: what a tap would see of them goes to a reassembler.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "capture/reassembler.h"
#include "test_support/packets.h"

namespace darktap::test {

inline constexpr auto to_server = Direction::to_server, to_client = Direction::to_client;

class Conversation {
 public:
  explicit Conversation(capture::Reassembler& tap, Endpoint client = v4(1, 40000), Endpoint server = v4(2, 3306),
                        std::uint32_t client_isn = 1000, std::uint32_t server_isn = 0xfffffff0)
      : tap_(tap), ends_{client, server}, isn_{client_isn, server_isn} {}

  // What the next segments carry.
  CaptureTime now{};
  std::uint64_t packet = 0;

  void syn_only() { raw(to_server, -1, "", syn, std::nullopt); }
  void syn_ack() { raw(to_client, -1, "", syn | ack, 0); }
  void handshake() {
    syn_only();
    syn_ack();
    acknowledge(to_server);
  }
  // The next bytes of a direction, acknowledging all that the other side has sent.
  void say(Direction d, std::string_view text, std::uint8_t flags = ack) {
    const std::uint64_t position = sent_[index(d)];
    sent_[index(d)] += text.size();
    raw(d, static_cast<std::int64_t>(position), text, flags, static_cast<std::int64_t>(sent_[index(opposite(d))]));
  }
  void acknowledge(Direction d) { say(d, ""); }
  void close(Direction d) {
    say(d, "", ack | fin);
    ++sent_[index(d)];
  }
  // Sent, received by the peer, never captured.
  void lose(Direction d, std::size_t bytes) { sent_[index(d)] += bytes; }

  // Any segment: bytes at a position of its direction, acknowledging a position of the other.
  void raw(Direction d, std::int64_t position, std::string_view text, std::uint8_t flags, std::optional<std::int64_t> acknowledged,
           std::uint32_t cut = 0) {
    capture::SegmentView segment;
    segment.source = ends_[index(d)];
    segment.destination = ends_[index(opposite(d))];
    segment.sequence = isn_[index(d)] + 1 + static_cast<std::uint32_t>(position);
    if (acknowledged) segment.acknowledgement = isn_[index(opposite(d))] + 1 + static_cast<std::uint32_t>(*acknowledged);
    segment.flags.bits = flags;
    segment.payload = as_bytes(text);
    segment.cut = cut;
    segment.time = now;
    segment.packet = PacketNumber{++packet};
    tap_.feed(segment);
  }

 private:
  capture::Reassembler& tap_;
  Endpoint ends_[2];
  std::uint32_t isn_[2];
  std::uint64_t sent_[2] = {0, 0};
};

}  // namespace darktap::test
