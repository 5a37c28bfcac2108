// What a run leaves behind, as values: what the writer is given and the report is made of (design §5).
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/histogram.h"
#include "base/windowed_histogram.h"
#include "compare/verdict.h"

namespace darktap::store {

// Growth is bounded, however long a run is.
inline constexpr std::size_t fingerprint_cap = 20'000;        // distinct statements a run; the rest share one counted bin
inline constexpr std::uint64_t rest_fingerprint = 0;          // that bin
inline constexpr std::size_t examples_per_finding = 5;        // the smallest by hash(session, seq), over distinct parameters
inline constexpr std::size_t example_field_limit = 1 << 20;   // bytes of each of an example's texts
inline constexpr std::size_t normalized_limit = 64 * 1024;    // bytes of a fingerprint's text

// Every exchange ends in exactly one bin.
enum class Bin : std::uint8_t { observed, compared, skipped, shed, unobserved, opaque, undecodable, target_failed, pending };
inline constexpr std::size_t bin_count = 9;
std::string_view to_string(Bin bin);

// Counts by bin, and for bins that need one by reason ("write", "transaction_control", "unsafe: user_lock", …).
class Ledger {
 public:
  void add(Bin bin, std::uint64_t count = 1);
  void add(Bin bin, const std::string& reason, std::uint64_t count = 1);
  // One exchange, e.g. pending -> compared. Nothing happens where `from` holds none: the bins always add up.
  void move(Bin from, Bin to, const std::string& reason = "");
  std::uint64_t of(Bin bin) const { return counts_[static_cast<std::size_t>(bin)]; }
  std::uint64_t total() const;
  const std::map<Bin, std::map<std::string, std::uint64_t>>& reasons() const { return reasons_; }

 private:
  std::array<std::uint64_t, bin_count> counts_{};
  std::map<Bin, std::map<std::string, std::uint64_t>> reasons_;
};

// In microseconds, where they are known.
struct RoundTripFigures {
  std::optional<std::uint64_t> tap_to_server, tap_to_client, target;
  std::uint64_t handshakes = 0, acknowledgements = 0;  // of which the first two were taken
};

struct RunInfo {
  std::int64_t id = 0;
  std::string mode;   // "replay", "shadow", "check"
  std::string pace, order;
  CaptureTime started;
  std::optional<CaptureTime> finished;
  std::string source, target, reference;  // host:port of each; reference empty where there is none
  std::string target_follows;             // "yes", "no", "unknown"
  std::string build;
  RoundTripFigures round_trips;
  std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> questions;  // side -> {n, time_us}
  CaptureTime flushed{};  // when the store last heard of the run; set by the store
  std::uint64_t examples_left_out = 0;  // since the store had grown to its limit; set by the store
};

struct Coverage {
  std::uint64_t exchanges = 0, compared = 0, fingerprints = 0, fingerprints_compared = 0;
  std::optional<std::uint64_t> server_questions;
};

enum class Vantage : std::uint8_t { tap, client };
std::string_view to_string(Vantage vantage);

struct LatencyRow {
  std::uint64_t fingerprint = 0;
  compare::Side side = compare::Side::source;
  Vantage vantage = Vantage::tap;
  Histogram histogram;
};

// One statement's latencies by window, each side at its own vantage: the source at the tap, the target at the client.
struct LatencyWindows {
  WindowedHistogram source, target;
};

inline constexpr std::uint64_t smallest_store_limit = 1 << 20;  // bytes; below that no run finds room
inline constexpr std::size_t staleness_table_cap = 1000;      // tables a run; the rest share one counted row

// How far behind the reads of one table were, in microseconds: after a seen write (read_after_write, from the write's OK), or with
// no write seen (stale_read, from the source's answer; no ages).
struct StalenessRow {
  std::string table;  // "shop.people"
  compare::Cause cause{};
  std::uint64_t events = 0;
  Histogram age;     // from the write's OK to the read
  Histogram stale;   // until the last stale answer
  Histogram agreed;  // until the first agreeing one; fewer where none was seen
};

// A statement that is slower on the target than it may be.
struct LatencyFinding {
  std::uint64_t fingerprint = 0;
  compare::Level level = compare::Level::confirmed;
  std::uint64_t events = 0;    // executions beyond what is allowed
  std::string evidence;        // a JSON object
  CaptureTime first_time, last_time;
};

enum class TriageStatus : std::uint8_t { open, accepted, fixed, ignored };
std::string_view to_string(TriageStatus status);
std::optional<TriageStatus> parse_triage_status(std::string_view name);

struct Example {
  session::ExchangeId exchange;
  CaptureTime time;
  std::string sql, parameters, source_answer, target_answer, evidence;  // all but sql are JSON
  std::string file;   // provenance: the capture's name, and the packet that ended the request
  std::uint64_t packet = 0;
  std::string before;  // JSON array: the session's last statements before it
};

struct Finding {
  std::string id;  // = signature
  std::uint64_t fingerprint = 0;
  std::string normalized;
  compare::Difference difference{};
  compare::Cause cause{};
  compare::Level level{};     // the weakest among its verdicts
  std::uint64_t events = 0;      // mismatching executions
  std::uint64_t executions = 0;  // executions of the fingerprint that were compared
  std::uint64_t examined = 0;    // events whose questions were asked and answered (or needed none)
  CaptureTime first_time, last_time;
  TriageStatus status = TriageStatus::open;
  std::string note, author;      // of the last change, empty where nobody touched it
  std::string evidence;  // JSON object, of the first example
  std::string plans;     // JSON object: what EXPLAIN says on both sides; empty where nobody asked
  std::vector<Example> examples;
};

// One change that a person made.
struct AuditLine {
  CaptureTime time;
  std::string author, note;
  TriageStatus before = TriageStatus::open, after = TriageStatus::open;
};

struct RunReport {
  RunInfo run;
  Ledger ledger;
  Coverage coverage;
  std::vector<LatencyRow> latency;   // sorted by fingerprint, side, vantage
  std::vector<StalenessRow> staleness;  // sorted by table, cause
  std::vector<Finding> findings;     // sorted by id
  std::map<std::uint64_t, std::string> fingerprints;  // -> normalized
};

}  // namespace darktap::store
