#include "session/redaction.h"

#include "session/understanding.h"

namespace darktap::session {

namespace {

void redact(std::vector<mysql::Parameter>& parameters) {
  for (mysql::Parameter& p : parameters) {
    if (p.presence != mysql::Parameter::Presence::value) continue;
    p.type = mysql::ColumnType::var_string;
    p.bytes.assign(1, std::byte{'?'});
  }
}

}  // namespace

void redact_values(Exchange& exchange, const sql::Meaning& meaning) {
  mysql::Command& command = exchange.command;
  if (carries_statement(command.code) && command.text_state == mysql::Command::Text::known) command.text = meaning.normalized;
  redact(command.parameters);
  redact(command.attributes);
  for (mysql::Result& result : exchange.answer.results)
    if (auto* error = std::get_if<mysql::ServerError>(&result)) error->message = "(left out: the statement's values are redacted)";
}

}  // namespace darktap::session
