// One value of the binary protocol: where it ends, and how the server would have printed it in the text protocol.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"
#include "mysql/protocol.h"

namespace darktap::mysql {

// Reads one value's bytes without a length prefix (protocol: Binary Protocol Value). Fails the reader on nonsense.
// The view lives as long as the reader's bytes.
Bytes read_binary_value(ByteReader& reader, ColumnType type);

// How a number or a temporal value is printed depends on its column.
struct PrintStyle {
  std::uint16_t flags = 0;    // column_flag::unsigned_, zerofill
  std::uint32_t length = 0;   // display length, for zerofill
  std::uint8_t decimals = 0;  // digits of a fraction; 31 says "as many as there are"
};
inline constexpr std::uint8_t any_decimals = 31;

// As the server prints it; nothing where the bytes don't fit the type.
std::optional<std::string> print_binary_value(Bytes value, ColumnType type, const PrintStyle& style);

// The server's own printing of floating point numbers (its my_gcvt): the shortest digits that read back as the same
// double, six significant ones for FLOAT; exponents without padding or plus sign: 0.1, 1e15, 1.5e-20.
std::string print_double(double value);
std::string print_float(float value);

}  // namespace darktap::mysql
