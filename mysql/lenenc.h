// Length-encoded numbers and strings (protocol: Length-Encoded Integer), read from hostile bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"

namespace darktap::mysql {

// 0xFB is NULL in a row and 0xFF an error marker: both fail the reader here, as neither is a number.
inline std::uint64_t read_lenenc(ByteReader& reader) {
  std::uint8_t first = reader.u8();
  if (first < 0xfb) return first;
  switch (first) {
    case 0xfc: return reader.u16le();
    case 0xfd: return reader.u24le();
    case 0xfe: return reader.u64le();
    default: reader.fail(); return 0;
  }
}

// Lives as long as the reader's bytes.
inline Bytes read_lenenc_bytes(ByteReader& reader) {
  std::uint64_t length = read_lenenc(reader);
  if (length > reader.remaining()) { reader.fail(); return {}; }
  return reader.take(static_cast<std::size_t>(length));
}

inline std::string_view read_lenenc_text(ByteReader& reader) { return as_text(read_lenenc_bytes(reader)); }

}  // namespace darktap::mysql
