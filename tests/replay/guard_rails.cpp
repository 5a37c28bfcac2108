// Targets that are refused before anything is sent, by address and by identity.
#include "replay/guard_rails.h"

#include "client/address.h"
#include "test_support/catch.h"

using namespace darktap;
using namespace darktap::replay;

namespace {

Endpoint at(const std::string& address, std::uint16_t port) { return {*client::parse_address(address), port}; }

AddressFacts facts(const std::string& target, std::uint16_t port = 3306) {
  AddressFacts result;
  result.target = {target + ":" + std::to_string(port), {at(target, port)}};
  result.local_addresses = {*client::parse_address("127.0.0.1"), *client::parse_address("::1"), *client::parse_address("10.0.0.5")};
  return result;
}

bool holds(const std::optional<std::string>& line, const std::string& part) { return line && line->find(part) != std::string::npos; }

ServerIdentity identity(const std::string& name) {
  ServerIdentity result;
  result.name = name;
  result.server_id = "1";
  result.hostname = name;
  result.datadir = "/var/lib/mysql/";
  return result;
}

}  // namespace

TEST_CASE("A target that the capture has as a server is the source, whatever its port is called") {
  AddressFacts one = facts("10.0.0.9");
  one.seen_servers = {at("10.0.0.8", 3306), at("10.0.0.9", 3306)};
  CHECK(holds(refuse_addresses(one), "it is the source"));
  CHECK(holds(refuse_addresses(one), "10.0.0.9:3306"));
  one.seen_servers = {at("10.0.0.9", 3307), at("10.0.0.8", 3306)};
  CHECK_FALSE(refuse_addresses(one));
}

TEST_CASE("All addresses of this machine are one host") {
  for (const char* seen : {"10.0.0.5", "127.0.0.1", "127.0.1.1", "::1"})
    for (const char* target : {"127.0.0.1", "::1", "10.0.0.5"}) {
      INFO(seen << " " << target);
      AddressFacts one = facts(target);
      one.seen_servers = {at(seen, 3306)};
      CHECK(holds(refuse_addresses(one), "it is the source"));
    }
  AddressFacts other = facts("127.0.0.1");
  other.seen_servers = {at("10.0.0.6", 3306)};
  CHECK_FALSE(refuse_addresses(other));
}

TEST_CASE("One of several addresses of a name is enough to refuse it") {
  AddressFacts one = facts("10.0.0.9");
  one.target.addresses.push_back(at("10.0.0.10", 3306));
  one.seen_servers = {at("10.0.0.10", 3306)};
  CHECK(refuse_addresses(one));
}

TEST_CASE("The source and the reference as given are refused as targets") {
  AddressFacts one = facts("10.0.0.9");
  one.source = NamedServer{"prod:3306", {at("10.0.0.9", 3306)}};
  CHECK(holds(refuse_addresses(one), "--source (prod:3306)"));
  one = facts("10.0.0.9");
  one.reference = NamedServer{"replica:3306", {at("10.0.0.9", 3306)}};
  CHECK(holds(refuse_addresses(one), "it is the reference"));
  one.reference->addresses = {at("10.0.0.9", 3307)};
  CHECK_FALSE(refuse_addresses(one));
}

TEST_CASE("The tapped port of this host is refused, other ports and other hosts are not") {
  AddressFacts one = facts("127.0.0.1", 3306);
  one.tapped_ports = {3306, 3310};
  CHECK(holds(refuse_addresses(one), "the tap listens"));
  AddressFacts other_port = facts("127.0.0.1", 3307);
  other_port.tapped_ports = {3306};
  CHECK_FALSE(refuse_addresses(other_port));
  AddressFacts other_host = facts("10.0.0.9", 3306);
  other_host.tapped_ports = {3306};
  CHECK_FALSE(refuse_addresses(other_host));
}

