// What somebody else knows of a connection that was joined in the middle: the server's own list of its sessions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace darktap::mysql {

struct Priming {
  struct Statement {
    std::uint32_t id = 0;
    std::string text;
    std::uint16_t parameters = 0;
  };
  std::string user, schema, server_version;
  std::vector<Statement> statements;
};

}  // namespace darktap::mysql
