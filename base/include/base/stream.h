// The vocabulary between the tap and the decoder: one TCP connection's bytes, in order, and the holes in them.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/time.h"

namespace darktap {

// IPv4 addresses are held as IPv4-mapped IPv6 (::ffff:a.b.c.d), so that one type serves both.
struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};
  auto operator<=>(const IpAddress&) const = default;
  bool is_v4() const;
  static IpAddress from_v4(std::array<std::uint8_t, 4> address);
};
// "10.0.0.1" or "2001:db8::1" (RFC 5952).
std::string to_string(const IpAddress& address);

struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;
  auto operator<=>(const Endpoint&) const = default;
};
// "10.0.0.1:3306" or "[2001:db8::1]:3306".
std::string to_string(const Endpoint& endpoint);

struct FlowKey {
  Endpoint client, server;
  auto operator<=>(const FlowKey&) const = default;
};

enum class Direction : std::uint8_t { to_server, to_client };
constexpr Direction opposite(Direction d) { return d == Direction::to_server ? Direction::to_client : Direction::to_server; }
constexpr std::size_t index(Direction d) { return static_cast<std::size_t>(d); }

// A TCP connection came into view.
struct StreamOpen {
  ConnectionId connection;
  FlowKey flow;
  CaptureTime time;
  PacketNumber packet;
  enum class Start : std::uint8_t { handshake, midstream } start = Start::midstream;  // was its SYN seen?
};

// The next bytes of one direction. The view lives until the sink returns.
struct StreamBytes {
  ConnectionId connection;
  Direction direction{};
  StreamPosition position;  // of the first byte
  CaptureTime time;         // of the packet that carried them
  PacketNumber packet;
  Bytes bytes;
};

// Bytes that the tap did not see walk in their own place.
struct StreamGap {
  ConnectionId connection;
  Direction direction{};
  StreamPosition position;
  std::uint64_t length = 0;
  CaptureTime time;  // of the packet behind the gap
  PacketNumber packet;
};

struct StreamEnd {
  ConnectionId connection;
  CaptureTime time;
  PacketNumber packet;
  enum class Reason : std::uint8_t { finished, reset, replaced, evicted, capture_ended } reason = Reason::finished;
};

// Where stream events go. A sink is called in capture order; for one connection: open, then bytes and gaps, then end.
class StreamSink {
 public:
  virtual ~StreamSink() = default;
  virtual void on_open(const StreamOpen& event) = 0;
  virtual void on_bytes(const StreamBytes& event) = 0;
  virtual void on_gap(const StreamGap& event) = 0;
  virtual void on_end(const StreamEnd& event) = 0;
};

}  // namespace darktap
