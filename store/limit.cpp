#include "limit.h"

#include <optional>

namespace darktap::store {

namespace {

// Pages that hold something; free ones are used again before the file grows.
std::uint64_t used_bytes(const Database& database) {
  auto pages = database.pragma("page_count") - database.pragma("freelist_count");
  return static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(database.pragma("page_size"));
}

std::optional<std::int64_t> oldest_ended(const Database& database, std::int64_t but) {
  Statement row = database.prepare("SELECT min(id) FROM runs WHERE id <> ? AND finished IS NOT NULL");
  row.bind(but);
  if (!row.step() || row.is_null(0)) return std::nullopt;
  return row.integer(0);
}

// What people decided outlives its runs: triage and audit are by signature.
void drop(Database& database, std::int64_t run) {
  for (const char* table : {"questions", "ledger", "ledger_reasons", "run_fingerprints", "latency", "latency_windows", "findings", "examples", "progress", "plans", "staleness"})
    database.prepare(std::string("DELETE FROM ") + table + " WHERE run = ?").run(run);
  database.prepare("DELETE FROM runs WHERE id = ?").run(run);
  database.prepare("DELETE FROM fingerprints WHERE fingerprint NOT IN (SELECT fingerprint FROM run_fingerprints)").run();
}

}  // namespace

void StoreLimit::enforce(Database& database, std::int64_t run, const std::function<void(const std::string&)>& tell) {
  if (bytes_ == 0 || details_ == Details::left_out) return;
  // A tenth is left for counts, which go on.
  std::uint64_t enough = bytes_ - bytes_ / 10;
  while (used_bytes(database) > enough) {
    auto oldest = oldest_ended(database, run);
    if (!oldest) {
      details_ = Details::left_out;
      if (tell) tell("the store " + database.name() + " is nearly as large as --store-limit allows: from here on examples and latencies by time are left out, all counts go on");
      return;
    }
    drop(database, *oldest);
    if (tell) tell("the store " + database.name() + " is nearly as large as --store-limit allows: run " + std::to_string(*oldest) + ", its oldest, was removed");
  }
}

}  // namespace darktap::store
