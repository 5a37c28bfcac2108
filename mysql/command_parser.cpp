#include "command_parser.h"

namespace darktap::mysql {

namespace {

void take_text(Command& command, Bytes text) {
  command.text.assign(as_text(text));
  command.text_state = Command::Text::known;
}

// A command about a statement carries that statement's text.
Statement* take_statement(Command& command, std::uint32_t id, Statements& statements) {
  command.statement_id = id;
  Statement* statement = statements.find(id);
  if (statement != nullptr) {
    command.text = statement->text;
    command.text_state = Command::Text::known;
  } else if (const std::string* failed = statements.failed_text(id)) {
    command.text = *failed;
    command.text_state = Command::Text::known;
  } else {
    command.text_state = Command::Text::unknown;
  }
  return statement;
}

void parse_statement_command(ByteReader reader, AttributesForm attributes, Statements& statements, Command& command,
                             std::vector<Parameter>& spare, ParsedCommand& parsed) {
  Bytes body = reader.rest();
  std::uint32_t id = reader.u32le();
  if (!reader.ok()) {
    parsed.problem = "the message is too short";
    command.text_state = Command::Text::unknown;
    return;
  }
  Statement* statement = take_statement(command, id, statements);
  // An execution behind a PREPARE that failed has its text, and never had parameters that could be told apart.
  bool failed = statement == nullptr && statements.failed_text(id) != nullptr;
  if (command.code == CommandCode::stmt_execute) {
    parsed.problem = read_execute(body, statement, attributes, command, spare);
  } else if (command.code == CommandCode::stmt_bulk_execute) {
    parsed.problem = read_bulk_execute(body, statement, command);
  } else if (command.code == CommandCode::stmt_fetch) {
    command.number = reader.u32le();
  } else if (command.code == CommandCode::stmt_send_long_data) {
    parsed.long_data_parameter = reader.u16le();
    parsed.long_data = reader.rest();
  }
  if (failed) parsed.problem = {};
  // Closing a statement that a reset took away, or that nobody prepared, means the same either way.
  bool matters = command.code != CommandCode::stmt_close;
  if (parsed.problem.empty() && statement == nullptr && !failed && matters) parsed.problem = "its PREPARE was not seen";
}

}  // namespace

bool gets_no_answer(CommandCode code) {
  return code == CommandCode::quit || code == CommandCode::stmt_close || code == CommandCode::stmt_send_long_data;
}

bool becomes_stream(CommandCode code) {
  return code == CommandCode::binlog_dump || code == CommandCode::binlog_dump_gtid || code == CommandCode::table_dump ||
         code == CommandCode::clone || code == CommandCode::subscribe_group_replication;
}

ParsedCommand parse_command(Bytes message, Capabilities capabilities, AttributesForm attributes, Statements& statements, Command& command,
                            std::vector<Parameter>& spare) {
  ParsedCommand parsed;
  ByteReader reader(message);
  command.code = static_cast<CommandCode>(reader.u8());
  switch (command.code) {
    case CommandCode::query: {
      std::size_t text_begins = 0;
      // No statement begins with a control byte followed by 0x01, so the form shows itself where it was not negotiated.
      if (attributes != AttributesForm::absent && reader.peek() < 0x20) text_begins = read_query_attributes(reader.rest(), command);
      take_text(command, reader.rest().subspan(text_begins));
      break;
    }
    case CommandCode::stmt_prepare:
    case CommandCode::init_db:
    case CommandCode::create_db:
    case CommandCode::drop_db: take_text(command, reader.rest()); break;
    case CommandCode::field_list: take_text(command, reader.until_nul()); break;
    case CommandCode::stmt_execute:
    case CommandCode::stmt_bulk_execute:
    case CommandCode::stmt_fetch:
    case CommandCode::stmt_reset:
    case CommandCode::stmt_close:
    case CommandCode::stmt_send_long_data: parse_statement_command(reader, attributes, statements, command, spare, parsed); break;
    case CommandCode::set_option: command.number = reader.u16le(); break;
    case CommandCode::process_kill: command.number = reader.u32le(); break;
    case CommandCode::change_user:
      parsed.user_change = parse_user_change(reader.rest(), capabilities);
      if (!parsed.user_change) parsed.problem = "the new user could not be read";
      break;
    case CommandCode::sleep:
    case CommandCode::quit:
    case CommandCode::refresh:
    case CommandCode::shutdown:
    case CommandCode::statistics:
    case CommandCode::process_info:
    case CommandCode::connect:
    case CommandCode::debug:
    case CommandCode::ping:
    case CommandCode::time:
    case CommandCode::delayed_insert:
    case CommandCode::binlog_dump:
    case CommandCode::table_dump:
    case CommandCode::connect_out:
    case CommandCode::register_replica:
    case CommandCode::daemon:
    case CommandCode::binlog_dump_gtid:
    case CommandCode::reset_connection:
    case CommandCode::clone:
    case CommandCode::subscribe_group_replication: break;
  }
  return parsed;
}

}  // namespace darktap::mysql
