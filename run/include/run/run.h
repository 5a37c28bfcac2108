// One run: exchanges in, findings in the store. Wires replay, compare, the asker and the store's writer in one event loop;
// a second thread reads the input.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "capture/tap.h"
#include "client/credentials.h"
#include "compare/comparer.h"
#include "replay/ramp.h"
#include "replay/schedule.h"
#include "replay/schema_map.h"
#include "replay/write_policy.h"
#include "run/breaker.h"
#include "run/input.h"
#include "run/selection.h"
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
  std::size_t calibrate = 0;  // reads that are asked twice of the reference, to learn its noise
};

// What becomes of captured writes.
struct WriteOptions {
  replay::Writes kept = replay::Writes::left_out;
  bool reads_too = true;                     // --run both; false: --run writes
  std::string marker = "darktap_sandbox.marker";  // the table that says that the target may be written to
};

struct Limits {
  std::chrono::milliseconds connect{5000}, statement{30'000};
  std::size_t queued_bytes = std::size_t{128} << 20;  // exchanges waiting between input and target
  std::size_t connections = 0;                        // to the target at most, replay's own; 0: one a session
};

// How much slower than production a statement may be on the target.
struct LatencyLimits {
  unsigned read_round_trips = 1, write_round_trips = 2;  // a router in between costs one a statement, a commit another
  std::chrono::nanoseconds floor = std::chrono::milliseconds(2);  // what a tap and a client can't tell apart is no regression
};

struct RunOptions {
  BreakerLimits breaker;
  Servers servers;
  Judging judging;
  Limits limits;
  LatencyLimits latency;
  WriteOptions writes;
  std::vector<replay::MapRule> map;  // --map
  std::map<std::string, client::Login> users;  // --map-user: by captured name, "*" for all others; empty: everybody as the target's login
  replay::Pace pace;
  std::optional<replay::Ramp> ramp;
  std::optional<std::chrono::nanoseconds> longest_idle;  // of the recording; longer silences are cut to it
  std::uint32_t loops = 1;                               // how many times the recording is run
  Selection selection;
  replay::Order order = replay::Order::session;
  std::vector<std::string> allowed;  // --allow
  std::optional<std::int64_t> resume;  // this run of the store goes on
  bool aa = false;  // the target may be the reference
  std::string store;
  std::uint64_t store_limit = 0;  // bytes; 0: none
  std::string mode;  // "replay", "shadow", "check"
  std::string build;
  std::function<void(const std::string&)> tell;  // a line that the user should see while the run goes on; may be empty
};

// What a terminal shows while the run goes on.
struct Progress {
  std::chrono::nanoseconds elapsed{};
  std::uint64_t total = 0;  // exchanges to come in all; 0 where that isn't known (live)
  store::Ledger ledger;
  std::string eased;  // why the run sends nothing just now; empty where it does
  std::uint64_t mismatches = 0, open_cases = 0, questions = 0, kernel_drops = 0;
  double questions_per_second = 0;  // the rate that is allowed
  std::uint64_t sent = 0;
  std::uint64_t errors = 0;  // failed at the target, or answered by an error where the source had none
  std::size_t connections = 0;
  std::uint64_t connections_lost = 0, connections_refused = 0;
  double sent_per_second = 0;      // of the last second
  double recorded_per_second = 0;  // of the whole recording; 0 where that isn't known
  Histogram lateness;              // microseconds behind the intended time
  std::uint64_t lateness_sum_us = 0;
  std::map<std::pair<std::string, std::string>, std::uint64_t> mismatches_by;  // difference, cause
};
using OnProgress = std::function<void(std::int64_t run, const Progress&)>;  // about once a second, from the loop

struct RunResult {
  std::int64_t run = 0;
  std::string gave_up;     // one line; empty where the target lasted
  std::string limit_broken;  // one line; a limit that the user set has stopped the run
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
  // Called once the interface is open and before anything else is begun: what needs its rights is done.
  std::function<void(InputOptions&)> opened;
};
RunResult shadow(const LiveInput& live, const RunOptions& options, const std::atomic<bool>& stop,
                 const std::function<void(std::int64_t run)>& ready, const OnProgress& progress);

}  // namespace darktap::run
