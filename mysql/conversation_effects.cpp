// What commands do to the session: its schema, user, character set and prepared statements.
#include "charsets.h"
#include "conversation.h"
#include "session_text.h"

namespace darktap::mysql {

void Conversation::take_effect(OpenExchange& head) {
  const Answer& answer = head.exchange.answer;
  const Command& command = head.exchange.command;
  bool succeeded = answer.error() == nullptr;
  switch (command.code) {
    case CommandCode::stmt_prepare:
      if (succeeded) {
        statements_.prepared(answer.statement_id, Statement{.text = command.text, .parameter_count = answer.parameter_count,
                                                            .columns = head.decoder.prepared_columns(), .types = {}, .long_data = {}});
      } else {
        statements_.not_prepared(command.text);
      }
      break;
    case CommandCode::stmt_execute:
    case CommandCode::stmt_bulk_execute:
    case CommandCode::stmt_reset:
      if (Statement* statement = statements_.find(command.statement_id)) {
        statements_.drop_long_data(*statement);
        // What a cursor's FETCH and MariaDB's cached metadata will refer to.
        const ResultSet* rows = answer.first_rows();
        if (rows != nullptr && (command.cursor_flags != 0 || definitions_may_be_left_out())) statement->columns = rows->columns;
      }
      break;
    case CommandCode::init_db:
      if (succeeded) facts_.schema = command.text;
      break;
    case CommandCode::query:
      if (succeeded) {
        SessionText text = recognise_session_text(command.text);
        if (text.schema) facts_.schema = *text.schema;
        if (text.collation) facts_.collation = *text.collation;
      }
      break;
    case CommandCode::change_user:
      if (succeeded) {
        facts_.user = head.user_change.user;
        facts_.schema = head.user_change.schema;
        if (head.user_change.collation != 0) facts_.collation = login_collation_ = head.user_change.collation;
        statements_.clear();
        state_doubt_.clear();
      }
      break;
    case CommandCode::reset_connection:
      if (succeeded) {
        statements_.clear();
        facts_.collation = login_collation_;
      }
      break;
    default: break;  // the others change nothing that is followed
  }
  apply(head.decoder.changes());
}

void Conversation::prime(const Priming& known) {
  facts_.user = known.user;
  facts_.schema = known.schema;
  for (const Priming::Statement& each : known.statements)
    statements_.prepared(each.id, Statement{.text = each.text, .parameter_count = each.parameters, .columns = {}, .types = {}, .long_data = {}});
  primed_ = "; primed from the server's processlist: user, schema and prepared statements";
}

void Conversation::apply(const SessionChanges& changes) {
  if (changes.schema) facts_.schema = *changes.schema;
  if (changes.character_set && character_set_of(facts_.collation) != *changes.character_set)
    if (std::uint16_t collation = collation_for(*changes.character_set); collation != 0) facts_.collation = collation;
  if (changes.collation)
    if (std::uint16_t collation = collation_by_name(*changes.collation); collation != 0) facts_.collation = collation;
}

std::uint16_t Conversation::collation_for(std::string_view character_set) const {
  if (character_set == "utf8" && character_set_of(facts_.collation) == "utf8mb3") return facts_.collation;
  return default_collation(character_set);
}

// A command whose answer stays unknown may have moved the state all the same.
void Conversation::note_unseen_effect(const Command& command) {
  switch (command.code) {
    case CommandCode::stmt_prepare:
      if (command.text_state == Command::Text::known) statements_.not_prepared(command.text);
      return;
    case CommandCode::init_db:
    case CommandCode::change_user:
    case CommandCode::reset_connection: break;
    case CommandCode::query: {
      if (command.text_state != Command::Text::known) break;
      SessionText text = recognise_session_text(command.text);
      if (!text.schema && !text.collation) return;
      break;
    }
    default: return;
  }
  if (state_doubt_.empty()) state_doubt_ = "a command that moves the session's state was not fully seen";
}

}  // namespace darktap::mysql
