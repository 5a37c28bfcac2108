// Writes that were given a time which is known about only: what they explain.
#include <algorithm>
#include <set>

#include "session/printed_time.h"
#include "text.h"
#include "write_index.h"

namespace darktap::compare {

namespace {

// A row on either side that may be one row: by the key that the write names, else the only ones.
std::optional<std::size_t> partner_of(std::size_t row, const SeenWrite& write, const sql::QualifiedName& table, const Table& a, const Table& b, const RowMatch& leftovers) {
  for (std::size_t c = 0; c < a.columns.size() && c < b.columns.size(); ++c) {
    if ((a.columns[c].org_table != table.second && a.columns[c].table != table.second) || !write.keys.contains(lower(a.columns[c].org_name))) continue;
    auto found = std::find_if(leftovers.only_b.begin(), leftovers.only_b.end(), [&](std::size_t r) { return b.rows[r][c] == a.rows[row][c]; });
    return found == leftovers.only_b.end() ? std::nullopt : std::optional(*found);
  }
  if (leftovers.only_a.size() != 1 || leftovers.only_b.size() != 1) return std::nullopt;
  return leftovers.only_b.front();
}

// Are all cells in which the rows differ times, on both sides, at which the write was under way?
bool differ_in_its_time(const SeenWrite& write, const std::vector<mysql::Cell>& a, const std::vector<mysql::Cell>& b) {
  auto is_its_own = [&](const mysql::Cell& cell) {
    auto printed = cell.is_null ? std::nullopt : session::parse_printed_time(cell.text);
    return printed && session::time_within(*printed, write.request, write.ok);
  };
  bool any = false;
  for (std::size_t c = 0; c < a.size() && c < b.size(); ++c) {
    if (a[c] == b[c]) continue;
    if (!is_its_own(a[c]) || !is_its_own(b[c])) return false;
    any = true;
  }
  return any;
}

}  // namespace

std::optional<Attribution> WriteIndex::timed(const ReadScope& read, const Table* a, const Table* b, const RowMatch* leftovers) const {
  if (timed_.empty() || a == nullptr || b == nullptr || leftovers == nullptr || leftovers->complete() || leftovers->only_a.size() != leftovers->only_b.size()) return std::nullopt;
  std::optional<Attribution> found;
  std::set<std::size_t> explained;
  auto consider = [&](const WritePtr& write, const sql::QualifiedName& table, const KeyValues& predicates) {
    if (write->request > read.response || explained.size() == leftovers->only_a.size()) return;
    for (std::size_t row : leftovers->only_a) {
      auto partner = explained.contains(row) ? std::nullopt : partner_of(row, *write, table, *a, *b, *leftovers);
      if (!partner || !differ_in_its_time(*write, a->rows[row], b->rows[*partner])) continue;
      explained.insert(row);
      found = Attribution{write, table, common_key(predicates, write->keys), write->id.session == read.id.session ? Attribution::By::own_session : Attribution::By::other_session, false, false};
    }
  };
  each_candidate(read, timed_, consider);
  return explained.size() == leftovers->only_a.size() ? found : std::nullopt;
}

}  // namespace darktap::compare
