// A client's message to a Command.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "login.h"
#include "mysql/command.h"
#include "statements.h"

namespace darktap::mysql {

struct ParsedCommand {
  std::string_view problem;  // what could not be read, one phrase; empty where all was
  std::optional<UserChange> user_change;  // of a COM_CHANGE_USER
  std::uint16_t long_data_parameter = 0;  // of a COM_STMT_SEND_LONG_DATA
  Bytes long_data;                        // lives as long as the message
};

// `message` is a whole command, its code byte first. `command` is empty; its storage is used, and that of `spare`, parameters that nobody
// needs any more. Statements lends texts, types and long data; it is changed only by new types of an execution.
ParsedCommand parse_command(Bytes message, Capabilities capabilities, AttributesForm attributes, Statements& statements, Command& command,
                            std::vector<Parameter>& spare);

// Commands that the server never answers.
bool gets_no_answer(CommandCode code);
// Commands that turn the rest of the connection into another protocol (replication, clone).
bool becomes_stream(CommandCode code);

}  // namespace darktap::mysql
