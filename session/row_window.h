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
inline constexpr bool is_kept(std::size_t length) { return length >= shortest_row && length <= longest_row; }
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
    return row_window::is_kept(length) && rows_.size() < row_window::most_rows && bytes_.size() + length <= row_window::most_bytes;
  }
  void add(Bytes row) {
    if (bytes_.capacity() == 0) bytes_.reserve(row_window::most_bytes);  // address space; memory only as rows come
    rows_.push_back({static_cast<std::uint32_t>(bytes_.size()), static_cast<std::uint32_t>(row.size())});
    bytes_.insert(bytes_.end(), row.begin(), row.end());
  }
  // Asks the processor for what row() will read; only a hint.
  void fetch_place(std::uint32_t number) const {
    if (number < rows_.size()) __builtin_prefetch(&rows_[number]);
  }
  void fetch_bytes(std::uint32_t number) const {
    if (number >= rows_.size() || rows_[number].length == hole) return;
    constexpr std::size_t line = 64, most = 4 * line;
    for (std::size_t at = 0; at < rows_[number].length && at < most; at += line) __builtin_prefetch(bytes_.data() + rows_[number].begin + at);
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

// The same with a way from bytes to number, for writing. What it reads lies anywhere in some megabytes, so that finding a row
// mostly is waiting for memory: who has many rows to find asks for their parts some rows ahead, slot, place and bytes in turn.
class RowWindow {
 public:
  static std::uint64_t hash(Bytes row);
  void fetch_slot(std::uint64_t hash) const {
    if (!table_.empty()) __builtin_prefetch(&table_[hash & (table_.size() - 1)]);
  }
  void fetch_place(std::uint64_t hash) const { fetch(hash, &RowStore::fetch_place); }
  void fetch_bytes(std::uint64_t hash) const { fetch(hash, &RowStore::fetch_bytes); }

  // How to write this row; `expected`: the number of the row behind the last one, tried first.
  struct Found {
    enum class How : std::uint8_t { known, remembered, whole } how = How::whole;
    std::uint32_t number = 0;  // where it is known or remembered
  };
  Found find_or_add(Bytes row, std::uint64_t hash, std::uint32_t expected);
  const RowStore& rows() const { return rows_; }
  void clear();

 private:
  struct Slot {
    std::uint32_t upper = 0, after = 0;  // the hash's upper half; the row's number + 1, 0 where the slot is free
  };
  static std::uint32_t upper_half(std::uint64_t hash) { return static_cast<std::uint32_t>(hash >> 32); }
  void fetch(std::uint64_t hash, void (RowStore::*part)(std::uint32_t) const) const {
    if (table_.empty()) return;
    const Slot& slot = table_[hash & (table_.size() - 1)];
    if (slot.after != 0 && slot.upper == upper_half(hash)) (rows_.*part)(slot.after - 1);
  }
  void grow();

  RowStore rows_;
  std::vector<Slot> table_;  // open addressing, by hash
};

}  // namespace darktap::session
