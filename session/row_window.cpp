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

std::uint64_t RowWindow::hash(Bytes row) {
  return row_window::is_kept(row.size()) ? XXH3_64bits(row.data(), row.size()) : 0;
}

RowWindow::Found RowWindow::find_or_add(Bytes row, std::uint64_t hash, std::uint32_t expected) {
  if (!row_window::is_kept(row.size())) return {};
  if (auto next = rows_.row(expected); next && equal(*next, row)) return {Found::How::known, expected};
  if ((rows_.size() + 1U) * 2U > table_.size()) grow();
  std::size_t mask = table_.size() - 1, slot = hash & mask;
  for (; table_[slot].after != 0; slot = (slot + 1) & mask) {
    std::uint32_t number = table_[slot].after - 1;
    if (table_[slot].upper == upper_half(hash) && equal(*rows_.row(number), row)) return {Found::How::known, number};
  }
  if (!rows_.takes(row.size())) return {};
  std::uint32_t number = rows_.size();
  rows_.add(row);
  table_[slot] = {upper_half(hash), number + 1};
  return {Found::How::remembered, number};
}

void RowWindow::grow() {
  table_.assign(std::max(smallest_table, table_.size() * 2), {});
  std::size_t mask = table_.size() - 1;
  for (std::uint32_t number = 0; number < rows_.size(); ++number) {
    std::uint64_t hash = RowWindow::hash(*rows_.row(number));
    std::size_t slot = hash & mask;
    while (table_[slot].after != 0) slot = (slot + 1) & mask;
    table_[slot] = {upper_half(hash), number + 1};
  }
}

void RowWindow::clear() {
  rows_.clear();
  std::fill(table_.begin(), table_.end(), Slot());
}

}  // namespace darktap::session
