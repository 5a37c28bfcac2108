// Writes that the run did not send, and those that it did: which of them one side had met when it answered, and the other had not.
#include <algorithm>
#include <map>

#include "explained_rows.h"
#include "text.h"
#include "write_index.h"

namespace darktap::compare {

namespace {

// Two that are sent side by side may reach the server's tables in another order than their answers reach us.
constexpr std::chrono::milliseconds under_way_together{50};

enum class Met : std::uint8_t { yes, perhaps, no };

bool is_sent(const SeenWrite& write) {
  return write.replayed == Replayed::applied || write.replayed == Replayed::applied_anew || write.replayed == Replayed::applied_about_then;
}

Met met_by_source(const SeenWrite& write, const ReadScope& read) {
  if (write.id.session == read.id.session) return write.id.seq < read.id.seq ? Met::yes : Met::no;
  if (write.committed && *write.committed <= read.seen_from()) return Met::yes;
  return (write.committed ? write.commit_sent : write.request) > read.seen_to() ? Met::no : Met::perhaps;
}

Met met_by_target(const SeenWrite& write, const ReadScope& read, const Outcome& target, std::chrono::nanoseconds slack) {
  if (write.id.session == read.id.session) return write.id.seq < read.id.seq ? Met::yes : Met::no;  // a session's order is kept
  const CaptureTime from = read.snapshot_before.value_or(target.sent), to = read.snapshot_answered.value_or(target.last_byte);
  if (write.kept && *write.kept <= from) return Met::yes;
  return write.kept && *write.kept <= to + slack ? Met::perhaps : Met::no;
}

}  // namespace

OwnWrites WriteIndex::own(const ReadScope& read, const Outcome& target, CaptureTime until, ExplainedRows& rows) const {
  OwnWrites found;
  if (own_writes_ == ComparerOptions::OwnWrites::none) return found;
  for (const ReadTable& table : read.tables)
    if (auto last = forgotten_.find(table.name); last != forgotten_.end() && last->second > read.seen_from()) found.forgotten = true;
  const bool ordered = own_writes_ == ComparerOptions::OwnWrites::as_committed;
  const std::chrono::nanoseconds slack = ordered ? std::chrono::nanoseconds(0) : std::chrono::nanoseconds(under_way_together);
  struct Both {
    WritePtr write;
    sql::QualifiedName table;
    bool names_row;
    bool from_the_first;  // the target had it when it answered, not only by now
  };
  std::vector<Both> by_both;
  each_candidate(read, by_table_, [&](const WritePtr& write, const sql::QualifiedName& table, const KeyValues& predicates) {
    if (!is_sent(*write) || write->rolled_back) return;
    const Met source = met_by_source(*write, read), at_target = met_by_target(*write, read, target, slack);
    std::optional<std::string> key = common_key(predicates, write->keys);
    const bool names_row = key.has_value();
    auto told = [&] { return Attribution{write, table, key, by(*write, read), false, false}; };
    if (source == Met::no && at_target == Met::no) {
      bool may_have_come = !write->kept || *write->kept <= until;
      if (may_have_come && !found.healing && rows.meets(*write, table)) found.healing = told(), found.same_set = false;
      return;
    }
    if (!rows.meets(*write, table)) return;
    if (!found.met) found.met = told();
    bool has_come = at_target == Met::yes || (write->kept && *write->kept <= until);
    if (source != Met::no && !has_come) found.same_set = false;
    if (source == Met::no && (has_come || !write->kept)) found.same_set = false;
    if (source == Met::perhaps) found.undecided += at_target == Met::no ? 1 : 2;  // one that the target had from the first was never missed
    if (!ordered && source == Met::yes && has_come && write->kept) by_both.push_back({write, table, names_row, at_target == Met::yes});
    if (source == Met::yes && at_target == Met::yes) return;
    using Lacking = ExplainedRows::Lacking;
    bool explains = source != Met::no && at_target != Met::yes && rows.add(*write, table, Lacking::target, names_row);
    bool came_early = source != Met::yes && at_target != Met::no && rows.add(*write, table, Lacking::source, names_row);
    if ((explains || came_early) && !found.apart) found.apart = told(), found.racing = source == Met::perhaps;
    if (came_early && source == Met::no && at_target == Met::yes && !found.early) found.early = told();
  });
  // The other way round: what was written last at the source was overwritten at the target.
  std::sort(by_both.begin(), by_both.end(), [](const Both& x, const Both& y) { return x.write->committed.value_or(x.write->ok) < y.write->committed.value_or(y.write->ok); });
  const Both *latest = nullptr, *latest_by_now = nullptr;  // at the target
  auto overtook = [slack](const Both* later, const Both& one) {
    return later != nullptr && later->write->id.session != one.write->id.session && later->table == one.table && *one.write->kept <= *later->write->kept + slack && !disjoint(later->write->keys, one.write->keys);
  };
  auto is_later = [](const Both* later, const Both& one) { return later == nullptr || *one.write->kept > *later->write->kept; };
  for (const Both& one : by_both) {
    if (overtook(latest_by_now, one)) found.same_set = false;  // what is left in the row isn't the same
    if (is_later(latest_by_now, one)) latest_by_now = &one;
    if (!one.from_the_first) continue;
    if (overtook(latest, one)) {
      using Lacking = ExplainedRows::Lacking;
      bool explains = rows.add(*one.write, one.table, Lacking::target, one.names_row);
      explains = rows.add(*latest->write, latest->table, Lacking::source, latest->names_row) || explains;
      if (explains && !found.apart) found.apart = Attribution{one.write, one.table, std::nullopt, by(*one.write, read), false, false};
    }
    if (is_later(latest, one)) latest = &one;
  }
  found.explain_all = found.apart && rows.all();
  found.target_shows_them = found.explain_all && rows.target_shows_them();
  return found;
}

namespace {

// False where rows differ in a column that the write did not draw: it explains no other.
bool may_differ_so(const SeenWrite& write, const sql::QualifiedName& table, const Table* a, const Table* b, const RowMatch* leftovers) {
  if (write.drawn.empty() || a == nullptr || b == nullptr || leftovers == nullptr || leftovers->only_a.size() != leftovers->only_b.size()) return true;
  auto shown = shown_key(write, table, *a);
  for (std::size_t row : leftovers->only_a) {
    auto other = leftovers->only_b.begin();
    if (shown) other = std::find_if(other, leftovers->only_b.end(), [&](std::size_t r) { return b->rows[r][shown->first] == a->rows[row][shown->first]; });
    else if (leftovers->only_b.size() != 1) return true;
    if (other == leftovers->only_b.end()) return true;
    for (std::size_t c = 0; c < a->columns.size() && c < b->columns.size(); ++c) {
      bool is_its_own = !a->columns[c].org_name.empty() && (a->columns[c].org_table == table.second || a->columns[c].table == table.second);
      if (is_its_own && a->rows[row][c] != b->rows[*other][c] && !write.drawn.contains(lower(a->columns[c].org_name))) return false;
    }
  }
  return true;
}

}  // namespace

std::optional<Attribution> WriteIndex::skipped(const ReadScope& read, const Table* a, const Table* b, const RowMatch* leftovers, ExplainedRows* rows) const {
  std::optional<Attribution> best;
  each_candidate(read, skipped_, [&](const WritePtr& write, const sql::QualifiedName& table, const KeyValues& predicates) {
    bool own = write->id.session == read.id.session;
    // One whose COMMIT had been sent before the answer may have been met: others see it before its OK is on its way.
    if ((own && write->ok > read.request) || (write->rolled_back && (!own || *write->rolled_back <= read.request))) return;
    if (!own && (!write->committed || write->commit_sent > read.response)) return;
    // Rolled back at its transaction's end: a read inside it has met it at the target as well.
    if (own && write->replayed == Replayed::rolled_back && !(write->committed && *write->committed <= read.request)) return;
    Touch touch = touches(*write, table, a, b, leftovers);
    if (touch == Touch::no || (write->replayed == Replayed::applied_anew && !may_differ_so(*write, table, a, b, leftovers))) return;
    std::optional<std::string> key = common_key(predicates, write->keys);
    const bool drew = write->replayed == Replayed::applied_anew && !write->drawn.empty();
    if (rows != nullptr && !rows->add(*write, table, drew ? ExplainedRows::Lacking::values : ExplainedRows::Lacking::target, key.has_value())) return;
    if (!best || (!best->key && key)) best = Attribution{write, table, std::move(key), by(*write, read), false, false};
  });
  if (best && rows != nullptr && !rows->all()) return std::nullopt;
  return best;
}

}  // namespace darktap::compare
