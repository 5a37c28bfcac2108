// Who may talk to the page while there are no accounts: whoever holds the token, through a browser or a program on this
// machine that addresses it by a loopback name (against DNS rebinding), from the page itself (against other sites).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace darktap::web {

// The parts of a request that decide. Empty: the header is missing.
struct Credentials {
  std::string_view method, host, origin, fetch_site, cookie, token_header, token_parameter;
};

enum class Admission : std::uint8_t {
  refused_host,    // not one of our names: nothing is answered, not even that a token is missing
  refused_origin,  // another site's page asks
  refused_token,
  admitted,
  admitted_by_address,  // by ?token=…: the answer sets the cookie, so that the page can drop the token from its address
};

class Guard {
 public:
  // The token is what the printed address holds; port is the one that is bound.
  Guard(std::string token, std::uint16_t port);
  Admission admit(const Credentials& credentials) const;
  // Value of Set-Cookie: for this browser session, never sent from other sites, invisible to scripts.
  std::string cookie() const;

 private:
  std::string token_, cookie_name_;
  std::uint16_t port_;
};

// 128 bits from the kernel, as 32 hexadecimal digits.
std::string random_token();

}  // namespace darktap::web
