// The rules; each names the server, why it is refused, and what to do.
#include "replay/guard_rails.h"

#include <algorithm>

#include "client/address.h"

namespace darktap::replay {
namespace {

bool contains(const std::vector<IpAddress>& addresses, const IpAddress& address) {
  return std::find(addresses.begin(), addresses.end(), address) != addresses.end();
}

// All addresses of this machine are one host; so is all of 127.0.0.0/8.
bool same_host(const IpAddress& a, const IpAddress& b, const std::vector<IpAddress>& local) {
  auto is_local = [&](const IpAddress& address) { return client::is_loopback(address) || contains(local, address); };
  return a == b || (is_local(a) && is_local(b));
}

bool same_endpoint(const Endpoint& a, const Endpoint& b, const std::vector<IpAddress>& local) {
  return a.port == b.port && same_host(a.address, b.address, local);
}

const Endpoint* shared_endpoint(const std::vector<Endpoint>& a, const std::vector<Endpoint>& b, const std::vector<IpAddress>& local) {
  for (const Endpoint& one : a)
    for (const Endpoint& other : b)
      if (same_endpoint(one, other, local)) return &other;
  return nullptr;
}

const std::string remedy = "; give --target a server that production does not use";

}  // namespace

std::optional<std::string> refuse_addresses(const AddressFacts& facts) {
  const std::string line = "target " + facts.target.name + ": ";
  if (auto* seen = shared_endpoint(facts.target.addresses, facts.seen_servers, facts.local_addresses))
    return line + "it is the source: the capture has its traffic (server " + to_string(*seen) + ")" + remedy;
  if (facts.source && shared_endpoint(facts.target.addresses, facts.source->addresses, facts.local_addresses))
    return line + "it is the source given by --source (" + facts.source->name + ")" + remedy;
  if (facts.reference && shared_endpoint(facts.target.addresses, facts.reference->addresses, facts.local_addresses))
    return line + "it is the reference (" + facts.reference->name + "): a server compared with itself shows nothing" +
           "; give --target and --reference different servers";
  for (const Endpoint& address : facts.target.addresses) {
    bool is_here = client::is_loopback(address.address) || contains(facts.local_addresses, address.address);
    if (is_here && std::find(facts.tapped_ports.begin(), facts.tapped_ports.end(), address.port) != facts.tapped_ports.end())
      return line + "port " + std::to_string(address.port) + " of this host is what the tap listens to: the target would be the source" + remedy;
  }
  return std::nullopt;
}

bool same_server(const ServerIdentity& a, const ServerIdentity& b) {
  if (!a.uuid.empty() && !b.uuid.empty()) return a.uuid == b.uuid;
  bool known = !a.server_id.empty() && !a.hostname.empty() && !a.datadir.empty();
  return known && a.server_id == b.server_id && a.hostname == b.hostname && a.datadir == b.datadir;
}

namespace {

// Reached through a forwarded port: by its own word the server runs here, on a port whose traffic was captured here.
std::optional<std::string> captured_here(const IdentityFacts& facts) {
  const ServerIdentity& target = facts.target;
  bool is_here = !facts.this_host.empty() && target.hostname == facts.this_host && target.port != 0;
  if (!is_here) return std::nullopt;
  for (const Endpoint& seen : facts.seen_servers) {
    bool seen_here = client::is_loopback(seen.address) || contains(facts.local_addresses, seen.address);
    if (seen_here && seen.port == target.port) return to_string(seen);
  }
  bool is_tapped = std::find(facts.tapped_ports.begin(), facts.tapped_ports.end(), target.port) != facts.tapped_ports.end();
  return is_tapped ? std::optional("port " + std::to_string(target.port) + " of this host, which is tapped") : std::nullopt;
}

}  // namespace

std::optional<std::string> refuse_identities(const IdentityFacts& facts) {
  const std::string line = "target " + facts.target.name + ": ";
  auto who = [](const ServerIdentity& server) {
    return server.name + ", " + (server.uuid.empty() ? "server_id " + server.server_id + " on " + server.hostname + ":" + server.datadir
                                                     : "uuid " + server.uuid);
  };
  if (facts.source && same_server(facts.target, *facts.source))
    return line + "it is the source under another name (" + who(*facts.source) + ")" + remedy;
  if (facts.reference && same_server(facts.target, *facts.reference))
    return line + "it is the reference under another name (" + who(*facts.reference) + ")" +
           "; give --target and --reference different servers";

  bool given_here = std::any_of(facts.target_addresses.begin(), facts.target_addresses.end(),
                                [&](const Endpoint& one) { return client::is_loopback(one.address) || contains(facts.local_addresses, one.address); });
  if (auto captured = given_here ? captured_here(facts) : std::nullopt)
    return line + "it is the source under another name: it says that it listens on port " + std::to_string(facts.target.port) + " of " + facts.this_host +
           ", and the capture has that server's traffic (" + *captured + ")" + remedy;

  for (const ServerIdentity::Replica& replica : facts.target.replicas) {
    bool by_id = facts.source && !replica.server_id.empty() && replica.server_id == facts.source->server_id;
    const Endpoint* by_address = shared_endpoint(replica.addresses, facts.seen_servers, facts.local_addresses);
    if (by_id || by_address != nullptr)
      return line + "the source is among its replicas (" + (by_address ? to_string(*by_address) : "server_id " + replica.server_id) +
             "): what is written there reaches production" + remedy;
  }
  if (facts.source)
    if (auto* primary = shared_endpoint(facts.source->primaries, facts.target_addresses, facts.local_addresses))
      return line + "the source replicates from it (" + to_string(*primary) + "): what is written there reaches production" + remedy;
  return std::nullopt;
}

}  // namespace darktap::replay
