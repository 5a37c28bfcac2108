#include "run/plan.h"

#include <algorithm>

#include "preparation.h"
#include "replay/copies.h"
#include "replay/write_policy.h"
#include "run/cursors.h"
#include "session/understanding.h"

namespace darktap::run {

namespace {

struct Reckoner final : session::ExchangeSink {
  Reckoner(const RunOptions& options_, Plan& plan_) : options(options_), plan(plan_) {
    using Reads = replay::WritePolicy::Reads;
    policy = {options.allowed, options.writes.kept, options.writes.reads_too ? Reads::sent : Reads::left_out, {}};
  }

  void on_session(const session::SessionInfo& info) override {
    ++plan.sessions;
    plan.open_at_once = std::max(plan.open_at_once, ++open);
    servers.insert(info.server);
    sessions[info.id] = info;
  }
  void on_session_end(SessionId session, CaptureTime) override {
    if (open > 0) --open;
    sessions.erase(session);
    std::erase_if(cursors, [&](const auto& cursor) { return cursor.first == session; });
    understanding.forget(session);
  }
  void on_exchange(session::Exchange& exchange) override {
    ++plan.exchanges;
    first = std::min(first, exchange.request_first);
    last = std::max(last, exchange.request_first);
    if (!exchange.user.empty()) plan.users.insert(exchange.user);
    auto meaning = understanding.of(sessions[exchange.id.session], exchange);
    bool is_statement = session::carries_statement(exchange.command.code);
    if (is_statement) ++plan.classes[std::string(sql::to_string(meaning->statement_class))];
    if (is_statement && meaning->fingerprint != 0) fingerprints.insert(meaning->fingerprint);
    if (exchange.answer.state == mysql::Answer::State::unobserved) {
      ++plan.unobserved;
      return;
    }
    const Selection& selection = options.selection;
    bool wanted = selection.wants_session(exchange) && selection.wants_time(exchange.request_first) && selection.wants_statement(meaning->fingerprint);
    replay::Decision decision = replay::decide(exchange, *meaning, policy);
    // A fetch is compared with the execute that opened its cursor.
    const std::pair cursor(exchange.id.session, exchange.command.statement_id);
    if (wanted && decision.is_sent() && opens_cursor(exchange)) cursors.insert(cursor);
    if (exchange.command.code == mysql::CommandCode::stmt_fetch && cursors.contains(cursor)) {
      ++plan.sent;
      return;
    }
    if (!wanted || !decision.is_sent()) {
      ++plan.skipped[wanted ? decision.reason : "not_selected"];
      return;
    }
    ++plan.sent;
    senders.insert(exchange.user);
    if (!exchange.schema.empty()) plan.schemas.insert(exchange.schema);
    auto count = [&](const std::vector<sql::TableName>& tables, std::map<std::string, std::uint64_t>& into) {
      for (const sql::TableName& table : tables) {
        std::string schema = table.schema.empty() ? exchange.schema : table.schema;
        std::string name = schema.empty() ? table.name : schema + "." + table.name;
        if (into.size() >= Plan::tables_kept && !into.contains(name)) name = "(others)";
        ++into[name];
      }
    };
    count(meaning->tables_read, plan.tables);
    count(meaning->tables_written, plan.tables_written);
  }

  const RunOptions& options;
  Plan& plan;
  replay::WritePolicy policy;
  session::Understanding understanding;
  std::map<SessionId, session::SessionInfo> sessions;
  std::set<std::uint64_t> fingerprints;
  std::set<Endpoint> servers;
  std::set<std::string> senders;
  std::set<std::pair<SessionId, std::uint32_t>> cursors;
  std::size_t open = 0;
  CaptureTime first = CaptureTime::max(), last = CaptureTime::min();
};

std::string quoted(const std::string& name) {
  std::string out = "`";
  for (char c : name) out += c == '`' ? std::string("``") : std::string(1, c);
  return out + "`";
}

// SELECT on each schema that is read: tables may be views, and a schema's grant outlives them.
std::vector<std::string> grants_of(const Plan& plan, const std::string& user, const WriteOptions& writes, const replay::SchemaMap& map) {
  auto schemas_of = [&](const std::map<std::string, std::uint64_t>& tables) {
    std::set<std::string> schemas;
    for (const auto& [table, count] : tables)
      if (auto dot = table.find('.'); dot != std::string::npos) schemas.insert(map.schema("", table.substr(0, dot)));
    schemas.erase("information_schema");
    return schemas;
  };
  const std::string account = " TO '" + user + "'@'%'";
  std::vector<std::string> grants;
  std::set<std::string> written = writes.kept == replay::Writes::left_out ? std::set<std::string>() : schemas_of(plan.tables_written), read = schemas_of(plan.tables);
  if (writes.kept == replay::Writes::redirected) {
    read.insert(written.begin(), written.end());
    for (const std::string& schema : written) grants.push_back("GRANT ALL ON " + quoted(replay::copy_of(schema)) + ".*" + account + "  -- the copy that is made");
  } else {
    for (const std::string& schema : written) grants.push_back("GRANT SELECT, INSERT, UPDATE, DELETE ON " + quoted(schema) + ".*" + account);
    for (const std::string& schema : written) read.erase(schema);
  }
  if (writes.kept != replay::Writes::left_out) grants.push_back("GRANT SELECT ON " + quoted(writes.marker.substr(0, writes.marker.find('.'))) + ".*" + account + "  -- the marker");
  for (const std::string& schema : read) grants.push_back("GRANT SELECT ON " + quoted(schema) + ".*" + account);
  grants.push_back("GRANT REPLICATION CLIENT ON *.* TO '" + user + "'@'%'  -- MariaDB: SLAVE MONITOR, REPLICATION MASTER ADMIN; only for the guard rails' sight of replicas");
  return grants;
}

}  // namespace

Plan plan_replay(const std::string& file, const InputOptions& input, const RunOptions& options, const std::atomic<bool>& stop) {
  Plan plan;
  Reckoner reckoner(options, plan);
  plan.note = read_input(file, input, reckoner, stop).note;
  plan.fingerprints = reckoner.fingerprints.size();
  for (const Endpoint& server : reckoner.servers) plan.servers.insert(to_string(server));
  if (plan.exchanges > 0) plan.recorded = reckoner.last - reckoner.first;
  if (options.pace.kind != replay::Pace::Kind::flat_out)
    plan.expected = std::chrono::nanoseconds(static_cast<std::int64_t>(static_cast<double>(plan.recorded.count()) / options.pace.factor * options.loops));
  plan.tap_grants = {"none: a tap needs no account, but CAP_NET_RAW on its machine"};
  std::set<std::string> users{options.servers.target.url.user};
  for (const auto& [captured, login] : options.users) users.insert(login.url.user);
  for (const std::string& user : users) {
    std::vector<std::string> grants = grants_of(plan, user, options.writes, replay::SchemaMap(options.map));
    plan.target_grants.insert(plan.target_grants.end(), grants.begin(), grants.end());
  }
  if (options.servers.reference) plan.reference_grants = grants_of(plan, options.servers.reference->url.user, WriteOptions(), replay::SchemaMap());
  SourceFacts facts;
  facts.servers.assign(reckoner.servers.begin(), reckoner.servers.end());
  facts.users = reckoner.senders;
  prepare(options, facts);
  return plan;
}

}  // namespace darktap::run
