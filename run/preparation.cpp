#include "preparation.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "client/address.h"
#include "client/blocking.h"
#include "replay/catalogue_reader.h"
#include "replay/copies.h"
#include "replay/sandbox.h"

namespace darktap::run {

namespace {

void refuse(const std::optional<std::string>& line) {
  if (line) throw Failure(FailureKind::guard_rail, *line);
}

client::BlockingConnection open(const client::Login& login, const Limits& limits) {
  client::ConnectOptions options;
  options.connect_timeout = limits.connect;
  options.statement_timeout = limits.statement;
  auto connection = client::BlockingConnection::open(login, options);
  if (!connection) throw Failure(FailureKind::environment, connection.error().reason);
  return std::move(*connection);
}

FlowKey flow_of(const client::BlockingConnection& open) { return {open.connection().local_endpoint(), open.connection().address()}; }

client::ConnectOptions connect_options(const client::Login& login, const Limits& limits) {
  client::ConnectOptions options;
  options.connect_timeout = limits.connect;
  options.statement_timeout = limits.statement;
  auto filled = client::options_for(login, options);
  if (!filled) throw Failure(FailureKind::environment, filled.error().reason);
  return *filled;
}

std::string name_of_this_host() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : std::string();
}

// The reference's addresses are among those that production answers on, as far as the capture and --source tell.
bool reference_is_source(const replay::AddressFacts& facts, const replay::IdentityFacts& identities) {
  if (!facts.reference) return false;
  if (identities.source && identities.reference && replay::same_server(*identities.source, *identities.reference)) return true;
  auto contains = [](const auto& values, const auto& value) { return std::find(values.begin(), values.end(), value) != values.end(); };
  return std::any_of(facts.reference->addresses.begin(), facts.reference->addresses.end(), [&](const Endpoint& address) {
    bool here = contains(facts.local_addresses, address.address);
    return contains(facts.seen_servers, address) || (here && contains(facts.tapped_ports, address.port));
  });
}

void prepare_writes(client::BlockingConnection& target, const std::string& name, const WriteOptions& writes, Prepared& prepared) {
  using replay::Disposal;
  using replay::Writes;
  bool stays = writes.kept == Writes::applied;
  refuse(replay::refuse_marker(replay::ask_marker(target, writes.marker, name), stays ? Disposal::disposable : Disposal::kept));
  prepared.clock = replay::ask_clock(target);
  if (writes.kept != Writes::rolled_back) return;
  auto tables = replay::ask_what_cannot_roll_back(target);
  if (!tables) throw Failure(FailureKind::environment, "target " + name + " would not tell " + tables.error() + "; --sandbox rollback needs it, to leave out what a ROLLBACK does not bring back");
  prepared.cannot_roll_back = std::move(*tables);
}

// What the recording's sessions stand in must be there, under whichever name; and with --sandbox redirect copies are made.
void prepare_names(client::BlockingConnection& target, const std::string& name, const RunOptions& options, const SourceFacts& facts, Prepared& prepared) {
  prepared.map = replay::SchemaMap(options.map);
  auto rows = facts.schemas.empty() ? Expected<client::Table, std::string>(client::Table()) : target.table("SHOW DATABASES");
  if (rows && rows->size() > 0) {
    auto lower = [](std::string text) {
      std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      return text;
    };
    std::set<std::string> there;
    for (std::size_t row = 0; row < rows->size(); ++row) there.insert(lower(rows->at(row, std::size_t{0}).value_or("")));
    std::set<std::string> missing;
    bool has_any = false;
    for (const auto& [server, schema] : facts.schemas) {
      std::string mapped = prepared.map.schema(server, schema);
      bool is_there = there.contains(lower(mapped.substr(0, mapped.find_first_of("@:"))));
      has_any = has_any || is_there;
      if (!is_there) missing.insert(mapped == schema ? schema : schema + " (" + mapped + " there)");
    }
    std::string names;
    for (const std::string& schema : missing) names += (names.empty() ? "" : ", ") + schema;
    const std::string remedy = "; restore them there, say with --map what they are called, or give its user the right to see them";
    if (!has_any) throw Failure(FailureKind::environment, "target " + name + " has none of the recording's schemas: " + names + remedy);
    if (!missing.empty() && options.tell) options.tell("target " + name + " has no schema " + names + remedy);
  }
  if (options.writes.kept != replay::Writes::redirected) return;
  std::set<std::string> schemas;
  Limits patient = options.limits;
  patient.statement = std::chrono::hours(24);  // a large table is copied in one statement
  client::BlockingConnection copying = open(options.servers.target, patient);
  for (const auto& [server, schema] : facts.written) schemas.insert(prepared.map.schema(server, schema));
  for (const std::string& schema : schemas) {
    auto copied = replay::make_copy(copying, schema);
    if (!copied) throw Failure(FailureKind::environment, "target " + name + ": " + copied.error());
    prepared.map.redirect(schema, replay::copy_of(schema));
    if (!options.tell) continue;
    options.tell("target " + name + ": " + schema + " is replayed on its copy " + replay::copy_of(schema) + ", " + std::to_string(copied->tables) + " tables" +
                 (copied->views > 0 ? " and " + std::to_string(copied->views) + " views" : ""));
    for (const std::string& line : copied->left_out) options.tell("target " + name + ": " + line);
  }
}

// What is replayed as whom must be known before anything is sent, and each of them must get in.
void refuse_unknown_users(const RunOptions& options, const SourceFacts& facts) {
  if (options.users.empty() || options.users.contains("*")) return;
  std::string unknown, first;
  for (const std::string& user : facts.users) {
    if (user.empty() || options.users.contains(user)) continue;
    if (first.empty()) first = user;
    unknown += (unknown.empty() ? "" : ", ") + user;
  }
  if (first.empty()) return;
  throw Failure(FailureKind::guard_rail, "--map-user: the recording has sessions of users who are not mapped: " + unknown + "; add --map-user " + first + "=NAME, or '*=NAME' for all others, or choose sessions with --user");
}

void prepare_users(const RunOptions& options, Prepared& prepared) {
  std::set<std::string> tried;
  for (const auto& [captured, login] : options.users) {
    if (tried.insert(login.url.user).second) open(login, options.limits);
    prepared.users[captured] = connect_options(login, options.limits);
  }
}

// Older ones lack what the replay relies on: read-only transactions, session tracking, the metadata that answers are compared by.
void refuse_old_version(const replay::ServerIdentity& target) {
  const sql::Server server = sql::server_of_version(target.version);
  const bool is_mariadb = server.kind == sql::ServerKind::mariadb;
  const std::uint32_t least = is_mariadb ? 100200 : 50700;
  if (server.kind == sql::ServerKind::unknown || server.version == 0 || server.version >= least) return;
  throw Failure(FailureKind::environment, "target " + target.name + ": its version " + target.version + " is too old; " + (is_mariadb ? "MariaDB 10.2" : "MySQL 5.7") + " is the least that is replayed to");
}

// What is known under the target's names is known under the captured ones too: keys where nothing else told them, and all that
// a view of either name may do.
void name_as_captured(Prepared& prepared, const SourceFacts& facts) {
  if (prepared.map.is_empty()) return;
  sql::Catalogue named = prepared.catalogue;
  for (const auto& [server, schema] : facts.schemas) {
    std::string there = prepared.map.schema(server, schema);
    if (there == schema) continue;
    auto each = [&](const auto& entries, auto add) {
      for (auto entry = entries.lower_bound({there, ""}); entry != entries.end() && entry->first.first == there; ++entry) add(sql::QualifiedName{schema, entry->first.second}, entry->second);
    };
    for (const auto& [in, routine] : prepared.catalogue.routines)
      if (in == there) named.routines.insert({schema, routine});
    each(prepared.catalogue.tables, [&](const sql::QualifiedName& name, const sql::Table& table) { named.tables.try_emplace(name, table); });
    auto here = [&](const sql::QualifiedName& name) { return name.first == there ? sql::QualifiedName{schema, name.second} : name; };
    for (const sql::ForeignKey& key : prepared.catalogue.foreign_keys)
      if (key.table.first == there) named.foreign_keys.push_back({here(key.table), here(key.parent), key.columns, key.parent_columns, key.deletes, key.updates});
    each(prepared.catalogue.triggers, [&](const sql::QualifiedName& name, const std::set<sql::QualifiedName>& tables) {
      for (const sql::QualifiedName& table : tables) named.triggers[name].insert(here(table));
    });
    each(prepared.catalogue.routine_tables, [&](const sql::QualifiedName& name, const std::set<sql::QualifiedName>& tables) {
      for (const sql::QualifiedName& table : tables) named.routine_tables[name].insert(here(table));
    });
    each(prepared.catalogue.views, [&](const sql::QualifiedName& name, const sql::View& view) {
      sql::View& known = named.views[name];
      for (const sql::QualifiedName& table : view.tables) known.tables.insert(here(table));
      known.routines.insert(known.routines.end(), view.routines.begin(), view.routines.end());
      known.effects.insert(known.effects.end(), view.effects.begin(), view.effects.end());
    });
  }
  prepared.catalogue = std::move(named);
}

}  // namespace

