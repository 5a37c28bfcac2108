#include "client/running_sessions.h"

#include <charconv>
#include <map>

namespace darktap::client {

namespace {

constexpr std::size_t kept_text = 1024;  // the performance schema cuts statements here

std::uint64_t number(const std::optional<std::string>& text) {
  std::uint64_t value = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), value);
  return value;
}

std::string statements_advice(const BlockingConnection& server) {
  bool mariadb = server.connection().server_version().find("MariaDB") != std::string::npos;
  return mariadb ? "MariaDB lists prepared statements from 10.5 on and only where performance_schema=ON" : "start it with performance_schema=ON, and grant SELECT on performance_schema.*";
}

}  // namespace

Expected<RunningSessions, std::string> read_running_sessions(BlockingConnection& server) {
  (void)server.ask("SET SESSION TRANSACTION READ ONLY");  // a second lock, where the server has one
  auto list = server.table("SHOW PROCESSLIST");
  if (!list) return Unexpected("SHOW PROCESSLIST: " + list.error());
  RunningSessions running;
  std::map<std::uint64_t, std::size_t> by_id;
  for (std::size_t row = 0; row < list->size(); ++row) {
    RunningSession session{.id = number(list->at(row, "Id")), .user = list->at(row, "User").value_or(""), .schema = list->at(row, "db").value_or(""),
                           .host = list->at(row, "Host").value_or(""), .statements = {}};
    if (session.id == server.connection().server_thread()) continue;
    by_id[session.id] = running.sessions.size();
    running.sessions.push_back(std::move(session));
  }
  auto grants = server.table("SHOW GRANTS");
  bool sees_all = !grants;
  for (std::size_t row = 0; grants && row < grants->size(); ++row) {
    std::string text = grants->at(row, std::size_t{0}).value_or("");
    sees_all = sees_all || text.find("PROCESS") != std::string::npos || text.find("ALL PRIVILEGES ON *.*") != std::string::npos;
  }
  if (!sees_all) running.notes.push_back("the account has no PROCESS privilege and sees its own sessions only: GRANT PROCESS ON *.* TO it");

  auto statements = server.table(
      "SELECT t.PROCESSLIST_ID, p.STATEMENT_ID, p.SQL_TEXT FROM performance_schema.prepared_statements_instances p"
      " JOIN performance_schema.threads t ON t.THREAD_ID = p.OWNER_THREAD_ID WHERE p.STATEMENT_NAME IS NULL");
  if (!statements) {
    running.notes.push_back("it tells no prepared statements (" + statements.error() + "): " + statements_advice(server));
    return running;
  }
  auto enabled = server.table("SELECT @@GLOBAL.performance_schema");
  if (enabled && enabled->at(0, std::size_t{0}) == "0") running.notes.push_back("it tells no prepared statements: " + statements_advice(server));
  std::size_t cut = 0;
  for (std::size_t row = 0; row < statements->size(); ++row) {
    auto owner = by_id.find(number(statements->at(row, std::size_t{0})));
    if (owner == by_id.end()) continue;
    std::string text = statements->at(row, std::size_t{2}).value_or("");
    if (text.empty() || text.size() >= kept_text) {
      ++cut;
      continue;
    }
    running.sessions[owner->second].statements.push_back({static_cast<std::uint32_t>(number(statements->at(row, std::size_t{1}))), std::move(text)});
  }
  if (cut > 0) running.notes.push_back(std::to_string(cut) + " prepared statements are longer than the " + std::to_string(kept_text) + " bytes that it keeps, and stay without text");
  return running;
}

}  // namespace darktap::client
