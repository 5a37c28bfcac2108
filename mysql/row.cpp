#include "mysql/row.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <bit>

#include "lenenc.h"
#include "values.h"

namespace darktap::mysql {

namespace {

std::optional<std::vector<Cell>> decode_text_row(Bytes row, std::size_t columns) {
  std::vector<Cell> cells;
  ByteReader reader(row);
  for (std::size_t i = 0; i < columns; ++i) {
    if (reader.at_end()) return std::nullopt;
    if (reader.peek() == 0xfb) {
      reader.skip(1);
      cells.push_back({.is_null = true, .text = {}});
      continue;
    }
    std::string_view text = read_lenenc_text(reader);
    if (!reader.ok()) return std::nullopt;
    cells.push_back({.is_null = false, .text = std::string(text)});
  }
  if (!reader.at_end()) return std::nullopt;
  return cells;
}

std::optional<std::vector<Cell>> decode_binary_row(Bytes row, std::span<const Column> columns) {
  ByteReader reader(row);
  if (reader.u8() != 0) return std::nullopt;
  Bytes nulls = reader.take((columns.size() + 7 + 2) / 8);
  if (!reader.ok()) return std::nullopt;
  std::vector<Cell> cells;
  cells.reserve(columns.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    std::size_t bit = i + 2;  // the first two bits are reserved
    if ((std::to_integer<unsigned>(nulls[bit / 8]) >> (bit % 8) & 1U) != 0) {
      cells.push_back({.is_null = true, .text = {}});
      continue;
    }
    const Column& column = columns[i];
    Bytes value = read_binary_value(reader, column.type);
    if (!reader.ok()) return std::nullopt;
    auto text = print_binary_value(value, column.type, {column.flags, column.length, column.decimals});
    if (!text) return std::nullopt;
    cells.push_back({.is_null = false, .text = *std::move(text)});
  }
  if (!reader.at_end()) return std::nullopt;
  return cells;
}

}  // namespace

std::optional<std::vector<Cell>> decode_row(Bytes row, std::span<const Column> columns, RowFormat format) {
  return format == RowFormat::text ? decode_text_row(row, columns.size()) : decode_binary_row(row, columns);
}

bool is_bytes(const Column& column) {
  switch (column.type) {
    case ColumnType::bit:
    case ColumnType::geometry:
    case ColumnType::vector: return true;
    case ColumnType::varchar:
    case ColumnType::tiny_blob:
    case ColumnType::medium_blob:
    case ColumnType::long_blob:
    case ColumnType::blob:
    case ColumnType::var_string:
    case ColumnType::string: return column.charset == binary_charset;
    case ColumnType::decimal:
    case ColumnType::tiny:
    case ColumnType::short_:
    case ColumnType::long_:
    case ColumnType::float_:
    case ColumnType::double_:
    case ColumnType::null:
    case ColumnType::timestamp:
    case ColumnType::longlong:
    case ColumnType::int24:
    case ColumnType::date:
    case ColumnType::time:
    case ColumnType::datetime:
    case ColumnType::year:
    case ColumnType::newdate:
    case ColumnType::timestamp2:
    case ColumnType::datetime2:
    case ColumnType::time2:
    case ColumnType::json:  // MySQL marks JSON as binary, and sends UTF-8
    case ColumnType::newdecimal:
    case ColumnType::enum_:
    case ColumnType::set: return false;
  }
  return false;
}

bool is_integer(const Column& column) {
  if ((column.flags & column_flag::zerofill) != 0) return false;  // 007 is no JSON number
  return column.type == ColumnType::tiny || column.type == ColumnType::short_ || column.type == ColumnType::long_ ||
         column.type == ColumnType::longlong || column.type == ColumnType::int24 || column.type == ColumnType::year;
}

void RowDigests::add(Bytes row) {
  XXH128_hash_t hash = XXH3_128bits(row.data(), row.size());
  ++rows;
  // Order counts: each step multiplies by an odd constant and rotates, so that exchanged rows end elsewhere.
  ordered_low = std::rotl(ordered_low ^ hash.low64, 27) * 0x9e3779b185ebca87ULL + hash.high64;
  ordered_high = std::rotl(ordered_high ^ hash.high64, 31) * 0xc2b2ae3d27d4eb4fULL + hash.low64;
  multiset_low += hash.low64;
  multiset_high += hash.high64 + (multiset_low < hash.low64 ? 1 : 0);
  sum64 += hash.low64;
}

}  // namespace darktap::mysql
