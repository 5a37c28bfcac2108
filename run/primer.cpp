#include "run/primer.h"

#include <charconv>

#include "base/expected.h"
#include "client/address.h"
#include "sql/lexer.h"

namespace darktap::run {

Primer::Primer(const client::Login& server) : name_(client::address_of(server.url)) {
  auto connection = client::BlockingConnection::open(server);
  if (!connection) throw Failure(FailureKind::environment, "--prime: " + connection.error().reason);
  ours_ = FlowKey{connection->connection().local_endpoint(), connection->connection().address()};
  auto running = client::read_running_sessions(*connection);
  if (!running) throw Failure(FailureKind::environment, "--prime " + name_ + ": " + running.error() + "; the account needs the PROCESS privilege");
  take(*running, connection->connection().server_version());
}

Primer::Primer(const client::RunningSessions& running, const std::string& server_version) { take(running, server_version); }

void Primer::take(const client::RunningSessions& running, const std::string& server_version) {
  notes_ = running.notes;
  for (const client::RunningSession& session : running.sessions) {
    std::size_t colon = session.host.rfind(':');
    std::uint16_t port = 0;
    if (colon != std::string::npos) std::from_chars(session.host.data() + colon + 1, session.host.data() + session.host.size(), port);
    if (port == 0) continue;  // a socket, or the server's own thread: nothing that a tap sees
    mysql::Priming priming{.user = session.user, .schema = session.schema, .server_version = server_version, .statements = {}};
    for (const client::RunningSession::Statement& statement : session.statements) {
      auto lexed = sql::lex(statement.text, {});
      priming.statements.push_back({statement.id, statement.text, static_cast<std::uint16_t>(lexed.parameters)});
    }
    ++listed_;
    if (auto address = client::parse_address(session.host.substr(0, colon))) by_address_[{*address, port}] = std::move(priming);
    else by_port_[port].push_back(std::move(priming));
  }
}

const mysql::Priming* Primer::find(const FlowKey& flow) {
  const mysql::Priming* found = nullptr;
  if (auto at = by_address_.find(flow.client); at != by_address_.end()) found = &at->second;
  // A name can't be compared, so its port must be nobody else's.
  else if (auto named = by_port_.find(flow.client.port); named != by_port_.end() && named->second.size() == 1) found = &named->second.front();
  if (found != nullptr) met_.insert(flow.client);
  else ++strangers_;
  return found;
}

std::string Primer::summary() const {
  std::string line = "--prime " + name_ + ": " + std::to_string(met_.size()) + " of " + std::to_string(listed_) + " listed sessions were seen";
  if (strangers_ > 0)
    line += "; " + std::to_string(strangers_) + " connections joined in the middle are not in its list (address translation or a proxy in between, or closed since)";
  return line;
}

}  // namespace darktap::run