TEST_CASE("A refusal is one line with its remedy") {
  AddressFacts one = facts("10.0.0.9");
  one.seen_servers = {at("10.0.0.9", 3306)};
  std::string line = refuse_addresses(one).value();
  CHECK(line.find('\n') == std::string::npos);
  CHECK(line.starts_with("target 10.0.0.9:3306: "));
  CHECK(line.find("give --target") != std::string::npos);
}

TEST_CASE("Two names of one server are told by its uuid, or by server_id, hostname and datadir together") {
  ServerIdentity a = identity("db"), b = identity("db");
  CHECK(same_server(a, b));
  b.server_id = "2";
  CHECK_FALSE(same_server(a, b));
  b = identity("db");
  b.datadir = "/elsewhere/";
  CHECK_FALSE(same_server(a, b));
  b = identity("db");
  a.uuid = "u1", b.uuid = "u2";
  CHECK_FALSE(same_server(a, b));
  b.uuid = "u1", b.hostname = "renamed";
  CHECK(same_server(a, b));
  CHECK_FALSE(same_server(ServerIdentity{}, ServerIdentity{}));  // nothing known is not the same
}

TEST_CASE("A target that is the source or the reference under another name is refused") {
  IdentityFacts one;
  one.target = identity("db");
  one.target.name = "alias:3306";
  CHECK_FALSE(refuse_identities(one));
  one.source = identity("db");
  CHECK(holds(refuse_identities(one), "it is the source under another name"));
  one.source.reset();
  one.reference = identity("db");
  CHECK(holds(refuse_identities(one), "it is the reference under another name"));
  one.reference->server_id = "2";
  CHECK_FALSE(refuse_identities(one));
}

TEST_CASE("A target behind a forwarded port is refused where it says that it is this host's captured server") {
  IdentityFacts one;
  one.this_host = "db";
  one.local_addresses = {*client::parse_address("10.0.0.5")};
  one.target = identity("db");
  one.target.port = 3306;
  one.target_addresses = {at("127.0.0.1", 13306)};
  for (const char* seen : {"127.0.0.1", "10.0.0.5"}) {
    one.seen_servers = {at(seen, 3306)};
    CHECK(holds(refuse_identities(one), "it is the source under another name"));
  }
  one.seen_servers = {at("10.0.0.6", 3306)};  // captured elsewhere
  CHECK_FALSE(refuse_identities(one));
  one.tapped_ports = {3306};
  CHECK(holds(refuse_identities(one), "is tapped"));
  one.tapped_ports = {3307};
  one.seen_servers = {at("127.0.0.1", 3307)};  // another server of this host
  CHECK_FALSE(refuse_identities(one));
  one.seen_servers = {at("127.0.0.1", 3306)};
  one.target.hostname = "7f3a9c";  // in a container, whose port 3306 is not this host's
  CHECK_FALSE(refuse_identities(one));
  one.target.hostname = "db";
  one.target_addresses = {at("10.0.0.9", 3306)};  // another machine of that name
  CHECK_FALSE(refuse_identities(one));
}

TEST_CASE("A target that has the source among its replicas is refused, by address or by server_id") {
  IdentityFacts one;
  one.target = identity("new");
  one.target_addresses = {at("10.0.0.9", 3306)};
  one.target.replicas = {{"7", {at("10.0.0.1", 3306)}}};
  CHECK_FALSE(refuse_identities(one));
  one.seen_servers = {at("10.0.0.1", 3306)};
  CHECK(holds(refuse_identities(one), "among its replicas"));
  one.seen_servers = {at("10.0.0.1", 3307)};
  CHECK_FALSE(refuse_identities(one));
  one.source = identity("prod");
  CHECK_FALSE(refuse_identities(one));
  one.source->server_id = "7";
  CHECK(holds(refuse_identities(one), "server_id 7"));
  one.source->server_id = "8";
  one.source->primaries = {at("10.0.0.9", 3306)};
  CHECK(holds(refuse_identities(one), "the source replicates from it"));
}
