// How far production's clients and servers are from a tap, as the TCP connections themselves tell.
#pragma once

#include <optional>

#include "base/histogram.h"

namespace darktap {

// In microseconds. A handshake tells both halves: SYN to SYN-ACK is tap to server and back, SYN-ACK to ACK tap to client and back.
// Where connections are older than the capture, what an end acknowledges without an answer of its own tells too (it may have
// waited for more: the lowest values count).
struct RoundTrips {
  Histogram handshake_server, handshake_client, ack_server, ack_client;

  bool known() const { return tap_to_server().has_value() || tap_to_client().has_value(); }
  // The median of the handshakes; without one, what the quickest tenth of the acknowledgements took.
  std::optional<std::uint64_t> tap_to_server() const { return estimate(handshake_server, ack_server); }
  std::optional<std::uint64_t> tap_to_client() const { return estimate(handshake_client, ack_client); }
  // Client to server and back: both halves.
  std::optional<std::uint64_t> whole() const {
    auto server = tap_to_server(), client = tap_to_client();
    return server && client ? std::optional(*server + *client) : std::nullopt;
  }

 private:
  static std::optional<std::uint64_t> estimate(const Histogram& handshakes, const Histogram& acks) {
    if (handshakes.count() > 0) return handshakes.quantile(0.5);
    if (acks.count() > 0) return acks.quantile(0.1);
    return std::nullopt;
  }
};

}  // namespace darktap
