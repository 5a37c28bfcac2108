#include "client/execute.h"

namespace darktap::client {
namespace {

using mysql::ColumnType;
using Presence = mysql::Parameter::Presence;

constexpr std::uint8_t unsigned_flag = 0x80;

void put_byte(std::vector<std::byte>& out, std::uint64_t value) { out.push_back(static_cast<std::byte>(value & 0xff)); }
void put_little(std::vector<std::byte>& out, std::uint64_t value, int count) {
  for (int i = 0; i < count; ++i) put_byte(out, value >> (8 * i));
}

void put_length(std::vector<std::byte>& out, std::uint64_t length) {
  if (length < 251) return put_byte(out, length);
  if (length <= 0xffff) return put_byte(out, 0xfc), put_little(out, length, 2);
  if (length <= 0xffffff) return put_byte(out, 0xfd), put_little(out, length, 3);
  put_byte(out, 0xfe);
  put_little(out, length, 8);
}

enum class Encoding { fixed, temporal, length_encoded, nothing };
struct Shape {
  Encoding encoding;
  std::size_t size;  // of a fixed one
};

Shape shape_of(ColumnType type) {
  switch (type) {
    case ColumnType::tiny: return {Encoding::fixed, 1};
    case ColumnType::short_: case ColumnType::year: return {Encoding::fixed, 2};
    case ColumnType::long_: case ColumnType::int24: case ColumnType::float_: return {Encoding::fixed, 4};
    case ColumnType::longlong: case ColumnType::double_: return {Encoding::fixed, 8};
    case ColumnType::date: case ColumnType::newdate: case ColumnType::datetime: case ColumnType::timestamp: case ColumnType::time:
    case ColumnType::timestamp2: case ColumnType::datetime2: case ColumnType::time2:
      return {Encoding::temporal, 0};
    case ColumnType::null: return {Encoding::nothing, 0};
    case ColumnType::decimal: case ColumnType::newdecimal: case ColumnType::varchar: case ColumnType::var_string:
    case ColumnType::string: case ColumnType::enum_: case ColumnType::set: case ColumnType::bit: case ColumnType::json:
    case ColumnType::vector: case ColumnType::geometry: case ColumnType::tiny_blob: case ColumnType::medium_blob:
    case ColumnType::long_blob: case ColumnType::blob:
      return {Encoding::length_encoded, 0};
  }
  return {Encoding::length_encoded, 0};
}

bool is_temporal_length(ColumnType type, std::size_t size) {
  if (type == ColumnType::time || type == ColumnType::time2) return size == 0 || size == 8 || size == 12;
  return size == 0 || size == 4 || size == 7 || size == 11;
}

// Appends the value; false where its bytes don't fit its type.
bool put_value(std::vector<std::byte>& out, const mysql::Parameter& parameter) {
  auto [encoding, size] = shape_of(parameter.type);
  std::size_t length = parameter.bytes.size();
  if ((encoding == Encoding::fixed && length != size) || (encoding == Encoding::nothing && length != 0) ||
      (encoding == Encoding::temporal && !is_temporal_length(parameter.type, length)))
    return false;
  if (encoding == Encoding::temporal) put_byte(out, length);
  if (encoding == Encoding::length_encoded) put_length(out, length);
  out.insert(out.end(), parameter.bytes.begin(), parameter.bytes.end());
  return true;
}

void put_type(std::vector<std::byte>& out, const mysql::Parameter& parameter) {
  put_byte(out, static_cast<std::uint8_t>(parameter.type));
  put_byte(out, parameter.sign == mysql::Parameter::Sign::unsigned_ ? unsigned_flag : 0);
}

Unexpected<std::string> misfit(std::size_t index, const mysql::Parameter& parameter) {
  return Unexpected("parameter " + std::to_string(index + 1) + " has " + std::to_string(parameter.bytes.size()) + " bytes, which its type never has");
}

}  // namespace

Expected<std::vector<std::byte>, std::string> encode_execute(std::uint32_t statement_id,
                                                             std::span<const mysql::Parameter> parameters) {
  std::vector<std::byte> out;
  out.reserve(16 + parameters.size() * 12);
  put_little(out, statement_id, 4);
  put_byte(out, 0);       // no cursor
  put_little(out, 1, 4);  // iterations
  if (parameters.empty()) return out;

  std::size_t bitmap = out.size();
  out.resize(bitmap + (parameters.size() + 7) / 8);
  put_byte(out, 1);  // types follow
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const mysql::Parameter& parameter = parameters[i];
    if (parameter.presence == Presence::default_ || parameter.presence == Presence::ignore)
      return Unexpected("parameter " + std::to_string(i + 1) + " stands for a column's default, which only bulk executes know");
    if (parameter.presence == Presence::null) out[bitmap + i / 8] |= static_cast<std::byte>(1U << (i % 8));
    put_type(out, parameter);
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const mysql::Parameter& parameter = parameters[i];
    if (parameter.presence == Presence::null) continue;
    if (!put_value(out, parameter)) return misfit(i, parameter);
  }
  return out;
}

Expected<std::vector<std::byte>, std::string> encode_bulk_execute(std::uint32_t statement_id, std::span<const mysql::Parameter> parameters, std::size_t rows) {
  constexpr std::uint16_t send_types = 128;
  enum Indicator : std::uint8_t { value, null, default_, ignore };
  if (rows == 0 || parameters.size() % rows != 0 || parameters.empty()) return Unexpected(std::string("its parameters make no whole rows"));
  const std::size_t width = parameters.size() / rows;
  std::vector<std::byte> out;
  out.reserve(16 + parameters.size() * 12);
  put_little(out, statement_id, 4);
  put_little(out, send_types, 2);
  for (std::size_t i = 0; i < width; ++i) put_type(out, parameters[i]);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const mysql::Parameter& parameter = parameters[i];
    if (parameter.type != parameters[i % width].type || parameter.sign != parameters[i % width].sign)
      return Unexpected("parameter " + std::to_string(i % width + 1) + " has not the same type in all rows");
    switch (parameter.presence) {
      case Presence::null: put_byte(out, null); break;
      case Presence::default_: put_byte(out, default_); break;
      case Presence::ignore: put_byte(out, ignore); break;
      case Presence::value:
        put_byte(out, value);
        if (!put_value(out, parameter)) return misfit(i, parameter);
        break;
    }
  }
  return out;
}

}  // namespace darktap::client
