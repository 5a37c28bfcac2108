// The login's messages (protocol: Connection Phase). What proves who someone is, is read past and never kept.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"
#include "mysql/protocol.h"

namespace darktap::mysql {

// Protocol::HandshakeV10.
struct Greeting {
  std::string server_version;
  Capabilities capabilities = 0;  // MariaDB's extended ones included, where bit 0 is cleared
  std::uint8_t collation = 0;
};
std::optional<Greeting> parse_greeting(Bytes message);

// Protocol::SSLRequest, HandshakeResponse41 or HandshakeResponse320.
struct LoginRequest {
  enum class Kind : std::uint8_t { login, tls } kind = Kind::login;
  Capabilities capabilities = 0;  // as the client says; in force only where the server said so too
  std::uint16_t collation = 0;
  std::string user, schema;
};
std::optional<LoginRequest> parse_login_request(Bytes message);

// COM_CHANGE_USER behind its command byte.
struct UserChange {
  std::string user, schema;
  std::uint16_t collation = 0;  // 0: not said
};
std::optional<UserChange> parse_user_change(Bytes body, Capabilities capabilities);

// Both sides' capabilities to those in force.
Capabilities in_force(Capabilities server, Capabilities client);

}  // namespace darktap::mysql
