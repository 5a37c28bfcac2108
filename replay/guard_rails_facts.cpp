// Asks servers who they are, whom they feed and who feeds them. What a server won't tell is noted, not guessed.
#include <algorithm>
#include <charconv>

#include "client/address.h"
#include "replay/guard_rails.h"

namespace darktap::replay {
namespace {

using client::BlockingConnection;
using client::Table;
using Applier = ServerIdentity::Applier;

std::optional<std::uint16_t> to_port(const std::optional<std::string>& text) {
  std::uint16_t port = 0;
  if (!text || std::from_chars(text->data(), text->data() + text->size(), port).ec != std::errc{} || port == 0) return std::nullopt;
  return port;
}

void add_addresses(std::vector<Endpoint>& list, const std::string& host, std::uint16_t port) {
  if (host.empty()) return;
  auto addresses = client::resolve(host, port);
  if (!addresses) return;
  for (const Endpoint& address : *addresses)
    if (std::find(list.begin(), list.end(), address) == list.end()) list.push_back(address);
}

// The first of several spellings that the server understands: MySQL 8 and MariaDB renamed these statements.
Expected<Table, std::string> first_understood(BlockingConnection& connection, std::initializer_list<const char*> spellings) {
  Expected<Table, std::string> answer = Unexpected(std::string("not asked"));
  for (const char* sql : spellings) {
    answer = connection.table(sql);
    if (answer) return answer;
  }
  return answer;
}

void ask_variables(BlockingConnection& connection, ServerIdentity& identity) {
  auto variables = connection.table(
      "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('server_uuid', 'server_id', 'hostname', 'datadir', 'port', 'version')");
  if (!variables) {
    identity.unknown.push_back("its variables: " + variables.error());
    return;
  }
  for (std::size_t row = 0; row < variables->size(); ++row) {
    std::string name = variables->at(row, std::size_t{0}).value_or("");
    std::string value = variables->at(row, std::size_t{1}).value_or("");
    if (name == "server_uuid") identity.uuid = value;
    if (name == "server_id") identity.server_id = value;
    if (name == "hostname") identity.hostname = value;
    if (name == "datadir") identity.datadir = value;
    if (name == "version") identity.version = value;
    if (name == "port") identity.port = to_port(value).value_or(0);
  }
}

// Who reads its binary log. A replica registers its port, but its host only where report_host is set: the process list
// tells from where the dump threads come.
void ask_replicas(BlockingConnection& connection, ServerIdentity& identity) {
  auto replicas = first_understood(connection, {"SHOW REPLICAS", "SHOW REPLICA HOSTS", "SHOW SLAVE HOSTS"});
  if (!replicas) {
    identity.unknown.push_back("its replicas: " + replicas.error());
    return;
  }
  if (replicas->size() == 0) return;
  std::vector<std::string> dump_hosts;
  if (auto processes = connection.table("SHOW PROCESSLIST")) {
    for (std::size_t row = 0; row < processes->size(); ++row) {
      if (!processes->at(row, "Command").value_or("").starts_with("Binlog Dump")) continue;
      std::string host = processes->at(row, "Host").value_or("");
      dump_hosts.push_back(host.substr(0, host.rfind(':')));
    }
  }
  for (std::size_t row = 0; row < replicas->size(); ++row) {
    ServerIdentity::Replica replica;
    replica.server_id = replicas->at(row, std::size_t{0}).value_or("");
    std::uint16_t port = to_port(replicas->at(row, "Port")).value_or(3306);
    std::string host = replicas->at(row, "Host").value_or("");
    add_addresses(replica.addresses, host, port);
    if (host.empty())
      for (const std::string& dump_host : dump_hosts) add_addresses(replica.addresses, dump_host, port);
    identity.replicas.push_back(std::move(replica));
  }
}

void ask_primaries(BlockingConnection& connection, ServerIdentity& identity) {
  auto status = first_understood(connection, {"SHOW ALL SLAVES STATUS", "SHOW REPLICA STATUS", "SHOW SLAVE STATUS"});
  if (!status) {
    identity.unknown.push_back("whom it follows: " + status.error());
    return;
  }
  identity.applier = status->size() == 0 ? Applier::none : Applier::stopped;
  for (std::size_t row = 0; row < status->size(); ++row) {
    auto either = [&](const char* now, const char* before) {
      auto value = status->at(row, now);
      return value ? value : status->at(row, before);
    };
    add_addresses(identity.primaries, either("Source_Host", "Master_Host").value_or(""),
                  to_port(either("Source_Port", "Master_Port")).value_or(3306));
    if (either("Replica_SQL_Running", "Slave_SQL_Running") == "Yes") identity.applier = Applier::running;
  }
}

}  // namespace

NamedServer name_server(const client::ServerUrl& url) {
  auto addresses = client::resolve(url.host, url.port);
  if (!addresses) throw Failure(FailureKind::environment, client::address_of(url) + ": " + addresses.error());
  return {client::address_of(url), std::move(*addresses)};
}

ServerIdentity ask_identity(BlockingConnection& connection, const std::string& name) {
  ServerIdentity identity;
  identity.name = name;
  ask_variables(connection, identity);
  if (identity.version.empty()) identity.version = connection.connection().server_version();
  ask_replicas(connection, identity);
  ask_primaries(connection, identity);
  return identity;
}

}  // namespace darktap::replay