namespace {

// Clients that came by the server's own socket file, as far as it shows other users' sessions to this one.
std::uint64_t unix_sessions_of(client::BlockingConnection& server) {
  auto table = server.table("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE HOST = 'localhost' AND COMMAND <> 'Daemon' AND USER NOT IN ('system user', 'event_scheduler')");
  std::string text = table ? table->at(0, std::size_t{0}).value_or("0") : "0";
  std::uint64_t count = 0;
  std::from_chars(text.data(), text.data() + text.size(), count);
  return count;
}

}  // namespace

std::optional<std::uint64_t> questions_of(client::BlockingConnection& server) {
  auto table = server.table("SHOW GLOBAL STATUS LIKE 'Questions'");
  if (!table) return std::nullopt;
  std::string text = table->at(0, std::size_t{1}).value_or("");
  std::uint64_t count = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc{} || text.empty()) return std::nullopt;
  return count;
}

std::optional<std::uint64_t> questions_since(const RunOptions& options, const Prepared::SourceCount& before, std::uint64_t ours) {
  if (!options.servers.source || !before) return std::nullopt;
  client::ConnectOptions connect;
  connect.connect_timeout = options.limits.connect;
  connect.statement_timeout = options.limits.connect;
  auto source = client::BlockingConnection::open(*options.servers.source, connect);
  if (!source) return std::nullopt;
  auto now = questions_of(*source);
  if (!now || *now < *before + ours + 1) return std::nullopt;  // restarted meanwhile, or doesn't tell
  return *now - *before - ours - 1;                            // the one just asked is none of production's
}

