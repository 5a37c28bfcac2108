// One run: exchanges in, findings in the store. Wires replay, compare, the asker and the store's writer in one event loop;
// a second thread reads the input.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "capture/tap.h"
#include "client/credentials.h"
#include "compare/comparer.h"
#include "replay/schedule.h"
#include "run/input.h"
#include "store/model.h"

namespace darktap::run {

struct Servers {
  client::Login target;
  std::optional<client::Login> reference, source;
};

struct Judging {
  compare::ComparerOptions::TargetFollows target_follows = compare::ComparerOptions::TargetFollows::automatic;
  double questions_per_second = 50;
  std::uint32_t questions_per_fingerprint_minute = 200;
  std::vector<std::string> accepted_rules;
};

struct Limits {
  std::chrono::milliseconds connect{5000}, statement{30'000};
  std::size_t queued_bytes = std::size_t{128} << 20;  // exchanges waiting between input and target
};

// How much slower than production a statement may be on the target.
struct LatencyLimits {
  unsigned read_round_trips = 1, write_round_trips = 2;  // a router in between costs one a statement, a commit another
  std::chrono::nanoseconds floor = std::chrono::milliseconds(2);  // what a tap and a client can't tell apart is no regression
};

struct RunOptions {
  Servers servers;
  Judging judging;
  Limits limits;
  LatencyLimits latency;
  replay::Pace pace;
  replay::Order order = replay::Order::session;
  std::vector<std::string> allowed;  // --allow
  std::string store;
  std::string mode;  // "replay", "shadow", "check"
  std::string build;
  std::function<void(const std::string&)> tell;  // a line that the user should see while the run goes on; may be empty
};

// What a terminal shows while the run goes on.
struct Progress {
  std::chrono::nanoseconds elapsed{};
  std::uint64_t total = 0;  // exchanges to come in all; 0 where that isn't known (live)
  store::Ledger ledger;
  std::uint64_t mismatches = 0, open_cases = 0, questions = 0, kernel_drops = 0;
  double sent_per_second = 0;
  std::uint64_t lateness_p99_us = 0;
};
using OnProgress = std::function<void(const Progress&)>;  // about once a second, from the loop

struct RunResult {
  std::int64_t run = 0;
  std::string gave_up;  // one line; empty where the target lasted
  enum class End : std::uint8_t { whole, stopped } end = End::whole;
  session::TapCounters counters;
  std::string note;  // of the input
};

// Throws Failure: guard_rail where the target is refused, environment where a server or file failed. `stop` ends it early.
RunResult replay_recording(const std::string& file, const InputOptions& input, const RunOptions& options,
                           const std::atomic<bool>& stop, const OnProgress& progress);

// Taps until `stop`. `ready` is called once the tap is open, with the run's id.
struct LiveInput {
  std::string interface;
  InputOptions input;  // at least one port
};
RunResult shadow(const LiveInput& live, const RunOptions& options, const std::atomic<bool>& stop,
                 const std::function<void(std::int64_t run)>& ready, const OnProgress& progress);

}  // namespace darktap::run
