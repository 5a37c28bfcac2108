// One TCP segment inside a packet, and the decoder that finds it: link header, tunnels, IPv4 or IPv6, TCP (RFC 791, 8200, 9293).
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/expected.h"
#include "base/ids.h"
#include "base/stream.h"
#include "base/time.h"
#include "capture/fragments.h"
#include "capture/packet.h"

namespace darktap::capture {

// The TCP flags that matter to a passive observer; other bits are kept but not named.
struct TcpFlags {
  static constexpr std::uint8_t fin_bit = 0x01, syn_bit = 0x02, rst_bit = 0x04, ack_bit = 0x10;
  std::uint8_t bits = 0;
  constexpr bool fin() const { return bits & fin_bit; }
  constexpr bool syn() const { return bits & syn_bit; }
  constexpr bool rst() const { return bits & rst_bit; }
  constexpr bool ack() const { return bits & ack_bit; }
};

struct SegmentView {
  Endpoint source, destination;
  std::uint32_t sequence = 0;         // of the SYN where there is one, else of the first payload byte
  std::uint32_t acknowledgement = 0;  // meaningful only with flags.ack()
  std::uint16_t window = 0;           // unscaled
  TcpFlags flags;
  Bytes payload;            // lives as long as the packet's data
  std::uint32_t cut = 0;    // payload bytes behind `payload` that were on the wire but were not captured
  CaptureTime time;
  PacketNumber packet;
};

// Why a packet holds no TCP segment that we can use.
enum class NotSegment : std::uint8_t {
  unsupported_link,  // no decoder for the packet's link type
  not_ip,            // ARP, LLC, IPX, …
  not_tcp,           // UDP, ICMP, …
  fragment,          // a piece of a fragmented IP packet that isn't whole; if it never is, its bytes show up as a gap
  truncated,         // the snapshot length cut inside the headers
  malformed,         // a header contradicts itself
  too_deep,          // more tunnels inside each other than most_tunnels
};
inline constexpr std::size_t not_segment_reasons = 7;
std::string_view to_string(NotSegment reason);

// Tunnels that are followed: VXLAN (UDP 4789, 8472; VXLAN-GPE 4790), Geneve (UDP 6081), GRE with its options (also NVGRE and
// transparent Ethernet), ERSPAN type I, II and III inside it, IP in IP. Inside each other at most as many:
inline constexpr int most_tunnels = 4;

// Finds the TCP segment. Checksums are not looked at: offloading leaves them unfilled on the sending host. Ethernet padding
// is trimmed by the IP length; an IP length of zero (segmentation offload) means the rest of the packet.
class SegmentDecoder {
 public:
  explicit SegmentDecoder(const FragmentLimits& limits = {}) : fragments_(limits) {}
  // The segment's payload lives as long as the packet's data and until the next call, whichever ends first.
  Expected<SegmentView, NotSegment> decode(const PacketView& packet);
  const FragmentStats& fragments() const { return fragments_.stats(); }
  std::size_t fragments_buffered() const { return fragments_.buffered(); }

 private:
  Fragments fragments_;
};

// The same for one packet alone: a fragment stays one.
Expected<SegmentView, NotSegment> decode_segment(const PacketView& packet);

}  // namespace darktap::capture
