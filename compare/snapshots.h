// Reads inside a repeatable transaction see what its first read saw: writes that came between are met by none of them, at the source
// and at the target alike.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>

#include "compare/comparer.h"

namespace darktap::compare {

struct Snapshot {
  std::uint32_t first = 0, last = 0;      // seq of the read that took it, and of the last statement under it
  CaptureTime request, response;          // of that read, at the source
  std::optional<CaptureTime> before;      // when the target had answered what the session sent before it
  std::optional<CaptureTime> answered;    // and the read itself
};

inline constexpr std::size_t max_snapshots_of_session = 64, max_sessions_with_snapshots = 20'000;

class Snapshots {
 public:
  using Isolation = ComparerOptions::Isolation;
  explicit Snapshots(Isolation isolation) : isolation_(isolation) {}

  // Every exchange, in capture order.
  void observe(const session::Exchange& exchange, const sql::Meaning& meaning);
  void answered(session::ExchangeId exchange, CaptureTime when);
  // The snapshot that the read saw, where an earlier one took it.
  const Snapshot* of(session::ExchangeId read) const;

 private:
  struct Session {
    std::deque<Snapshot> snapshots;
    std::optional<Isolation> isolation, next;  // of the session; of its next transaction
    bool open = false, has_snapshot = false;
    std::optional<std::pair<std::uint32_t, CaptureTime>> last_answered;  // by the target: seq, when
    CaptureTime last_seen;
  };
  void follow_isolation(Session& session, const sql::Meaning& meaning) const;
  void forget_older_half();

  Isolation isolation_;
  std::map<SessionId, Session> sessions_;
};

}  // namespace darktap::compare
