// What decides how the same bytes are read: sql_mode, the connection's character set, and the server behind it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace darktap::sql {

// The parts of @@sql_mode that change the meaning of a text.
struct SqlMode {
  bool ansi_quotes = false;           // "x" is an identifier
  bool no_backslash_escapes = false;  // '\' is a plain character in a string
  bool pipes_as_concat = false;       // || joins strings
  bool ignore_space = false;          // "count (" is a function call
  bool operator==(const SqlMode&) const = default;
};
// "ANSI_QUOTES,PIPES_AS_CONCAT", also the combined modes (ANSI, ORACLE, DB2 …) and @@sql_mode as a number; modes without a meaning here are passed over.
SqlMode parse_sql_mode(std::string_view value);

// Client character sets in which the second byte of a character may look like a quote's neighbour: 0x5c (backslash) or
// 0x60 (backtick). All others, UTF-8 first among them, are `plain`.
enum class Charset : std::uint8_t { plain, gbk, gb18030, sjis, cp932, big5 };
// From a character set or collation name ("gbk", "sjis_japanese_ci"); case does not matter.
Charset charset_of(std::string_view name);
// Bytes of the character at the front of a non-empty text, as the server's lexer steps: 1, 2 or 4.
std::size_t character_length(Charset charset, std::string_view text);

// The release in Server::version where only the series is known; none reaches it.
inline constexpr std::uint32_t last_of_series = 99;

enum class ServerKind : std::uint8_t { unknown, mysql, mariadb };
struct Server {
  ServerKind kind = ServerKind::unknown;
  std::uint32_t version = 0;  // 80034, 101119; 0 = unknown
  bool operator==(const Server&) const = default;
};
// "mysql57", "mysql80", "mysql84", "mysql97", "mariadb1011", "mariadb118" (the command line's names), "mysql8.0.34" to the
// release, "mysql" and "mariadb" alone.
std::optional<Server> parse_server_name(std::string_view name);
// The handshake's version string: "8.0.34-vitess", "5.5.5-10.11.6-MariaDB-log".
Server server_of_version(std::string_view version);

struct Dialect {
  SqlMode mode;
  Charset charset = Charset::plain;
  Server server;
  bool operator==(const Dialect&) const = default;
};

}  // namespace darktap::sql
