// The options that replay, shadow and check share: servers, pace, writes, names, judging.
#pragma once

#include "command.h"
#include "run/run.h"

namespace darktap::cli {

struct RunArguments {
  std::string target, reference, source, defaults_file;
  std::string run = "reads", sandbox = "rollback", pace = "recorded", order = "session", target_follows = "auto";
  std::string allow, fail_on, store;
  std::vector<std::string> accept_rules, map, map_users;
  double requery_rate = 50;
  std::uint32_t requery_budget = 200;
  std::string connect_timeout = "5s", statement_timeout = "30s", memory = "128MiB", store_limit = "10GiB";
  std::string latency_budget = "1,2", latency_floor = "2ms";
  struct Tls {
    std::string mode, ca, cert, key;
  } target_tls, reference_tls, source_tls;
  std::string ramp, max_idle, from, to, metrics;
  std::vector<std::uint64_t> sessions;
  std::vector<std::string> users, fingerprints;
  std::string max_error_rate, max_latency, max_lag, max_target_memory, breaker_patience = "30s";
  std::uint64_t max_threads_running = 0;
  std::int64_t resume = 0;
  std::uint32_t loops = 1, target_connections = 0;
  std::string marker;
  std::uint32_t calibrate = 0;
  bool dry_run = false, aa = false, compress = false;
};

void add_run_options(CLI::App& command, RunArguments& arguments);
// Throws Failure(usage) for what is malformed or not reached yet.
run::RunOptions run_options(const RunArguments& arguments, const std::string& mode);

// Those that only a recording has: pacing and selection.
void add_recording_options(CLI::App& command, RunArguments& arguments);

// Shows a run's progress on standard error: one line that is rewritten on a terminal, a plain line every five seconds else;
// and hands it out as metrics where --metrics asks for that. Throws Failure(usage) for an address that won't do.
run::OnProgress show_progress(const RunArguments& arguments);

// Prints the notes of a run's end, and the exit status that they and the store's findings make.
int conclude(const run::RunResult& result, const std::string& store, const report::Counting& counting);

}  // namespace darktap::cli
