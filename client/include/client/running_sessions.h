// The sessions that a server has now, by its own account, with what they prepared. Reads only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/expected.h"
#include "client/blocking.h"

namespace darktap::client {

struct RunningSession {
  struct Statement {
    std::uint32_t id = 0;
    std::string text;
  };
  std::uint64_t id = 0;
  std::string user, schema;
  std::string host;  // as the server says: "10.0.0.7:51234", a name with a port, or "localhost" for a socket
  std::vector<Statement> statements;
};

struct RunningSessions {
  std::vector<RunningSession> sessions;  // without our own
  std::vector<std::string> notes;        // what the server doesn't tell, a line each
};

// One line where the list itself can't be had.
Expected<RunningSessions, std::string> read_running_sessions(BlockingConnection& server);

}  // namespace darktap::client