Prepared prepare(const RunOptions& options, const SourceFacts& facts) {
  const Servers& servers = options.servers;
  replay::AddressFacts addresses;
  addresses.target = replay::name_server(servers.target.url);
  if (servers.reference) addresses.reference = replay::name_server(servers.reference->url);
  if (servers.source) addresses.source = replay::name_server(servers.source->url);
  addresses.seen_servers = facts.servers;
  addresses.tapped_ports = facts.tapped_ports;
  addresses.local_addresses = client::local_addresses();
  replay::AddressFacts apart = addresses;
  if (options.aa) apart.reference.reset();  // the target may be the reference then; it may never be the source
  refuse(replay::refuse_addresses(apart));
  refuse_unknown_users(options, facts);

  Prepared prepared;
  replay::IdentityFacts identities;
  identities.seen_servers = facts.servers;
  identities.local_addresses = addresses.local_addresses;
  identities.target_addresses = addresses.target.addresses;
  identities.tapped_ports = addresses.tapped_ports;
  identities.this_host = name_of_this_host();
  client::BlockingConnection target = open(servers.target, options.limits);
  if (options.tell && servers.target.compression == client::Compression::where_possible && !target.connection().is_compressed())
    options.tell("target " + addresses.target.name + " has no compression; the run goes on without");
  identities.target = replay::ask_identity(target, addresses.target.name);
  std::optional<client::BlockingConnection> reference;
  if (servers.reference) {
    reference = open(*servers.reference, options.limits);
    identities.reference = replay::ask_identity(*reference, addresses.reference->name);
  }
  if (servers.source) {
    client::BlockingConnection source = open(*servers.source, options.limits);
    identities.source = replay::ask_identity(source, addresses.source->name);
    prepared.source_questions = questions_of(source);
    prepared.unix_sessions = unix_sessions_of(source);
    prepared.our_connections.push_back(flow_of(source));
  }
  prepared.our_connections.push_back(flow_of(target));
  if (reference) prepared.our_connections.push_back(flow_of(*reference));
  replay::IdentityFacts told = identities;
  if (options.aa) told.reference.reset();
  refuse(replay::refuse_identities(told));
  if (options.writes.kept != replay::Writes::left_out) prepare_writes(target, addresses.target.name, options.writes, prepared);
  refuse_old_version(identities.target);
  prepare_users(options, prepared);
  prepare_names(target, addresses.target.name, options, facts, prepared);
  if (options.writes.kept != replay::Writes::left_out) prepared.isolation = replay::ask_isolation(target);

  if (options.tell)
    for (const std::string& line : identities.target.unknown) options.tell("target " + addresses.target.name + " would not tell " + line + "; the guard rail that needs it could not be checked");
  prepared.reference_is_source = reference_is_source(addresses, identities);
  if (options.tell && prepared.reference_is_source) {
    options.tell("the reference " + addresses.reference->name + " is the source itself: it gets re-reads only, in read-only sessions, at most " +
                 std::to_string(static_cast<int>(options.judging.questions_per_second)) + " a second");
  }
  auto says_vitess = [](const std::string& version) { return version.find("itess") != std::string::npos; };
  prepared.target_is_vtgate = says_vitess(identities.target.version) || says_vitess(target.connection().server_version());
  prepared.target = connect_options(servers.target, options.limits);
  if (servers.reference) prepared.reference = connect_options(*servers.reference, options.limits);
  auto add_server = [&](const replay::ServerIdentity& identity) {
    sql::Server server = sql::server_of_version(identity.version);
    if (server.kind != sql::ServerKind::unknown) prepared.servers.push_back(server);
  };
  add_server(identities.target);
  if (identities.reference) add_server(*identities.reference);
  // The reference stands in for production, whose schema decides what order was promised; the target's serves where there is none.
  auto catalogue = replay::read_catalogue(reference ? *reference : target, servers.target.url.schema);
  if (catalogue) prepared.catalogue = std::move(*catalogue);
  else if (options.tell) options.tell("views are taken for tables, and no order is proved by a key: " + catalogue.error());
  // A view of the target may do more than one of that name elsewhere.
  if (reference && catalogue) {
    if (auto problem = replay::read_views(target, prepared.catalogue); problem && options.tell) options.tell("the target's views are taken for tables: " + *problem);
  }
  name_as_captured(prepared, facts);
  prepared.target_follows = options.judging.target_follows;
  using Follows = compare::ComparerOptions::TargetFollows;
  if (prepared.target_follows == Follows::automatic && identities.target.applier == replay::ServerIdentity::Applier::running) prepared.target_follows = Follows::yes;
  if (servers.source) prepared.source_name = addresses.source->name;
  else if (!facts.servers.empty()) prepared.source_name = to_string(facts.servers.front());
  return prepared;
}

}  // namespace darktap::run
