// What of an exchange stays the same whenever its statement runs: who asked, the statement without its literals, what kind
// of answer came, with which columns. The rest of it is values, in the order that the codec gives them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "session/exchange.h"
#include "statement_skeleton.h"
#include "wire.h"

namespace darktap::session {

// How a parameter's value is written: nothing, an integer of that many bytes, or a piece.
enum class ValueCoding : std::uint8_t { none = 0, integer1 = 1, integer2 = 2, integer4 = 4, integer8 = 8, piece = 9 };
ValueCoding coding_of(const mysql::Parameter& parameter);

// Which values there are at all.
struct ShapeFlags {
  static constexpr std::uint64_t statement_id = 1, number = 2, answered_statement_id = 4, response_times = 8;
};
std::uint64_t flags_of(const Exchange& exchange);

// What a result holds beyond its shape.
struct ResultFlags {
  static constexpr std::uint64_t info = 1, gtid = 2;    // of an OK
  static constexpr std::uint64_t stored_digests = 1, sealed = 2;  // of a result set: not all of its rows are kept, or none
};
std::uint64_t flags_of(const mysql::Result& result);

void encode_shape(WireWriter& out, const Exchange& exchange, std::string_view skeleton);

struct ExchangeShape {
  Exchange prototype;  // without its values
  std::string skeleton;
  std::uint64_t flags = 0;
  std::vector<ValueCoding> parameters, attributes;
  std::vector<std::uint64_t> results;  // their flags
};
bool decode_shape(WireReader& in, ExchangeShape& shape);

}  // namespace darktap::session
