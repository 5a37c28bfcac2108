// The bodies of a recording's records other than exchanges (docs/recording.md, misc lane).
#pragma once

#include "base/round_trips.h"
#include "session/exchange.h"
#include "wire.h"

namespace darktap::session {

void encode(WireWriter& out, const SessionInfo& info);
void decode(WireReader& in, SessionInfo& info);
void encode(WireWriter& out, const TapCounters& counters);
void decode(WireReader& in, TapCounters& counters);

// Four texts behind the counters; a recording that was made before they were measured ends there.
void encode(WireWriter& out, const RoundTrips& found);
void decode(WireReader& in, RoundTrips& found);

}  // namespace darktap::session
