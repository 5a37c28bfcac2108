// What happens before the first statement is sent: the guard rails, the servers' identities and the catalogue.
#pragma once

#include "replay/guard_rails.h"
#include "run/run.h"
#include "sql/catalogue.h"

namespace darktap::run {

// What the input tells of production before the run.
struct SourceFacts {
  std::vector<Endpoint> servers;            // server ends in the capture, each once
  std::vector<std::uint16_t> tapped_ports;  // live only
};

struct Prepared {
  client::ConnectOptions target;
  std::optional<client::ConnectOptions> reference;
  sql::Catalogue catalogue;
  compare::ComparerOptions::TargetFollows target_follows{};
  std::string source_name;  // for the report
  std::vector<FlowKey> our_connections;  // made here, so that a live tap leaves them out
};

// Throws Failure(guard_rail) before anything is sent to a target that must not be, Failure(environment) where a server
// can't be reached or refuses.
Prepared prepare(const RunOptions& options, const SourceFacts& facts);

}  // namespace darktap::run
