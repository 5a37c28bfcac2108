// What of a TLS handshake is in the clear and matters: the hellos (RFC 5246 §7.4.1, RFC 8446 §4.1).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "mysql/key_log.h"
#include "tls_suites.h"

namespace darktap::mysql {

namespace tls_message {
inline constexpr std::uint8_t client_hello = 1, server_hello = 2, finished = 20, key_update = 24;
}

struct ServerHello {
  enum class Kind : std::uint8_t { hello, retry } kind = Kind::hello;  // retry: the client says its hello again
  ClientRandom random{};
  std::uint16_t suite = 0;
  TlsVersion version = TlsVersion::tls12;
};
std::optional<ServerHello> parse_server_hello(Bytes body);
// The random of a ClientHello.
std::optional<ClientRandom> parse_client_hello(Bytes body);

// Handshake messages out of the records that carry them, in one direction: a type, a 24-bit length, a body.
class HandshakeReader {
 public:
  static constexpr std::size_t longest_kept = 64U << 10;  // longer ones (chains of certificates) are counted through

  void add(Bytes bytes);
  // True where the next message has begun; its body is here in full, or empty where it was too long to keep.
  struct Message {
    std::uint8_t type = 0;
    std::vector<std::byte> body;
  };
  std::optional<Message> next();
  void reset();
  std::size_t memory() const { return buffer_.capacity(); }

 private:
  std::vector<std::byte> buffer_;
  std::size_t skip_ = 0;
};

}  // namespace darktap::mysql
