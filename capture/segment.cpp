#include "capture/segment.h"

#include <algorithm>
#include <optional>

#include "link_header.h"
#include "plain_segment.h"
#include "tunnel.h"

namespace darktap::capture {

std::string_view to_string(NotSegment reason) {
  switch (reason) {
    case NotSegment::unsupported_link: return "unsupported_link";
    case NotSegment::not_ip: return "not_ip";
    case NotSegment::not_tcp: return "not_tcp";
    case NotSegment::fragment: return "fragment";
    case NotSegment::truncated: return "truncated";
    case NotSegment::malformed: return "malformed";
    case NotSegment::too_deep: return "too_deep";
  }
  return "?";
}

namespace {

using Problem = Unexpected<NotSegment>;

// What is left of a packet at some layer: the reader's bytes, and bytes behind them that were on the wire but not captured.
struct Rest {
  ByteReader reader;
  std::size_t missing = 0;
  std::size_t on_the_wire() const { return reader.remaining() + missing; }

  // The payload of a layer that says how long it is: what follows is padding.
  Rest first(std::size_t length) const {
    const std::size_t captured = std::min(length, reader.remaining());
    return {ByteReader(reader.rest().first(captured)), length - captured};
  }
};

struct IpPacket {
  IpAddress source, destination;
  std::uint8_t protocol = 0;
  Rest payload;
  // A piece of a packet, not one.
  struct Fragment {
    std::uint32_t id = 0;
    std::size_t offset = 0;
    Fragments::Piece::Place place{};
    enum class Version : std::uint8_t { v4, v6 } version = Version::v4;
  };
  std::optional<Fragment> fragment;
};

void copy_v4(Bytes from, IpAddress& to) {
  to.bytes[10] = to.bytes[11] = 0xff;
  std::memcpy(to.bytes.data() + 12, from.data(), 4);
}

Expected<IpPacket, NotSegment> read_ipv4(Rest at) {
  ByteReader& reader = at.reader;
  const std::size_t wire = at.on_the_wire();
  const std::uint8_t version_and_length = reader.u8();
  const std::size_t header_length = std::size_t{version_and_length & 0x0fu} * 4;
  reader.skip(1);
  std::size_t total_length = reader.u16be();
  const std::uint16_t id = reader.u16be();
  const std::uint16_t fragment = reader.u16be();
  reader.skip(1);
  const std::uint8_t protocol = reader.u8();
  reader.skip(2);
  const Bytes source = reader.take(4), destination = reader.take(4);
  if (!reader.ok()) return Problem(NotSegment::truncated);
  if (version_and_length >> 4 != 4 || header_length < 20) return Problem(NotSegment::malformed);
  if (total_length == 0) total_length = wire;
  if (total_length < header_length) return Problem(NotSegment::malformed);
  reader.skip(header_length - 20);
  if (!reader.ok()) return Problem(NotSegment::truncated);
  IpPacket packet{.protocol = protocol, .payload = at.first(total_length - header_length)};
  copy_v4(source, packet.source);
  copy_v4(destination, packet.destination);
  constexpr std::uint16_t more_fragments = 0x2000, offset_mask = 0x1fff;
  if (fragment & (more_fragments | offset_mask)) {
    using Place = Fragments::Piece::Place;
    packet.fragment = {id, static_cast<std::size_t>(fragment & offset_mask) * 8, fragment & more_fragments ? Place::more_follow : Place::last,
                       IpPacket::Fragment::Version::v4};
  }
  return packet;
}

// RFC 8200 §4: extension headers stand between the IPv6 header and what it carries.
Expected<IpPacket, NotSegment> read_ipv6(Rest at) {
  constexpr int max_extension_headers = 16;
  const std::size_t wire = at.on_the_wire();
  ByteReader& header = at.reader;
  const std::uint8_t version = header.u8() >> 4;
  header.skip(3);
  std::size_t payload_length = header.u16be();
  std::uint8_t next = header.u8();
  header.skip(1);
  const Bytes source = header.take(16), destination = header.take(16);
  if (!header.ok()) return Problem(NotSegment::truncated);
  if (version != 6) return Problem(NotSegment::malformed);
  if (payload_length == 0) payload_length = wire - std::min<std::size_t>(wire, 40);

  IpPacket packet{.payload = at.first(payload_length)};
  std::memcpy(packet.source.bytes.data(), source.data(), 16);
  std::memcpy(packet.destination.bytes.data(), destination.data(), 16);
  ByteReader& reader = packet.payload.reader;
  // Inside what was captured but beyond what the header claims, a header contradicts itself.
  const auto runs_out = [&] { return Problem(packet.payload.missing == 0 ? NotSegment::malformed : NotSegment::truncated); };
  for (int headers = 0;; ++headers) {
    const bool is_extension = next == 0 || next == 43 || next == 60 || next == 135 || next == 139 || next == 140 || next == 51 || next == 44;
    if (!is_extension) break;
    if (headers == max_extension_headers) return Problem(NotSegment::malformed);
    const std::uint8_t type = next;
    next = reader.u8();
    const std::uint8_t length = reader.u8();
    switch (type) {
      case 51:  // authentication header: counted in 4 bytes
        reader.skip(std::size_t{length} * 4 + 6);
        break;
      case 44: {
        const std::uint16_t fragment = reader.u16be();
        const std::uint32_t id = reader.u32be();
        if (!reader.ok()) return runs_out();
        if ((fragment & 0xfff9) == 0) break;  // one that is the whole packet ("atomic")
        using Place = Fragments::Piece::Place;
        packet.protocol = next;
        packet.fragment = {id, static_cast<std::size_t>(fragment & 0xfff8), fragment & 1 ? Place::more_follow : Place::last, IpPacket::Fragment::Version::v6};
        return packet;  // what follows is part of the fragmented packet
      }
      default:  // hop-by-hop, routing, destination, mobility, HIP, shim6
        reader.skip(6 + std::size_t{length} * 8);
    }
    if (!reader.ok()) return runs_out();
  }
  packet.protocol = next;
  return packet;
}

Expected<SegmentView, NotSegment> read_tcp(const IpPacket& ip, const PacketView& packet) {
  ByteReader reader = ip.payload.reader;
  const std::size_t length = ip.payload.on_the_wire();
  SegmentView segment;
  segment.source.address = ip.source;
  segment.destination.address = ip.destination;
  segment.source.port = reader.u16be();
  segment.destination.port = reader.u16be();
  segment.sequence = reader.u32be();
  segment.acknowledgement = reader.u32be();
  const std::size_t header_length = std::size_t{reader.u8()} / 16 * 4;
  segment.flags.bits = reader.u8();
  segment.window = reader.u16be();
  reader.skip(4);  // checksum, urgent pointer
  if (!reader.ok()) return Problem(ip.payload.missing == 0 ? NotSegment::malformed : NotSegment::truncated);
  if (header_length < 20 || header_length > length) return Problem(NotSegment::malformed);
  reader.skip(header_length - 20);  // where the snapshot ends in the options, all of the payload counts as cut

  segment.payload = reader.rest();
  segment.cut = static_cast<std::uint32_t>(length - header_length - segment.payload.size());
  segment.time = packet.time;
  segment.packet = packet.number;
  return segment;
}

// From layer to layer until TCP. `fragments` may be null.
Expected<SegmentView, NotSegment> unwrap(const PacketView& packet, Fragments* fragments) {
  LinkHeader link = link_header_of(packet.link);
  if (link == LinkHeader::unsupported) return Problem(NotSegment::unsupported_link);
  Rest at{ByteReader(packet.data), packet.wire_length - std::min<std::size_t>(packet.wire_length, packet.data.size())};
  NetworkLayer network = read_link_header(link, at.reader);
  for (int tunnels = 0;;) {
    Expected<IpPacket, NotSegment> ip = Problem(NotSegment::not_ip);
    switch (network) {
      case NetworkLayer::ipv4: ip = read_ipv4(at); break;
      case NetworkLayer::ipv6: ip = read_ipv6(at); break;
      case NetworkLayer::other: break;
      case NetworkLayer::truncated: return Problem(NotSegment::truncated);
    }
    if (!ip) return Problem(ip.error());
    if (ip->fragment) {
      if (fragments == nullptr) return Problem(NotSegment::fragment);
      const IpPacket::Fragment& piece = *ip->fragment;
      const std::uint8_t keyed_protocol = piece.version == IpPacket::Fragment::Version::v4 ? ip->protocol : 0;
      const auto whole = fragments->add({.key = {ip->source, ip->destination, piece.id, keyed_protocol},
                                         .offset = piece.offset,
                                         .place = piece.place,
                                         .protocol = ip->protocol,
                                         .bytes = ip->payload.reader.rest(),
                                         .missing = ip->payload.missing,
                                         .time = packet.time});
      if (!whole) return Problem(NotSegment::fragment);
      ip->protocol = whole->protocol;
      ip->payload = {ByteReader(whole->bytes), whole->missing};
    }
    if (ip->protocol == ip_protocol::tcp) return read_tcp(*ip, packet);

    at = ip->payload;
    const Inner inner = read_tunnel(ip->protocol, at.reader);
    if (inner == Inner::none) return Problem(NotSegment::not_tcp);
    if (inner == Inner::truncated) return Problem(at.missing == 0 ? NotSegment::malformed : NotSegment::truncated);
    if (++tunnels > most_tunnels) return Problem(NotSegment::too_deep);
    network = inner == Inner::ipv4 ? NetworkLayer::ipv4 : inner == Inner::ipv6 ? NetworkLayer::ipv6 : read_link_header(LinkHeader::ethernet, at.reader);
  }
}

}  // namespace

Expected<SegmentView, NotSegment> SegmentDecoder::decode(const PacketView& packet) {
  Expected<SegmentView, NotSegment> segment;
  if (!read_plain_segment(packet, *segment)) segment = unwrap(packet, &fragments_);
  return segment;
}
Expected<SegmentView, NotSegment> decode_segment(const PacketView& packet) { return unwrap(packet, nullptr); }

}  // namespace darktap::capture
