// Rows as they came off the wire, kept flat; their digests; and their cells.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "mysql/protocol.h"

namespace darktap::mysql {

// A column definition (protocol: ColumnDefinition41). Names are in UTF-8 as the server sends them.
struct Column {
  std::string schema, table, org_table, name, org_name;
  std::uint16_t charset = 0;  // collation id; 63 = binary
  std::uint32_t length = 0;   // display length
  ColumnType type = ColumnType::null;
  std::uint16_t flags = 0;
  std::uint8_t decimals = 0;
  std::string extended_type;  // MariaDB's extended metadata ("json", "inet6", …), empty where there is none
  bool operator==(const Column&) const = default;
};

// The columns of a result: never changed once made, and shared by all results of the same definitions, since production sends
// the same ones again and again. Reads as a const vector; to change them, make new ones.
class Columns {
 public:
  Columns() = default;
  Columns(std::vector<Column> columns)  // NOLINT: a list of columns is what it is
      : shared_(columns.empty() ? nullptr : std::make_shared<const std::vector<Column>>(std::move(columns))) {}

  // Lives as long as this, or a copy of it.
  const std::vector<Column>& list() const& { return shared_ ? *shared_ : none(); }
  const std::vector<Column>& list() && = delete;
  operator const std::vector<Column>&() const& { return list(); }
  std::size_t size() const { return list().size(); }
  bool empty() const { return shared_ == nullptr; }
  std::vector<Column>::const_iterator begin() const { return list().begin(); }
  std::vector<Column>::const_iterator end() const { return list().end(); }
  const Column& operator[](std::size_t i) const { return list()[i]; }
  const Column& at(std::size_t i) const { return list().at(i); }
  bool operator==(const Columns& other) const { return shared_ == other.shared_ || list() == other.list(); }

 private:
  static const std::vector<Column>& none() {
    static const std::vector<Column> empty;
    return empty;
  }
  std::shared_ptr<const std::vector<Column>> shared_;
};

enum class RowFormat : std::uint8_t { text, binary };

// One value. A text value is what the server printed; a binary protocol value is printed here exactly as the server
// would have in the text protocol (BIT and blobs stay bytes).
struct Cell {
  bool is_null = false;
  std::string text;
  bool operator==(const Cell&) const = default;
};

// The cells of one row payload, or nothing where the bytes don't fit the columns.
std::optional<std::vector<Cell>> decode_row(Bytes row, std::span<const Column> columns, RowFormat format);

// True where a value of this column is bytes rather than text (binary charset and a string, blob, bit or geometry type).
bool is_bytes(const Column& column);
// True where the printed value is a JSON number as it stands (integers, DECIMAL is not: its scale would be lost).
bool is_integer(const Column& column);

// 128-bit sums that tell apart: the same rows in the same order; the same rows in another order; other rows. Each row
// payload counts by XXH3-128; the multiset sum is modulo 2^128 (not XOR, in which two equal rows cancel).
struct RowDigests {
  std::uint64_t rows = 0;
  std::uint64_t ordered_high = 0, ordered_low = 0;
  std::uint64_t multiset_high = 0, multiset_low = 0;
  std::uint64_t sum64 = 0;  // sum of the rows' 64-bit digests, for inspect's rows_digest

  void add(Bytes row);
  bool same_order(const RowDigests& other) const {
    return rows == other.rows && ordered_high == other.ordered_high && ordered_low == other.ordered_low;
  }
  bool same_multiset(const RowDigests& other) const {
    return rows == other.rows && multiset_high == other.multiset_high && multiset_low == other.multiset_low;
  }
  bool operator==(const RowDigests&) const = default;
};

// Row payloads in one byte vector plus offsets.
class RowBatch {
 public:
  void add(Bytes row) {
    bytes_.insert(bytes_.end(), row.begin(), row.end());
    ends_.push_back(bytes_.size());
  }
  std::size_t size() const { return ends_.size(); }
  bool empty() const { return ends_.empty(); }
  std::size_t byte_size() const { return bytes_.size() + ends_.size() * sizeof(std::size_t); }
  std::size_t capacity() const { return bytes_.capacity() + ends_.capacity() * sizeof(std::size_t); }
  // Lives until the batch is changed.
  Bytes row(std::size_t i) const& {
    std::size_t begin = i == 0 ? 0 : ends_[i - 1];
    return Bytes(bytes_).subspan(begin, ends_[i] - begin);
  }
  Bytes row(std::size_t i) && = delete;
  // The default would go byte by byte (g++ 12).
  bool operator==(const RowBatch& other) const { return ends_ == other.ends_ && as_text(bytes_) == as_text(other.bytes_); }
  void clear() { bytes_.clear(); ends_.clear(); }

 private:
  std::vector<std::byte> bytes_;
  std::vector<std::size_t> ends_;
};

}  // namespace darktap::mysql
