// The rows that a segment of a recording has seen: production reads the same rows again and again, and a row that is known
// is written as its number. Bounded in rows and in bytes; a row that doesn't fit any more is written whole each time.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"

namespace darktap::session {

namespace row_window {
inline constexpr std::size_t most_bytes = std::size_t{12} << 20;
inline constexpr std::size_t most_rows = std::size_t{1} << 18;
inline constexpr std::size_t shortest_row = 12;             // a shorter one is written whole: its number is no shorter
inline constexpr std::size_t longest_row = std::size_t{64} << 10;
// How a row is written: whole and remembered, whole, or 2 + the zigzag distance from the row behind the last one.
inline constexpr std::uint64_t remembered = 0, whole = 1, first_reference = 2;
}  // namespace row_window

// The rows by number, for reading. Numbers may have holes: rows of a block that was damaged.
class RowStore {
 public:
  std::uint32_t size() const { return static_cast<std::uint32_t>(rows_.size()); }
  std::size_t byte_size() const { return bytes_.size(); }
  // Lives until the next add.
  std::optional<Bytes> row(std::uint64_t number) const {
    if (number >= rows_.size() || rows_[number].length == hole) return std::nullopt;
    return Bytes(bytes_).subspan(rows_[number].begin, rows_[number].length);
  }
  bool takes(std::size_t length) const {
    return length >= row_window::shortest_row && length <= row_window::longest_row && rows_.size() < row_window::most_rows &&
           bytes_.size() + length <= row_window::most_bytes;
  }
  void add(Bytes row) {
    if (bytes_.capacity() == 0) bytes_.reserve(row_window::most_bytes);  // address space; memory only as rows come
    rows_.push_back({static_cast<std::uint32_t>(bytes_.size()), static_cast<std::uint32_t>(row.size())});
    bytes_.insert(bytes_.end(), row.begin(), row.end());
  }
  void skip_to(std::uint32_t number) {
    while (rows_.size() < number) rows_.push_back({0, hole});
  }
  bool is_full() const { return rows_.size() >= row_window::most_rows * 15 / 16 || bytes_.size() >= row_window::most_bytes * 15 / 16; }
  void clear() {
    rows_.clear();
    bytes_.clear();
  }

 private:
  static constexpr std::uint32_t hole = 0xffffffff;
  struct Place {
    std::uint32_t begin, length;
  };
  std::vector<Place> rows_;
  std::vector<std::byte> bytes_;
};

// The same with a way from bytes to number, for writing.
class RowWindow {
 public:
  // How to write this row; `expected`: the number of the row behind the last one, tried first.
  struct Found {
    enum class How : std::uint8_t { known, remembered, whole } how = How::whole;
    std::uint32_t number = 0;  // where it is known or remembered
  };
  Found find_or_add(Bytes row, std::uint32_t expected);
  const RowStore& rows() const { return rows_; }
  void clear();

 private:
  void grow();

  RowStore rows_;
  std::vector<std::uint32_t> hashes_;  // by number: the upper half of the row's hash
  std::vector<std::uint32_t> table_;   // open addressing, by hash: number + 1; 0 is free
};

}  // namespace darktap::session
