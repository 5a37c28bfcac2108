// A capture file or a recording, whatever its kind, as sessions and exchanges.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "capture/server_ports.h"
#include "run/primer.h"
#include "run/tls_secrets.h"
#include "session/exchange.h"
#include "session/recording.h"

namespace darktap::run {

struct InputOptions {
  capture::ServerPorts ports;  // none: whatever is recognised as MySQL (a recording: every session)
  std::string filter;          // BPF, for packets only
  double sample_percent = 100;
  std::string key_file;        // of a recording whose rows are sealed, for a replay; empty: FILE.key
  session::Selection selection;  // of a recording, which is then read no further than needed; packets are read to their end
  std::shared_ptr<Primer> primer;       // null: sessions that ran before the tap are known by their traffic alone
  std::shared_ptr<TlsSecrets> secrets;  // null: only those that a capture file carries
};

struct InputResult {
  session::TapCounters counters;
  RoundTrips round_trips;          // as the tap measured them
  std::vector<std::string> files;  // what Provenance::file counts
  std::optional<session::RecordingOptions> recording;  // what a recording says of itself; nothing for packets
  std::string note;                // a line for the user: truncated, no MySQL in it; empty where all is well
};

// Reads it to its end, in the order of the file, in bounded memory. Throws Failure(environment) where nothing could be
// read. `stop` ends the reading early where it becomes true.
InputResult read_input(const std::string& path, const InputOptions& options, session::ExchangeSink& sink, const std::atomic<bool>& stop);

}  // namespace darktap::run
