// Any packets at all, through the whole pure journey: link, IP and TCP decoding, reassembly, MySQL decoding, sessions.
#include <cstdlib>

#include "capture/packet.h"
#include "capture/reassembler.h"
#include "session/assembler.h"

namespace {

using namespace darktap;

class Nothing final : public session::ExchangeSink {
 public:
  void on_session(const session::SessionInfo&) override {}
  void on_exchange(session::Exchange&) override {}
  void on_session_end(SessionId, CaptureTime) override {}
};

}  // namespace

// Input: link type selector, then packets, each a length (two bytes), a time step (one byte, milliseconds) and its bytes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static constexpr capture::LinkType links[] = {capture::link_type::ethernet, capture::link_type::raw, capture::link_type::null,
                                                capture::link_type::linux_sll, capture::link_type::linux_sll2};
  ByteReader reader({reinterpret_cast<const std::byte*>(data), size});
  const capture::LinkType link = links[reader.u8() % std::size(links)];
  Nothing nothing;
  session::Assembler assembler(nothing, {});
  capture::ReassemblerOptions options;
  options.limits.buffered_per_connection = 1U << 16;
  options.limits.buffered_total = 1U << 20;
  capture::Reassembler reassembler(assembler, options);
  CaptureTime time{};
  for (std::uint64_t number = 1; !reader.at_end(); ++number) {
    const std::size_t length = reader.u16le();
    time += std::chrono::milliseconds(reader.u8());
    const Bytes packet = reader.take(std::min(length, reader.remaining()));
    reassembler.feed({.time = time, .link = link, .wire_length = static_cast<std::uint32_t>(packet.size()), .data = packet,
                      .number = PacketNumber{number}});
    if (reassembler.stats().buffered > options.limits.buffered_total) std::abort();
  }
  reassembler.finish(time);
  return 0;
}
