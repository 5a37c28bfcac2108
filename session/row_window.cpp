#include "row_window.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cstring>

namespace darktap::session {

namespace {
constexpr std::size_t smallest_table = 1024;

bool equal(Bytes a, Bytes b) { return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size()) == 0; }
}  // namespace

RowWindow::Found RowWindow::find_or_add(Bytes row, std::uint32_t expected) {
  if (row.size() < row_window::shortest_row || row.size() > row_window::longest_row) return {};
  if (auto next = rows_.row(expected); next && equal(*next, row)) return {Found::How::known, expected};
  if ((rows_.size() + 1U) * 2U > table_.size()) grow();
  std::uint64_t hash = XXH3_64bits(row.data(), row.size());
  auto upper = static_cast<std::uint32_t>(hash >> 32);
  std::size_t mask = table_.size() - 1, slot = hash & mask;
  for (; table_[slot] != 0; slot = (slot + 1) & mask) {
    std::uint32_t number = table_[slot] - 1;
    if (hashes_[number] == upper && equal(*rows_.row(number), row)) return {Found::How::known, number};
  }
  if (!rows_.takes(row.size())) return {};
  std::uint32_t number = rows_.size();
  rows_.add(row);
  hashes_.push_back(upper);
  table_[slot] = number + 1;
  return {Found::How::remembered, number};
}

void RowWindow::grow() {
  table_.assign(std::max(smallest_table, table_.size() * 2), 0);
  std::size_t mask = table_.size() - 1;
  for (std::uint32_t number = 0; number < rows_.size(); ++number) {
    Bytes row = *rows_.row(number);
    std::size_t slot = XXH3_64bits(row.data(), row.size()) & mask;
    while (table_[slot] != 0) slot = (slot + 1) & mask;
    table_[slot] = number + 1;
  }
}

void RowWindow::clear() {
  rows_.clear();
  hashes_.clear();
  std::fill(table_.begin(), table_.end(), 0U);
}

}  // namespace darktap::session
