// The SQLite store: one writer at a time, any number of readers (WAL). Created 0600, never through a symlink. Schema by
// numbered files (store/schema/NNN_*.sql), applied in order inside one transaction. Format: docs/store.md.
#pragma once

#include <functional>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/expected.h"
#include "store/model.h"

namespace darktap::store {

// Was the target's answer of this execution laid beside the source's?
enum class Execution : std::uint8_t { compared, not_compared };

// Throws Failure(environment) where a RunWriter could not be made; changes nothing. For asking before a run begins.
void check_usable(const std::string& path);

// Where a run stands in a session: every exchange below `done` has its bin, and those in `beyond`.
struct SessionProgress {
  SessionId session;
  std::uint32_t done = 0;
  std::vector<std::uint32_t> beyond;
};

// Writes one run. Every call buffers, and flushes by itself where the buffer reaches its limits; flush() makes it durable
// (the shell calls it at least each second). Throws Failure(environment) where the file can't be written: one line with the
// file and the remedy. A writer that goes away without finish() leaves the run's `finished` null.
class RunWriter {
 public:
  // Creates the store where it doesn't exist; commits the run's row before it returns, and sets info.id.
  RunWriter(const std::string& path, RunInfo& info);
  // Goes on with a run that has no end, because it was stopped or its writer died; fills info with what is stored of it.
  // Throws Failure(usage) where there is no such run, or it has ended.
  RunWriter(const std::string& path, RunInfo& info, std::int64_t run);
  ~RunWriter();
  RunWriter(RunWriter&&) noexcept;

  // One exchange's verdicts; file is the capture's name (Example::file). Counts no execution.
  void add(const compare::Judgement& judgement, const std::string& file);
  // Each exchange with a fingerprint once, whatever became of it. Above fingerprint_cap distinct ones the rest are counted
  // under rest_fingerprint.
  void count_execution(std::uint64_t fingerprint, const std::string& normalized, Execution execution);
  // time: when production executed it, also for the target's latency, so that both sides' windows line up.
  void record_latency(std::uint64_t fingerprint, compare::Side side, Vantage vantage, CaptureTime time, std::uint64_t microseconds);
  void set_ledger(const Ledger& ledger);  // the whole ledger so far; the last one before a flush is kept
  void set_info(const RunInfo& info);     // all but id, started and finished may change while the run goes on
  void set_server_questions(std::uint64_t count);
  // How large the store may grow, in bytes (smallest_store_limit at least); tell is given a line where that costs something.
  void set_limit(std::uint64_t bytes, std::function<void(const std::string&)> tell = {});
  // Sessions that have moved on since the last flush.
  void set_progress(std::vector<SessionProgress> moved);
  // Called at each flush's begin, also where the buffer's limits cause it, so that ledger and progress are of one moment
  // with what was counted.
  void before_flush(std::function<void()> call);
  // What was flushed so far, one statement after the other in order of fingerprints.
  void each_latency(const std::function<void(std::uint64_t fingerprint, const LatencyWindows& windows)>& visit);
  // All the run's latency regressions, instead of those given before.
  void set_latency_findings(std::vector<LatencyFinding> findings);
  // What EXPLAIN says of a statement on both sides, a JSON object; instead of what was given before.
  void set_plans(std::uint64_t fingerprint, std::string plans);
  void flush();
  void finish(CaptureTime when);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Sees what was flushed before each call, also while a writer writes and after one was killed.
class StoreReader {
 public:
  // Throws Failure(environment) where the file is missing, is not a store, or is a newer darktap's.
  explicit StoreReader(const std::string& path);
  ~StoreReader();
  StoreReader(StoreReader&&) noexcept;

  std::vector<SessionProgress> progress(std::int64_t run) const;
  std::vector<RunInfo> runs() const;               // newest first
  std::optional<std::int64_t> latest_run() const;
  // Throw Failure(usage) for a run that isn't there. summary() is report() without examples and evidence.
  RunReport report(std::int64_t run) const;
  RunReport summary(std::int64_t run) const;
  // One finding with its examples and the latency of its fingerprint; nullopt where the run has none of that id.
  std::optional<Finding> finding(std::int64_t run, const std::string& id) const;
  std::vector<LatencyRow> latency(std::int64_t run, std::uint64_t fingerprint) const;
  // What people did to a finding, oldest first.
  std::vector<AuditLine> history(const std::string& finding) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

struct TriageChange {
  std::string finding, author;
  TriageStatus status = TriageStatus::open;
  std::string note;
};
inline constexpr std::size_t note_limit = 16 * 1024;  // bytes
inline constexpr std::size_t author_limit = 200;      // bytes
// Applies to the finding's signature in every run of the store, and leaves a line in the audit table. Throws Failure(usage)
// for a finding that no run has, or a note or author that is too long.
void apply(const std::string& path, const TriageChange& change, CaptureTime when);

}  // namespace darktap::store
