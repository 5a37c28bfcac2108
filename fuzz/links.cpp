// Any packets as link layers, tunnels, fragments and TCP headers: a payload lies within what was given, fragments within limits.
#include <cstdlib>

#include "capture/segment.h"

// Input: packets, each a link type selector (one byte), a length (two bytes), bytes on the wire beyond it (one byte), a time
// step (one byte, tenths of a second) and its bytes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace darktap;
  using namespace darktap::capture;
  static constexpr LinkType links[] = {link_type::ethernet, link_type::null, link_type::loop, link_type::raw,
                                       link_type::linux_sll, link_type::linux_sll2, link_type::ipv4, LinkType{127}};
  FragmentLimits limits;
  limits.packets = 8;
  limits.bytes = 4096;
  limits.pieces = 16;
  SegmentDecoder decoder(limits);
  ByteReader reader({reinterpret_cast<const std::byte*>(data), size});
  CaptureTime time{};
  while (!reader.at_end()) {
    const LinkType link = links[reader.u8() % std::size(links)];
    const std::size_t length = reader.u16le();
    const std::uint32_t beyond = reader.u8();
    time += std::chrono::milliseconds(100) * reader.u8();
    const Bytes packet = reader.take(std::min(length, reader.remaining()));
    const PacketView view{.time = time, .link = link, .wire_length = static_cast<std::uint32_t>(packet.size()) + beyond, .data = packet, .number = {}};
    const auto alone = decode_segment(view);
    if (alone && alone->payload.size() > packet.size()) std::abort();
    const auto segment = decoder.decode(view);
    if (alone && (!segment || segment->sequence != alone->sequence)) std::abort();
    if (segment) {
      unsigned sum = 0;
      for (const std::byte byte : segment->payload) sum += std::to_integer<unsigned>(byte);
      if (sum > 255u * 70'000u) std::abort();
    }
    if (decoder.fragments_buffered() > limits.bytes) std::abort();
  }
  return 0;
}
