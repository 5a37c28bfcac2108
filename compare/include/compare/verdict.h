// A verdict = a difference (what, provable) + a cause (why, with evidence). Names are the report's contract (design §5).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "session/exchange.h"

namespace darktap::compare {

enum class Side : std::uint8_t { source, target, reference };

enum class Difference : std::uint8_t {
  row_order, row_values, missing_rows, extra_rows, row_count, column_metadata, error_only_target, error_only_source,
  error_differs, warnings, affected_rows, last_insert_id, latency_regression, timeout,
};

enum class Cause : std::uint8_t {
  order_undefined, order_violated, read_after_write, stale_read, data_moved, nondeterministic, skipped_write,
  replay_artifact, normalization, unsupported, defect, unexamined,
};

// assumed never excuses alone; confirmed rests on questions that were asked; proved follows from the two answers.
enum class Level : std::uint8_t { proved, confirmed, assumed };

std::string_view to_string(Side side);
std::string_view to_string(Difference difference);
std::string_view to_string(Cause cause);
std::string_view to_string(Level level);
std::optional<Difference> parse_difference(std::string_view name);
std::optional<Cause> parse_cause(std::string_view name);
std::optional<Level> parse_level(std::string_view name);

// Counts against the cutover unless --fail-on says otherwise (design §3).
bool counts_by_default(Difference difference, Cause cause);

// How far behind a read was: what the report adds up by table.
struct Staleness {
  std::string table;                      // "shop.people"
  std::optional<std::int64_t> age_us;     // from the write's OK to the read; none where no seen write explains it
  std::int64_t stale_us = 0;              // until the last stale answer, and
  std::optional<std::int64_t> agreed_us;  // until the first agreeing one: from the write's OK, else from the source's answer
};

struct Verdict {
  Difference difference = Difference::row_values;
  Cause cause = Cause::unexamined;
  Level level = Level::assumed;
  std::string evidence;  // a JSON object
  std::optional<Staleness> staleness{};
};

// What became of one exchange that was sent to the target: a match where there is no verdict; at most one verdict is about
// the content, further ones are about metadata or warnings.
struct Judgement {
  session::ExchangeId exchange;
  Provenance provenance;
  CaptureTime time;              // of the request
  std::uint64_t fingerprint = 0;
  std::vector<Verdict> verdicts;
  std::vector<std::string> rules;  // named normalisation rules that were applied and accepted: counted matches
  // For findings and examples; filled only where there are verdicts.
  std::string normalized;
  std::string sql;               // verbatim, UTF-8
  std::string parameters;        // JSON array
  std::string source_answer;     // JSON: {"outcome", "columns", "rows" or "digest", "error", …}; the first rows only
  std::string target_answer;
  std::string before;            // JSON array: the session's last statements before it, {seq, sql, class, write} each
};

// The id of a finding: stable across runs, 16 hex digits of a hash over fingerprint × difference × cause.
std::string signature(std::uint64_t fingerprint, Difference difference, Cause cause);

}  // namespace darktap::compare
