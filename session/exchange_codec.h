// Exchanges and sessions as bytes of a recording (docs/recording.md); encode and decode stand side by side.
#pragma once

#include "session/exchange.h"
#include "wire.h"

namespace darktap::session {

void encode(WireWriter& out, const SessionInfo& info);
void decode(WireReader& in, SessionInfo& info);
void encode(WireWriter& out, const Exchange& exchange);
void decode(WireReader& in, Exchange& exchange);
void encode(WireWriter& out, const TapCounters& counters);
void decode(WireReader& in, TapCounters& counters);

}  // namespace darktap::session
