// What happens before the first statement is sent: the guard rails, the servers' identities and the catalogue.
#pragma once

#include "replay/guard_rails.h"
#include "replay/order_by_commit.h"
#include "replay/schema_map.h"
#include "replay/written_time.h"
#include "run/run.h"
#include "sql/catalogue.h"
#include "sql/dialect.h"

namespace darktap::run {

// What the input tells of production before the run.
struct SourceFacts {
  std::vector<Endpoint> servers;            // server ends in the capture, each once
  std::vector<std::uint16_t> tapped_ports;  // live only
  // Of a recording: each session's schemas by server ("host:port"), and those that captured writes go to.
  std::set<std::pair<std::string, std::string>> schemas, written;
  std::set<std::string> users;  // of a recording: whose sessions are to be replayed
};

struct Prepared {
  using SourceCount = std::optional<std::uint64_t>;
  SourceCount source_questions;  // that --source had answered when it was asked, where it tells
  bool reference_is_source = false;
  bool target_is_vtgate = false;  // as its version says
  std::uint64_t unix_sessions = 0;  // of the source when it was asked: no tap sees them
  client::ConnectOptions target;
  std::map<std::string, client::ConnectOptions> users;  // with --map-user: by captured name, "*" for all others
  std::optional<client::ConnectOptions> reference;
  sql::Catalogue catalogue;
  replay::SchemaMap map;
  std::vector<sql::Server> servers;  // that statements are sent to, as far as they told their versions
  replay::OrderOptions::Isolation isolation{};     // of the target's sessions
  replay::TargetClock clock{};                     // of the target, where writes are replayed
  std::set<sql::QualifiedName> cannot_roll_back;   // with --sandbox rollback
  compare::ComparerOptions::TargetFollows target_follows{};
  std::string source_name;  // for the report
  std::vector<FlowKey> our_connections;  // made here, so that a live tap leaves them out
};

// Throws Failure(guard_rail) before anything is sent to a target that must not be, Failure(environment) where a server
// can't be reached or refuses.
Prepared prepare(const RunOptions& options, const SourceFacts& facts);

// How many statements a server has answered since it started; nothing where it won't tell.
std::optional<std::uint64_t> questions_of(client::BlockingConnection& server);
// What --source has answered since prepare(), without `ours`; nothing where it can't be told.
std::optional<std::uint64_t> questions_since(const RunOptions& options, const Prepared::SourceCount& before, std::uint64_t ours);

}  // namespace darktap::run
