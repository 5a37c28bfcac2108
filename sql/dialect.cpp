#include "sql/dialect.h"

#include <array>
#include <cctype>
#include <string>

#include "base/text.h"

namespace darktap::sql {
namespace {

std::uint32_t digits(std::string_view text, std::size_t& at) {
  std::uint32_t value = 0;
  for (; at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])) && value < 100000; ++at) {
    value = value * 10 + static_cast<std::uint32_t>(text[at] - '0');
  }
  return value;
}

constexpr bool in(unsigned char c, unsigned char low, unsigned char high) { return c >= low && c <= high; }

}  // namespace

SqlMode parse_sql_mode(std::string_view value) {
  SqlMode mode;
  if (!value.empty() && value.size() < 19 && value.find_first_not_of("0123456789") == std::string_view::npos) {
    // SET sql_mode = 4: the servers' bits, the same in all of them.
    unsigned long long bits = std::stoull(std::string(value));
    mode.pipes_as_concat = (bits & 1U << 1) != 0;
    mode.ansi_quotes = (bits & 1U << 2) != 0;
    mode.ignore_space = (bits & 1U << 3) != 0;
    mode.no_backslash_escapes = (bits & 1U << 20) != 0;
    return mode;
  }
  std::size_t begin = 0;
  while (begin <= value.size()) {
    std::size_t end = value.find(',', begin);
    if (end == std::string_view::npos) end = value.size();
    std::string name = lower(value.substr(begin, end - begin));
    while (!name.empty() && name.front() == ' ') name.erase(0, 1);
    while (!name.empty() && name.back() == ' ') name.pop_back();
    // The combined modes as the manuals list them (MySQL 5.7 "Combination SQL Modes"; MariaDB "SQL_MODE").
    bool combined = name == "ansi" || name == "db2" || name == "maxdb" || name == "mssql" || name == "oracle" || name == "postgresql";
    if (combined || name == "ansi_quotes") mode.ansi_quotes = true;
    if (combined || name == "pipes_as_concat") mode.pipes_as_concat = true;
    if (combined || name == "ignore_space") mode.ignore_space = true;
    if (name == "no_backslash_escapes") mode.no_backslash_escapes = true;
    begin = end + 1;
  }
  return mode;
}

Charset charset_of(std::string_view name) {
  std::string wanted = lower(name);
  wanted = wanted.substr(0, wanted.find('_'));
  if (wanted == "gbk") return Charset::gbk;
  if (wanted == "gb18030") return Charset::gb18030;
  if (wanted == "sjis") return Charset::sjis;
  if (wanted == "cp932") return Charset::cp932;
  if (wanted == "big5") return Charset::big5;
  return Charset::plain;
}

// Lead and trail ranges as in the servers' ctype-gbk.c, ctype-gb18030.c, ctype-sjis.c, ctype-cp932.c and ctype-big5.c.
std::size_t character_length(Charset charset, std::string_view text) {
  if (charset == Charset::plain || text.size() < 2) return 1;
  auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  unsigned char lead = byte(0), trail = byte(1);
  bool pair = false;
  switch (charset) {
    case Charset::plain: break;
    case Charset::gbk: pair = in(lead, 0x81, 0xfe) && (in(trail, 0x40, 0x7e) || in(trail, 0x80, 0xfe)); break;
    case Charset::gb18030:
      pair = in(lead, 0x81, 0xfe) && (in(trail, 0x40, 0x7e) || in(trail, 0x80, 0xfe));
      if (!pair && text.size() >= 4 && in(lead, 0x81, 0xfe) && in(trail, 0x30, 0x39) && in(byte(2), 0x81, 0xfe) &&
          in(byte(3), 0x30, 0x39)) {
        return 4;
      }
      break;
    case Charset::sjis:
    case Charset::cp932:
      pair = (in(lead, 0x81, 0x9f) || in(lead, 0xe0, 0xfc)) && (in(trail, 0x40, 0x7e) || in(trail, 0x80, 0xfc));
      break;
    case Charset::big5: pair = in(lead, 0xa1, 0xf9) && (in(trail, 0x40, 0x7e) || in(trail, 0xa1, 0xfe)); break;
  }
  return pair ? 2 : 1;
}

std::optional<Server> parse_server_name(std::string_view name) {
  std::string text = lower(name);
  Server server;
  std::string_view rest = text;
  if (rest.starts_with("mysql")) {
    server.kind = ServerKind::mysql;
    rest.remove_prefix(5);
  } else if (rest.starts_with("mariadb")) {
    server.kind = ServerKind::mariadb;
    rest.remove_prefix(7);
  } else {
    return std::nullopt;
  }
  if (rest.empty()) return server;
  if (rest.find_first_not_of("0123456789.") != std::string_view::npos) return std::nullopt;
  std::size_t at = 0;
  std::uint32_t major = 0, minor = 0, release = last_of_series;
  if (rest.find('.') == std::string_view::npos) {
    // "80" is 8.0, "1011" is 10.11, "118" is 11.8: MySQL's majors have one digit, MariaDB's two from 10 on.
    std::size_t major_digits = server.kind == ServerKind::mariadb && rest.starts_with('1') ? 2 : 1;
    if (rest.size() <= major_digits || rest.size() > major_digits + 2) return std::nullopt;
    major = digits(rest.substr(0, major_digits), at);
    minor = digits(rest.substr(major_digits), at = 0);
  } else {  // "8.0", "10.11.6"
    major = digits(rest, at);
    if (at == rest.size()) return std::nullopt;
    minor = digits(rest, ++at);
    if (at < rest.size()) release = digits(rest, ++at);
    if (at != rest.size() || rest.ends_with('.')) return std::nullopt;
  }
  bool known = server.kind == ServerKind::mysql ? major == 5 || major == 8 || major == 9 : major == 5 || (major >= 10 && major <= 12);
  if (!known || minor > 99 || release > last_of_series) return std::nullopt;
  server.version = major * 10000 + minor * 100 + release;
  return server;
}

Server server_of_version(std::string_view version) {
  Server server;
  server.kind = lower(version).find("mariadb") != std::string::npos ? ServerKind::mariadb : ServerKind::mysql;
  // MariaDB before 11 prefixes its version so that old replicas accept it.
  if (server.kind == ServerKind::mariadb && version.starts_with("5.5.5-")) version.remove_prefix(6);
  std::size_t at = 0;
  std::array<std::uint32_t, 3> parts{};
  for (std::uint32_t& part : parts) {
    part = digits(version, at);
    if (at < version.size() && version[at] == '.') ++at;
    else break;
  }
  if (parts[0] == 0 || parts[0] > 99 || parts[1] > 99 || parts[2] > 99) return {};
  server.version = parts[0] * 10000 + parts[1] * 100 + parts[2];
  return server;
}

}  // namespace darktap::sql
