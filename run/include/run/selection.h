// Which of a recording's exchanges a run is about. What is left out is counted as skipped, reason `not_selected`.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "session/exchange.h"

namespace darktap::run {

struct Selection {
  std::optional<CaptureTime> from, to;   // of the request's first byte; `to` itself is out
  std::set<std::uint64_t> sessions;      // by the recording's numbers; empty: all
  std::set<std::string> users;           // empty: all
  std::set<std::uint64_t> fingerprints;  // of statements; empty: all. Session state is replayed all the same

  bool is_all() const { return !from && !to && sessions.empty() && users.empty() && fingerprints.empty(); }
  bool wants_time(CaptureTime request) const { return (!from || request >= *from) && (!to || request < *to); }
  bool wants_session(const session::Exchange& exchange) const {
    return (sessions.empty() || sessions.contains(exchange.id.session.value)) && (users.empty() || users.contains(exchange.user));
  }
  bool wants_statement(std::uint64_t fingerprint) const { return fingerprints.empty() || fingerprints.contains(fingerprint); }
};

}  // namespace darktap::run
