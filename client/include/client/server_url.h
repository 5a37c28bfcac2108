// A server as the user names it: mysql://user@host:port/schema.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/expected.h"

namespace darktap::client {

struct ServerUrl {
  std::string user;  // empty where the URL names none: the option file may
  std::string host;  // without the brackets of an IPv6 address; "localhost" means TCP too
  std::uint16_t port = 3306;
  std::string schema;  // empty where none is named
  bool operator==(const ServerUrl&) const = default;
};

// The URL, or one line that names it, says what is wrong and what to write. User and schema may be percent-encoded
// (RFC 3986). A password in the URL is refused, and is not repeated in the line: it would show in the process list.
Expected<ServerUrl, std::string> parse_server_url(std::string_view text);

// "host:port", an IPv6 address in brackets: the name under which reports show the server.
std::string address_of(const ServerUrl& url);

}  // namespace darktap::client
