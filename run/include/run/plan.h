// What a run would do, without doing it: --dry-run.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "run/run.h"

namespace darktap::run {

struct Plan {
  static constexpr std::size_t tables_kept = 10'000;  // more distinct ones are counted as one, "(others)"

  std::uint64_t exchanges = 0, sent = 0;
  std::map<std::string, std::uint64_t> skipped;     // reason -> exchanges, as the ledger would say
  std::uint64_t unobserved = 0;                     // their answers were not captured
  std::map<std::string, std::uint64_t> classes;     // of statements
  std::map<std::string, std::uint64_t> tables;      // that sent statements read -> statements
  std::map<std::string, std::uint64_t> tables_written;
  std::set<std::string> schemas, users, servers;
  std::size_t sessions = 0, open_at_once = 0, fingerprints = 0;
  std::chrono::nanoseconds recorded{};              // from the first request to the last
  std::optional<std::chrono::nanoseconds> expected; // at the run's pace; none flat out
  std::vector<std::string> tap_grants, target_grants, reference_grants;  // the least that will do, one statement each
  std::string note;                                 // of the input
};

// Reads the whole input, connects to the servers given, asks who they are (the guard rails' questions and the catalogue) and
// sends nothing else. Throws as replay_recording does.
Plan plan_replay(const std::string& file, const InputOptions& input, const RunOptions& options, const std::atomic<bool>& stop);

}  // namespace darktap::run
