// What open sessions have set themselves up with, so that the next file of a series can be read alone: a session's SETs, the
// latest of each kind, oldest first, and the schema it stands in.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "session/exchange.h"
#include "session/understanding.h"

namespace darktap::session {

class SessionSettings {
 public:
  static constexpr std::size_t most_statements = 64, most_bytes = 16U << 10;  // a session; beyond them the oldest goes, counted

  void on_session(const SessionInfo& info);
  void on_exchange(const Exchange& exchange);
  void on_session_end(SessionId session) { sessions_.erase(session); }

  // The session's info as a new file begins with it.
  SessionInfo at_this_point(const SessionInfo& info) const;
  std::uint64_t left_out() const { return left_out_; }

 private:
  struct Setting {
    std::uint64_t fingerprint;
    std::string text;
  };
  struct Open {
    std::string server_version;
    std::vector<Setting> settings;
    std::size_t bytes = 0;
  };
  std::unordered_map<SessionId, Open> sessions_;
  Understanding understanding_;
  std::uint64_t left_out_ = 0;
};

}  // namespace darktap::session
