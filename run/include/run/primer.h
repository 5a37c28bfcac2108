// capture --prime: what the server itself says of the sessions that ran before the tap did.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/stream.h"
#include "client/credentials.h"
#include "client/running_sessions.h"
#include "mysql/priming.h"

namespace darktap::run {

class Primer {
 public:
  // Asks once, with reads only. Throws Failure(environment) where the server can't be asked.
  explicit Primer(const client::Login& server);
  // The same from a list that was asked for already.
  Primer(const client::RunningSessions& running, const std::string& server_version);

  // Of a connection that was joined in the middle; null where the list doesn't have it, which is counted.
  const mysql::Priming* find(const FlowKey& flow);
  // Our own connection to the server, which the tap may see.
  bool is_ours(const FlowKey& flow) const { return ours_ == flow; }

  const std::vector<std::string>& notes() const { return notes_; }
  // How many sessions of the list were met, and how many were met that it didn't have: one line.
  std::string summary() const;

 private:
  void take(const client::RunningSessions& running, const std::string& server_version);

  std::string name_;
  std::optional<FlowKey> ours_;
  std::map<Endpoint, mysql::Priming> by_address_;
  std::map<std::uint16_t, std::vector<mysql::Priming>> by_port_;  // of clients that the server knows by a name
  std::set<Endpoint> met_;
  std::size_t listed_ = 0, strangers_ = 0;
  std::vector<std::string> notes_;
};

}  // namespace darktap::run
