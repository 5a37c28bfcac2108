// The small messages a response is made of: OK, EOF, ERR, column definitions, session tracking.
#pragma once

#include <optional>

#include "mysql/answer.h"
#include "mysql/response_decoder.h"

namespace darktap::mysql {

inline constexpr std::uint8_t ok_marker = 0x00, infile_marker = 0xfb, eof_marker = 0xfe, error_marker = 0xff;
// A row may begin with 0xFE only where its first value is 16 MiB or longer; anything shorter ends the rows.
inline constexpr std::size_t shortest_long_row = 0xffffff;
inline constexpr std::size_t eof_length = 5;

struct ParsedOk {
  Ok ok;
  SessionChanges changes;
};
// An OK packet (protocol: OK_Packet), also in the 0xFE guise that DEPRECATE_EOF gives it at the end of rows. Every byte
// must be accounted for. The info is a length-prefixed string from every known server; a bare one is taken too.
std::optional<ParsedOk> parse_ok(Bytes message);

struct Eof {
  std::uint16_t warnings = 0, status = 0;
};
// Five bytes; servers up to 5.0 end definitions with the marker alone.
inline std::optional<Eof> parse_eof(Bytes message) {
  ByteReader reader(message);
  if (reader.u8() != eof_marker) return std::nullopt;
  Eof eof;
  if (reader.at_end()) return eof;
  if (message.size() != eof_length) return std::nullopt;
  eof.warnings = reader.u16le();
  eof.status = reader.u16le();
  return eof;
}

std::optional<ServerError> parse_error(Bytes message);
// MariaDB's progress reports come as an error of this code, before the real answer.
inline constexpr std::uint16_t progress_code = 0xffff;

// How a definition is laid out: MariaDB's extended metadata adds a field; `by_shape` tells by its length.
enum class DefinitionLayout : std::uint8_t { classic, extended, by_shape };
std::optional<Column> parse_column(Bytes message, DefinitionLayout layout);

}  // namespace darktap::mysql
