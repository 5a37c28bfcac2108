#include "staleness_table.h"

#include <algorithm>

namespace darktap::store {

namespace {

const std::string rest_of_tables = "(all tables beyond the first " + std::to_string(staleness_table_cap) + ")";

std::uint64_t microseconds(std::int64_t value) { return static_cast<std::uint64_t>(std::max<std::int64_t>(0, value)); }

}  // namespace

void StalenessTable::add(compare::Cause cause, const compare::Staleness& staleness) {
  bool is_known = known_.contains(staleness.table);
  if (!is_known && known_.size() < staleness_table_cap) is_known = known_.insert(staleness.table).second;
  StalenessRow& row = added_[{is_known ? staleness.table : rest_of_tables, cause}];
  ++row.events;
  if (staleness.age_us) row.age.record(microseconds(*staleness.age_us));
  row.stale.record(microseconds(staleness.stale_us));
  if (staleness.agreed_us) row.agreed.record(microseconds(*staleness.agreed_us));
}

void StalenessTable::write(Database& database, std::int64_t run) {
  Statement stored = database.prepare("SELECT events, age, stale, agreed FROM staleness WHERE run = ? AND table_name = ? AND cause = ?");
  Statement put = database.prepare("INSERT OR REPLACE INTO staleness (run, table_name, cause, events, age, stale, agreed) VALUES (?, ?, ?, ?, ?, ?, ?)");
  for (auto& [key, row] : added_) {
    stored.bind(run, key.first, to_string(key.second));
    if (stored.step()) {
      row.events += stored.count(0);
      row.age.merge(Histogram::parse(stored.text(1)));
      row.stale.merge(Histogram::parse(stored.text(2)));
      row.agreed.merge(Histogram::parse(stored.text(3)));
    }
    put.run(run, key.first, to_string(key.second), row.events, row.age.serialize(), row.stale.serialize(), row.agreed.serialize());
  }
  added_.clear();
}

void StalenessTable::load(Database& database, std::int64_t run) {
  for (StalenessRow& row : read(database, run))
    if (row.table != rest_of_tables) known_.insert(std::move(row.table));
}

std::vector<StalenessRow> StalenessTable::read(const Database& database, std::int64_t run) {
  std::vector<StalenessRow> rows;
  Statement stored = database.prepare("SELECT table_name, cause, events, age, stale, agreed FROM staleness WHERE run = ? ORDER BY table_name, cause");
  stored.bind(run);
  while (stored.step()) {
    auto cause = compare::parse_cause(stored.text(1));
    if (cause) rows.push_back({stored.text(0), *cause, stored.count(2), Histogram::parse(stored.text(3)), Histogram::parse(stored.text(4)), Histogram::parse(stored.text(5))});
  }
  return rows;
}

}  // namespace darktap::store
