// The SQLite store: one writer at a time, any number of readers (WAL). Created 0600, never through a symlink. Schema by
// numbered files (store/schema/NNN_*.sql), applied in order inside one transaction.
#pragma once

#include <memory>
#include <string>

#include "store/model.h"

namespace darktap::store {

// Writes one run. Every call buffers; flush() makes it durable (the shell calls it at least each second). Throws
// Failure(environment) where the file can't be written: one line with the file and the remedy.
class RunWriter {
 public:
  // Creates the store where it doesn't exist; commits the run's row before it returns, and sets info.id.
  RunWriter(const std::string& path, RunInfo& info);
  ~RunWriter();
  RunWriter(RunWriter&&) noexcept;

  void add(const compare::Judgement& judgement, const std::string& file);
  void count_execution(std::uint64_t fingerprint, const std::string& normalized, bool compared);
  void record_latency(std::uint64_t fingerprint, compare::Side side, Vantage vantage, std::uint64_t microseconds);
  void set_ledger(const Ledger& ledger);
  void set_info(const RunInfo& info);  // questions, target_follows, server_questions …
  void set_server_questions(std::uint64_t count);
  void flush();
  void finish(CaptureTime when);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

class StoreReader {
 public:
  // Throws Failure(environment) where the file is missing or is not a store.
  explicit StoreReader(const std::string& path);
  ~StoreReader();

  std::vector<RunInfo> runs() const;               // newest first
  std::optional<std::int64_t> latest_run() const;
  RunReport report(std::int64_t run) const;        // throws Failure(usage) for a run that isn't there

 private:
  struct State;
  std::unique_ptr<State> state_;
};

struct TriageChange {
  std::string finding, author;
  TriageStatus status = TriageStatus::open;
  std::string note;
};
// Applies to the finding's signature in every run of the store, and leaves a line in the audit table.
void apply(const std::string& path, const TriageChange& change, CaptureTime when);

}  // namespace darktap::store
