// Finds out why one pair of answers differs: first from the answers alone, then by asking both servers again on a ladder of
// delays until target and reference agree. Written as one story; whoever holds it brings the answers.
#pragma once

#include <chrono>
#include <optional>
#include <set>
#include <string>

#include "examine.h"
#include "following.h"
#include "interview.h"
#include "task.h"
#include "user_variables.h"
#include "versions.h"
#include "write_index.h"

namespace darktap::compare {

// One exchange and what the target answered to it.
struct CaseFile {
  session::Exchange exchange;
  sql::Meaning meaning;
  Outcome target;
  Plan plan;
  ReadScope scope;
  SessionHistory history;
  UsedVariables variables;
  std::optional<std::uint64_t> select_limit;  // sql_select_limit
  std::string before;  // the session's statements before it, as JSON
  std::optional<SeenVersion> older;  // that the target's answer equals
  CaptureTime opened;
  // Where another statement is asked in its place, and stands in `exchange` and `meaning`: what was captured.
  struct Captured {
    mysql::Command command;
    CaptureTime request;
    std::uint64_t fingerprint = 0;
    std::string normalized;
  };
  std::optional<Captured> captured;
  enum class Settings : std::uint8_t { known, unknown } settings = Settings::known;  // unknown: joined in its middle, its sql_mode was not seen
};

// What an investigation knows beyond its own case.
struct World {
  const WriteIndex& writes;
  const SeenVersions& versions;
  const sql::Catalogue& catalogue;
  const ComparerOptions& options;
  Following& target;
  const std::set<std::uint64_t>& noisy;  // fingerprints that the reference was seen to answer differently
};

// Where a pair turned out equal under named rules, there is no verdict.
struct Conclusion {
  std::optional<Verdict> verdict;
  std::set<std::string_view> rules;
  std::string agrees_under;  // the sql_mode that explains the difference, of a session whose own isn't known
};

Task<Conclusion> investigate(const CaseFile& file, Interview& interview, World world);

// When the n-th rung of the ladder (from 0) is due after the case's opening: 0, 50, 100, 200, 400 ms, then each 1.2 times
// the one before, the last one at the limit.
std::chrono::nanoseconds rung_offset(std::size_t rung, std::chrono::nanoseconds limit);
// The first rung that is due at the limit.
std::size_t last_rung(std::chrono::nanoseconds limit);

}  // namespace darktap::compare
