#include "run/plan.h"

#include <algorithm>

#include "preparation.h"
#include "replay/write_policy.h"
#include "session/understanding.h"

namespace darktap::run {

namespace {

struct Reckoner final : session::ExchangeSink {
  Reckoner(const RunOptions& options_, Plan& plan_) : options(options_), plan(plan_), policy{options_.allowed} {}

  void on_session(const session::SessionInfo& info) override {
    ++plan.sessions;
    plan.open_at_once = std::max(plan.open_at_once, ++open);
    servers.insert(info.server);
    sessions[info.id] = info;
  }
  void on_session_end(SessionId session, CaptureTime) override {
    if (open > 0) --open;
    sessions.erase(session);
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
    bool is_sent = decision.action == replay::Decision::Action::send || decision.action == replay::Decision::Action::send_as_state;
    if (!wanted || !is_sent) {
      ++plan.skipped[wanted ? decision.reason : "not_selected"];
      return;
    }
    ++plan.sent;
    if (!exchange.schema.empty()) plan.schemas.insert(exchange.schema);
    for (const sql::TableName& table : meaning->tables_read) {
      std::string schema = table.schema.empty() ? exchange.schema : table.schema;
      std::string name = schema.empty() ? table.name : schema + "." + table.name;
      if (plan.tables.size() >= Plan::tables_kept && !plan.tables.contains(name)) name = "(others)";
      ++plan.tables[name];
    }
  }

  const RunOptions& options;
  Plan& plan;
  replay::WritePolicy policy;
  session::Understanding understanding;
  std::map<SessionId, session::SessionInfo> sessions;
  std::set<std::uint64_t> fingerprints;
  std::set<Endpoint> servers;
  std::size_t open = 0;
  CaptureTime first = CaptureTime::max(), last = CaptureTime::min();
};

std::string quoted(const std::string& name) {
  std::string out = "`";
  for (char c : name) out += c == '`' ? std::string("``") : std::string(1, c);
  return out + "`";
}

// SELECT on each schema that is read: tables may be views, and a schema's grant outlives them.
std::vector<std::string> reading_grants(const Plan& plan, const std::string& user) {
  std::set<std::string> schemas;
  for (const auto& [table, count] : plan.tables)
    if (auto dot = table.find('.'); dot != std::string::npos) schemas.insert(table.substr(0, dot));
  std::vector<std::string> grants;
  for (const std::string& schema : schemas)
    if (schema != "information_schema") grants.push_back("GRANT SELECT ON " + quoted(schema) + ".* TO '" + user + "'@'%'");
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
  plan.target_grants = reading_grants(plan, options.servers.target.url.user);
  if (options.servers.reference) plan.reference_grants = reading_grants(plan, options.servers.reference->url.user);
  prepare(options, {{reckoner.servers.begin(), reckoner.servers.end()}, {}});
  return plan;
}

}  // namespace darktap::run
