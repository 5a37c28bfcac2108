// When the source ran a statement, by its own clock: a time that it wrote and that a later answer shows, or that it answered.
// The tap knows the time only to within the answer's way; NOW(6) in a table would differ by that. Pure.
#pragma once

#include <memory>
#include <optional>

#include "session/exchange.h"
#include "sql/meaning.h"

namespace darktap::replay {

struct SourceClockLimits {
  std::size_t watched_rows = 100'000;  // written and not read yet; beyond, the oldest is no longer looked for
  std::size_t known = 1'000'000;       // statements whose time was found out; beyond, the tap's time serves
};

class SourceClock {
 public:
  explicit SourceClock(const SourceClockLimits& limits = {});
  ~SourceClock();

  // Every exchange of the recording, each session's in order, before the first is replayed.
  void observe(const session::Exchange& exchange, const sql::Meaning& meaning);
  // A time between the statement's request and its answer; nothing where no answer told it.
  std::optional<CaptureTime> time_of(session::ExchangeId id) const;
  // To the microsecond; otherwise a time that the statement wrote may be another one at the target.
  bool knows_exactly(session::ExchangeId id) const;
  std::size_t known() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace darktap::replay
