// What is refused before anything is sent: a target that is production, feeds production, or is the reference. The rules
// are pure functions over gathered facts; gathering asks the servers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/stream.h"
#include "client/blocking.h"

namespace darktap::replay {

// A server as given on the command line, with every address its name stands for.
struct NamedServer {
  std::string name;  // "host:port"
  std::vector<Endpoint> addresses;
};

struct AddressFacts {
  NamedServer target;
  std::optional<NamedServer> reference, source;  // --reference, --source
  std::vector<Endpoint> seen_servers;            // server ends in the capture
  std::vector<std::uint16_t> tapped_ports;       // of a live tap on this machine; empty for a file
  std::vector<IpAddress> local_addresses;        // of this machine
};
// Why the run is refused, in one line with the remedy; nothing where it may go on. Needs no connection. Addresses of this
// machine count as one: 127.0.0.1:3306 is 10.0.0.5:3306 where 10.0.0.5 is ours.
std::optional<std::string> refuse_addresses(const AddressFacts& facts);

// What a server says of itself; what it doesn't tell is empty.
struct ServerIdentity {
  std::string name;  // as given
  std::string uuid;  // @@server_uuid (MySQL)
  std::string server_id, hostname, datadir, version;
  std::uint16_t port = 0;
  struct Replica {
    std::string server_id;
    std::vector<Endpoint> addresses;  // where it serves, as far as known
  };
  std::vector<Replica> replicas;        // that read its binary log
  std::vector<Endpoint> primaries;      // that it reads from
  enum class Applier : std::uint8_t { unknown, none, running, stopped } applier = Applier::unknown;
  std::vector<std::string> unknown;     // what it would not tell, and why; one line each
};
bool same_server(const ServerIdentity& a, const ServerIdentity& b);

struct IdentityFacts {
  ServerIdentity target;
  std::vector<Endpoint> target_addresses;
  std::optional<ServerIdentity> reference, source;
  std::vector<Endpoint> seen_servers;
  std::vector<std::uint16_t> tapped_ports;
  std::vector<IpAddress> local_addresses;
  std::string this_host;  // as the kernel calls this machine
};
std::optional<std::string> refuse_identities(const IdentityFacts& facts);

// The shell's part. Throws Failure(environment) where a name is unknown.
NamedServer name_server(const client::ServerUrl& url);
// Asks an open connection; needs no privilege, tells more with REPLICATION CLIENT, REPLICATION SLAVE and PROCESS (MariaDB:
// SLAVE MONITOR, REPLICATION MASTER ADMIN and PROCESS).
ServerIdentity ask_identity(client::BlockingConnection& connection, const std::string& name);

}  // namespace darktap::replay
