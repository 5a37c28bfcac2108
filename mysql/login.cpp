#include "login.h"

#include <algorithm>

#include "lenenc.h"

namespace darktap::mysql {

namespace {

constexpr std::uint8_t protocol_version = 10;

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

// A MariaDB peer clears CLIENT_MYSQL (bit 0) and puts its own 32 flags into the last four filler bytes.
Capabilities with_extended(Capabilities low, std::uint32_t extended) {
  if ((low & capability::long_password) != 0) return low;
  return low | Capabilities{extended} << 32;
}

std::optional<LoginRequest> parse_320(ByteReader reader) {
  LoginRequest login;
  login.capabilities = reader.u16le();
  reader.skip(3);  // max packet
  if (reader.at_end() && reader.ok() && (login.capabilities & capability::ssl) != 0) {
    login.kind = LoginRequest::Kind::tls;
    return login;
  }
  login.user = std::string(as_text(reader.until_nul()));
  if (!reader.ok()) return std::nullopt;
  if ((login.capabilities & capability::connect_with_db) != 0) {
    reader.until_nul();  // the scramble
    ByteReader tail(reader.rest());
    Bytes schema = tail.until_nul();
    login.schema = std::string(as_text(tail.ok() ? schema : reader.rest()));
  }
  return login;
}

}  // namespace

std::optional<Greeting> parse_greeting(Bytes message) {
  ByteReader reader(message);
  if (reader.u8() != protocol_version) return std::nullopt;
  Greeting greeting;
  greeting.server_version = std::string(as_text(reader.until_nul()));
  constexpr std::size_t longest_version = 200;
  if (!reader.ok() || greeting.server_version.empty() || greeting.server_version.size() > longest_version ||
      !is_printable(greeting.server_version))
    return std::nullopt;
  reader.skip(4 + 8 + 1);  // connection id, first part of the scramble, filler
  std::uint32_t low = reader.u16le();
  if (!reader.ok()) return std::nullopt;
  greeting.capabilities = low;
  if (reader.at_end()) return greeting;  // servers before 4.1
  greeting.collation = reader.u8();
  reader.skip(2);  // status
  std::uint32_t high = reader.u16le();
  reader.skip(1 + 6);  // length of the scramble, filler
  std::uint32_t extended = reader.u32le();
  if (!reader.ok()) return std::nullopt;
  greeting.capabilities = with_extended(low | high << 16, extended);
  return greeting;
}

std::optional<LoginRequest> parse_login_request(Bytes message) {
  ByteReader reader(message);
  LoginRequest login;
  std::uint32_t low = reader.u32le();
  if (!reader.ok()) return std::nullopt;
  if ((low & capability::protocol_41) == 0) return parse_320(ByteReader(message));
  reader.skip(4);  // max packet
  login.collation = reader.u8();
  reader.skip(19);
  std::uint32_t extended = reader.u32le();
  if (!reader.ok()) return std::nullopt;
  login.capabilities = with_extended(low, extended);
  if (reader.at_end()) {
    if ((low & capability::ssl) == 0) return std::nullopt;
    login.kind = LoginRequest::Kind::tls;
    return login;
  }
  login.user = std::string(as_text(reader.until_nul()));
  if (!reader.ok()) return std::nullopt;
  if ((low & capability::plugin_auth_lenenc) != 0) {
    read_lenenc_bytes(reader);
  } else if ((low & capability::secure_connection) != 0) {
    reader.skip(reader.u8());
  } else {
    reader.until_nul();
  }
  if (!reader.ok()) {
    return login;  // the user is known all the same
  }
  if ((low & capability::connect_with_db) != 0 && !reader.at_end()) {
    ByteReader tail(reader.rest());
    Bytes schema = tail.until_nul();
    login.schema = std::string(as_text(tail.ok() ? schema : reader.rest()));  // some clients leave the last NUL out
  }
  return login;  // the plugin's name and the connection's attributes change nothing here
}

std::optional<UserChange> parse_user_change(Bytes body, Capabilities capabilities) {
  ByteReader reader(body);
  UserChange change;
  change.user = std::string(as_text(reader.until_nul()));
  if ((capabilities & capability::secure_connection) != 0) {
    reader.skip(reader.u8());
  } else {
    reader.until_nul();
  }
  change.schema = std::string(as_text(reader.until_nul()));
  if (!reader.ok()) return std::nullopt;
  if (reader.remaining() >= 2) change.collation = reader.u16le();
  return change;
}

Capabilities in_force(Capabilities server, Capabilities client) {
  // The extended half counts only between two MariaDB peers, which clear bit 0.
  return server & client;
}

}  // namespace darktap::mysql
