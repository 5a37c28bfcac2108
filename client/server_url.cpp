#include "client/server_url.h"

#include <charconv>
#include <optional>

namespace darktap::client {
namespace {

constexpr std::string_view scheme = "mysql://";
constexpr std::string_view expected = "write mysql://user@host:port/schema";

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    unsigned value = 0;
    const char* digits = text.data() + i + 1;
    if (i + 2 >= text.size() || std::from_chars(digits, digits + 2, value, 16).ptr != digits + 2) return std::nullopt;
    if (value == 0) return std::nullopt;  // a NUL would cut the name short further on
    out += static_cast<char>(value);
    i += 2;
  }
  return out;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

}  // namespace

Expected<ServerUrl, std::string> parse_server_url(std::string_view text) {
  // What stands before the @ may be a password in a URL that is wrong elsewhere: it is never repeated.
  auto refuse = [&](std::string_view what) {
    auto at = text.rfind('@');
    std::string shown = at == std::string_view::npos ? std::string(text) : "…" + std::string(text.substr(at));
    return Unexpected(shown + ": " + std::string(what) + "; " + std::string(expected));
  };
  if (!text.starts_with(scheme)) return refuse("not a server URL");
  for (char c : text)
    if (static_cast<unsigned char>(c) <= ' ' || c == 0x7f)
      return Unexpected("server URL: it holds a space or a control character; " + std::string(expected));
  std::string_view rest = text.substr(scheme.size());

  ServerUrl url;
  std::string_view authority = rest.substr(0, rest.find('/'));
  std::string_view path = authority.size() < rest.size() ? rest.substr(authority.size() + 1) : std::string_view{};
  if (auto at = authority.rfind('@'); at != std::string_view::npos) {
    std::string_view user = authority.substr(0, at);
    authority.remove_prefix(at + 1);
    if (auto colon = user.find(':'); colon != std::string_view::npos)
      return Unexpected(std::string(scheme) + std::string(user.substr(0, colon)) + ":***@" + std::string(authority) +
                        ": a password in the URL is shown in the process list; put it into --defaults-file or DARKTAP_TARGET_PASSWORD");
    auto decoded = percent_decoded(user);
    if (!decoded || decoded->empty()) return refuse("the user's name can't be read");
    url.user = *decoded;
  }
  if (path.find_first_of("?#") != std::string_view::npos) return refuse("options in the URL are not understood");
  if (path.find('/') != std::string_view::npos) return refuse("more than one schema");
  auto schema = percent_decoded(path);
  if (!schema) return refuse("the schema's name can't be read");
  url.schema = *schema;

  std::string_view port;
  bool has_port = false;
  if (authority.starts_with('[')) {
    auto close = authority.find(']');
    if (close == std::string_view::npos) return refuse("an IPv6 address without its closing bracket");
    url.host = authority.substr(1, close - 1);
    std::string_view behind = authority.substr(close + 1);
    if (!behind.empty() && behind[0] != ':') return refuse("something behind the IPv6 address");
    has_port = !behind.empty();
    port = has_port ? behind.substr(1) : behind;
  } else {
    auto colon = authority.find(':');
    if (colon != std::string_view::npos && authority.find(':', colon + 1) != std::string_view::npos)
      return refuse("more than one colon (an IPv6 address stands in brackets)");
    url.host = authority.substr(0, colon);
    has_port = colon != std::string_view::npos;
    if (has_port) port = authority.substr(colon + 1);
  }
  if (url.host.empty()) return refuse("no host");
  if (has_port) {
    auto parsed = parse_port(port);
    if (!parsed) return refuse("the port is not a number from 1 to 65535");
    url.port = *parsed;
  }
  return url;
}

std::string address_of(const ServerUrl& url) {
  bool is_v6 = url.host.find(':') != std::string::npos;
  return (is_v6 ? "[" + url.host + "]" : url.host) + ":" + std::to_string(url.port);
}

}  // namespace darktap::client
