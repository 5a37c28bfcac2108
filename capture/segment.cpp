#include "capture/segment.h"

#include <algorithm>

#include "link_header.h"

namespace darktap::capture {

std::string_view to_string(NotSegment reason) {
  switch (reason) {
    case NotSegment::unsupported_link: return "unsupported_link";
    case NotSegment::not_ip: return "not_ip";
    case NotSegment::not_tcp: return "not_tcp";
    case NotSegment::fragment: return "fragment";
    case NotSegment::truncated: return "truncated";
    case NotSegment::malformed: return "malformed";
  }
  return "?";
}

namespace {

using Problem = Unexpected<NotSegment>;

constexpr std::uint8_t protocol_tcp = 6;

// What follows the IP header(s): the reader stands at it, and this is its length on the wire.
struct TransportLayer {
  std::size_t length = 0;
};

// How long the IP packet was on the wire, seen from its first byte.
std::size_t on_the_wire(const PacketView& packet, const ByteReader& at_ip) {
  const std::size_t wire = std::max<std::size_t>(packet.wire_length, packet.data.size());
  return wire - at_ip.offset();
}

void copy_v4(Bytes from, IpAddress& to) {
  to.bytes[10] = to.bytes[11] = 0xff;
  std::memcpy(to.bytes.data() + 12, from.data(), 4);
}

Expected<TransportLayer, NotSegment> read_ipv4(const PacketView& packet, ByteReader& reader, SegmentView& segment) {
  const std::size_t wire = on_the_wire(packet, reader);
  const std::uint8_t version_and_length = reader.u8();
  const std::size_t header_length = std::size_t{version_and_length & 0x0fu} * 4;
  reader.skip(1);
  std::size_t total_length = reader.u16be();
  reader.skip(2);
  const std::uint16_t fragment = reader.u16be();
  reader.skip(1);
  const std::uint8_t protocol = reader.u8();
  reader.skip(2);
  const Bytes source = reader.take(4), destination = reader.take(4);
  if (!reader.ok()) return Problem(NotSegment::truncated);
  if (version_and_length >> 4 != 4 || header_length < 20) return Problem(NotSegment::malformed);
  if (total_length == 0) total_length = wire;
  if (total_length < header_length) return Problem(NotSegment::malformed);
  if (protocol != protocol_tcp) return Problem(NotSegment::not_tcp);
  if (fragment & 0x3fff) return Problem(NotSegment::fragment);  // an offset, or more to follow
  reader.skip(header_length - 20);
  if (!reader.ok()) return Problem(NotSegment::truncated);
  copy_v4(source, segment.source.address);
  copy_v4(destination, segment.destination.address);
  return TransportLayer{total_length - header_length};
}

// RFC 8200 §4: extension headers stand between the IPv6 header and TCP.
Expected<TransportLayer, NotSegment> read_ipv6(const PacketView& packet, ByteReader& reader, SegmentView& segment) {
  constexpr int max_extension_headers = 16;
  const std::size_t wire = on_the_wire(packet, reader);
  const std::uint8_t version = reader.u8() >> 4;
  reader.skip(3);
  std::size_t payload_length = reader.u16be();
  std::uint8_t next = reader.u8();
  reader.skip(1);
  const Bytes source = reader.take(16), destination = reader.take(16);
  if (!reader.ok()) return Problem(NotSegment::truncated);
  if (version != 6) return Problem(NotSegment::malformed);
  if (payload_length == 0) payload_length = wire - std::min<std::size_t>(wire, 40);

  const std::size_t payload_start = reader.offset();
  for (int headers = 0; next != protocol_tcp; ++headers) {
    if (headers == max_extension_headers) return Problem(NotSegment::malformed);
    const std::uint8_t type = next;
    next = reader.u8();
    const std::uint8_t length = reader.u8();
    switch (type) {
      case 0: case 43: case 60: case 135: case 139: case 140:  // hop-by-hop, routing, destination, mobility, HIP, shim6
        reader.skip(6 + std::size_t{length} * 8);
        break;
      case 51:  // authentication header: counted in 4 bytes
        reader.skip(std::size_t{length} * 4 + 6);
        break;
      case 44:  // fragment; one that is the whole packet ("atomic") may pass
        if (reader.u16be() & 0xfff9) return Problem(reader.ok() ? NotSegment::fragment : NotSegment::truncated);
        reader.skip(4);
        break;
      default: return Problem(NotSegment::not_tcp);
    }
    if (!reader.ok()) return Problem(NotSegment::truncated);
  }
  const std::size_t extensions = reader.offset() - payload_start;
  if (payload_length < extensions) return Problem(NotSegment::malformed);
  std::memcpy(segment.source.address.bytes.data(), source.data(), 16);
  std::memcpy(segment.destination.address.bytes.data(), destination.data(), 16);
  return TransportLayer{payload_length - extensions};
}

}  // namespace

Expected<SegmentView, NotSegment> decode_segment(const PacketView& packet) {
  const LinkHeader link = link_header_of(packet.link);
  if (link == LinkHeader::unsupported) return Problem(NotSegment::unsupported_link);
  ByteReader reader(packet.data);
  SegmentView segment;
  Expected<TransportLayer, NotSegment> transport = Problem(NotSegment::not_ip);
  switch (read_link_header(link, reader)) {
    case NetworkLayer::ipv4: transport = read_ipv4(packet, reader, segment); break;
    case NetworkLayer::ipv6: transport = read_ipv6(packet, reader, segment); break;
    case NetworkLayer::other: return Problem(NotSegment::not_ip);
    case NetworkLayer::truncated: return Problem(NotSegment::truncated);
  }
  if (!transport) return Problem(transport.error());

  segment.source.port = reader.u16be();
  segment.destination.port = reader.u16be();
  segment.sequence = reader.u32be();
  segment.acknowledgement = reader.u32be();
  const std::size_t header_length = std::size_t{reader.u8()} / 16 * 4;
  segment.flags.bits = reader.u8();
  segment.window = reader.u16be();
  reader.skip(4);  // checksum, urgent pointer
  if (!reader.ok()) return Problem(NotSegment::truncated);
  if (header_length < 20 || header_length > transport->length) return Problem(NotSegment::malformed);
  reader.skip(header_length - 20);  // where the snapshot ends in the options, all of the payload counts as cut

  const std::size_t payload_length = transport->length - header_length;
  segment.payload = reader.take(std::min(payload_length, reader.remaining()));
  segment.cut = static_cast<std::uint32_t>(payload_length - segment.payload.size());
  segment.time = packet.time;
  segment.packet = packet.number;
  return segment;
}

}  // namespace darktap::capture
