// What a question is asked under is what its own exchange was asked under, whatever the session has set since.
#include "run/session_variables.h"

#include "test_support/catch.h"

using namespace darktap;
using namespace darktap::run;

namespace {

void set(SessionVariables& variables, std::uint32_t seq, const std::string& text) {
  session::Exchange exchange;
  exchange.id = {SessionId{1}, seq};
  exchange.command.code = mysql::CommandCode::query;
  exchange.command.text = text;
  exchange.answer.results.push_back(mysql::Ok{});
  exchange.answer.state = mysql::Answer::State::complete;
  variables.note(exchange, sql::understand(text));
}
std::string zone(const SessionVariables& variables, std::uint32_t seq) {
  client::Variables found = variables.of({SessionId{1}, seq});
  return found.contains("time_zone") ? found.at("time_zone") : "none";
}

}  // namespace

TEST_CASE("a variable is what it was when the exchange came, not what it was set to since") {
  SessionVariables variables;
  set(variables, 2, "SET time_zone = '+05:30'");
  set(variables, 5, "SET time_zone = DEFAULT");
  CHECK(zone(variables, 1) == "none");
  CHECK(zone(variables, 2) == "none");
  CHECK(zone(variables, 3) == "'+05:30'");
  CHECK(zone(variables, 5) == "'+05:30'");
  CHECK(zone(variables, 6) == "DEFAULT");
}

TEST_CASE("settings that a recording restores stand before its exchanges") {
  SessionVariables variables;
  set(variables, 0xffffffff, "SET time_zone = '+01:00'");
  set(variables, 0xfffffffe, "SET sql_mode = ''");
  CHECK(zone(variables, 0) == "'+01:00'");
  set(variables, 3, "SET time_zone = '+02:00'");
  CHECK(zone(variables, 2) == "'+01:00'");
  CHECK(zone(variables, 4) == "'+02:00'");
}

TEST_CASE("of a session that sets and sets again so many changes are kept") {
  for (std::uint32_t more : {0U, 1U}) {
    SessionVariables variables;
    for (std::uint32_t seq = 0; seq < SessionVariables::kept_changes + more; ++seq) set(variables, seq, seq % 2 == 0 ? "SET time_zone = '+01:00'" : "SET time_zone = '+02:00'");
    CHECK(zone(variables, SessionVariables::kept_changes + more) == ((SessionVariables::kept_changes + more) % 2 == 0 ? "'+02:00'" : "'+01:00'"));
    CHECK(zone(variables, 1) == (more == 0 ? "'+01:00'" : "'+02:00'"));  // of what is forgotten the oldest that is kept
  }
}
