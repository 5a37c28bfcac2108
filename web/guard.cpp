#include "web/guard.h"

#include <sys/random.h>

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "base/expected.h"

namespace darktap::web {

namespace {

// Takes the same time wherever the texts differ.
bool same_secret(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
  return difference == 0;
}

bool is_our_host(std::string_view host, std::uint16_t port) {
  std::string suffix = ":" + std::to_string(port);
  if (host.ends_with(suffix)) host.remove_suffix(suffix.size());
  else if (port != 80) return false;
  return host == "127.0.0.1" || host == "localhost" || host == "[::1]";
}

std::string_view cookie_value(std::string_view cookies, std::string_view name) {
  while (!cookies.empty()) {
    std::string_view one = cookies.substr(0, cookies.find(';'));
    cookies.remove_prefix(std::min(cookies.size(), one.size() + 1));
    while (one.starts_with(' ')) one.remove_prefix(1);
    if (one.starts_with(name) && one.substr(name.size()).starts_with('=')) return one.substr(name.size() + 1);
  }
  return {};
}

}  // namespace

// Cookies don't know ports, so the port is in the name: two pages on one machine don't throw each other out.
Guard::Guard(std::string token, std::uint16_t port)
    : token_(std::move(token)), cookie_name_("darktap_" + std::to_string(port)), port_(port) {}

std::string Guard::cookie() const { return cookie_name_ + "=" + token_ + "; Path=/; HttpOnly; SameSite=Strict"; }

Admission Guard::admit(const Credentials& credentials) const {
  if (!is_our_host(credentials.host, port_)) return Admission::refused_host;
  constexpr std::string_view scheme = "http://";
  bool own_origin = credentials.origin.starts_with(scheme) && credentials.origin.substr(scheme.size()) == credentials.host;
  if (!credentials.origin.empty() && !own_origin) return Admission::refused_origin;
  // The page itself may be opened from anywhere by its address; all else is asked for by the page.
  bool from_elsewhere = credentials.fetch_site == "cross-site" || credentials.fetch_site == "same-site";
  bool changes = credentials.method != "GET";
  bool by_address = !changes && same_secret(credentials.token_parameter, token_);
  if (from_elsewhere) return by_address ? Admission::admitted_by_address : Admission::refused_origin;
  if (same_secret(credentials.token_header, token_)) return Admission::admitted;
  if (same_secret(cookie_value(credentials.cookie, cookie_name_), token_)) {
    // A browser names the origin of every POST; without one, only the header shows that the sender knows the token.
    return changes && !own_origin ? Admission::refused_origin : Admission::admitted;
  }
  return by_address ? Admission::admitted_by_address : Admission::refused_token;
}

std::string random_token() {
  std::array<std::byte, 16> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    throw Failure(FailureKind::environment, "the kernel gave no random bytes for the page's token");
  }
  return to_hex(bytes);
}

}  // namespace darktap::web
