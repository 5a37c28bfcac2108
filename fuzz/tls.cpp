// Any bytes in both directions of a connection that turned to TLS, with any key log, chopped anywhere and with gaps.
#include <array>
#include <cstdlib>

#include "mysql/connection_decoder.h"

namespace {

using namespace darktap;

class Counter final : public mysql::DecoderSink {
 public:
  void on_exchange(mysql::Exchange&) override { ++exchanges; }
  std::size_t exchanges = 0;
};

}  // namespace

// Input: a length (two bytes) and a key log's text; then pieces: a byte (bit 0 direction, bit 1 gap, bit 2 more of the key log),
// a length (two bytes), and the bytes, which a gap has not.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ByteReader reader({reinterpret_cast<const std::byte*>(data), size});
  mysql::KeyLog keys;
  keys.expect();
  const auto text = [&] {
    const std::size_t length = reader.u16le();
    return as_text(reader.take(std::min(length, reader.remaining())));
  };
  keys.add(text());
  mysql::DecoderLimits limits;
  limits.kept_rows = 8;
  limits.kept_bytes = 4096;
  limits.message_bytes = 1U << 20;
  limits.pending_commands = 100;
  Counter counter;
  {
    mysql::ConnectionDecoder decoder(counter, limits, StreamOpen::Start::handshake, nullptr, &keys);
    std::array<std::uint64_t, 2> position{};
    for (std::uint64_t packet = 1; !reader.at_end(); ++packet) {
      const std::uint8_t kind = reader.u8();
      const Direction direction = kind & 1 ? Direction::to_client : Direction::to_server;
      const CaptureTime time{std::chrono::milliseconds(packet)};
      if (kind & 4) {
        keys.add(text());
      } else if (kind & 2) {
        const std::size_t length = reader.u16le();
        decoder.feed(StreamGap{ConnectionId{1}, direction, StreamPosition{position[index(direction)]}, length, time, PacketNumber{packet}});
        position[index(direction)] += length;
      } else {
        const Bytes bytes = as_bytes(text());
        decoder.feed(StreamBytes{ConnectionId{1}, direction, StreamPosition{position[index(direction)]}, time, PacketNumber{packet}, bytes});
        position[index(direction)] += bytes.size();
      }
      if (decoder.memory() > (64U << 20)) std::abort();
    }
    decoder.finish(StreamEnd::Reason::finished);
  }
  keys.settle();
  if (!keys.reserve(mysql::KeyLog::held_bytes)) std::abort();  // what was held was given back
  return 0;
}
