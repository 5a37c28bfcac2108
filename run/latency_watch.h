// Whether statements are slower on the target: keeps a control beside the run (a COM_PING that waits its turn in the same loop
// as the statements do) and judges the store's latency windows with it.
#pragma once

#include "base/round_trips.h"
#include "client/asker.h"
#include "compare/latency.h"
#include "run/run.h"
#include "store/store.h"

namespace darktap::run {

class LatencyWatch {
 public:
  // Latencies are compared only while the target is under production's own load: as recorded, or live.
  enum class Pace : std::uint8_t { as_production, other };

  LatencyWatch(client::EventLoop& loop, const client::ConnectOptions& target, const LatencyLimits& limits, Pace pace);

  // Puts the next control where it is due. now: on the recording's clock, as the exchanges that are sent meanwhile.
  void turn(CaptureTime now);
  // A statement that writes may take more round trips.
  void note(std::uint64_t fingerprint, sql::StatementClass statement_class);
  // From what the store holds so far; empty where nothing may be compared.
  std::vector<store::LatencyFinding> judge(store::RunWriter& writer, const RoundTrips& captured) const;

  // Round trips as the run shows them.
  store::RoundTripFigures round_trips(const RoundTrips& captured) const;

  // The shortest control: a round trip to the target and nothing else. 0 before the first.
  std::uint64_t round_trip_us() const { return control_.total().quantile(0); }

 private:
  client::Asker asker_;
  LatencyLimits limits_;
  Pace pace_;
  WindowedHistogram control_;
  std::set<std::uint64_t> writes_;
  std::chrono::steady_clock::time_point next_;
};

}  // namespace darktap::run
