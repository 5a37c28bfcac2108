// Any bytes in both directions of one connection, chopped anywhere and with gaps, through the MySQL decoder.
#include <array>
#include <cstdlib>
#include <variant>

#include "mysql/connection_decoder.h"

namespace {

using namespace darktap;

class KeptRowsChecker final : public mysql::DecoderSink {
 public:
  explicit KeptRowsChecker(const mysql::DecoderLimits& limits) : limits_(limits) {}
  void on_exchange(mysql::Exchange& exchange) override {
    for (const mysql::Result& result : exchange.answer.results) {
      const auto* rows = std::get_if<mysql::ResultSet>(&result);
      if (rows != nullptr && rows->rows.size() > limits_.kept_rows) std::abort();
    }
  }

 private:
  mysql::DecoderLimits limits_;
};

}  // namespace

// Input: a byte that says whether the login was missed, then pieces: a byte (bit 0 direction, bit 1 gap), a length (two
// bytes), and the bytes, which a gap has not.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ByteReader reader({reinterpret_cast<const std::byte*>(data), size});
  mysql::DecoderLimits limits;
  limits.kept_rows = 8;
  limits.kept_bytes = 4096;
  limits.message_bytes = 1U << 20;
  limits.pending_commands = 100;
  limits.frame_payload = 255;
  KeptRowsChecker checker(limits);
  mysql::ConnectionDecoder decoder(checker, limits,
                                   reader.u8() % 2 == 0 ? StreamOpen::Start::handshake : StreamOpen::Start::midstream);
  std::array<std::uint64_t, 2> position{};
  for (std::uint64_t packet = 1; !reader.at_end(); ++packet) {
    const std::uint8_t kind = reader.u8();
    const Direction direction = kind & 1 ? Direction::to_client : Direction::to_server;
    const std::size_t length = reader.u16le();
    const CaptureTime time{std::chrono::milliseconds(packet)};
    if (kind & 2) {
      decoder.feed(StreamGap{ConnectionId{1}, direction, StreamPosition{position[index(direction)]}, length, time, PacketNumber{packet}});
      position[index(direction)] += length;
    } else {
      const Bytes bytes = reader.take(std::min(length, reader.remaining()));
      decoder.feed(StreamBytes{ConnectionId{1}, direction, StreamPosition{position[index(direction)]}, time, PacketNumber{packet}, bytes});
      position[index(direction)] += bytes.size();
    }
    if (decoder.memory() > (64U << 20)) std::abort();
  }
  decoder.finish(StreamEnd::Reason::finished);
  return 0;
}
