// A client's command, decoded from its message.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "mysql/protocol.h"

namespace darktap::mysql {

// One bound value of a prepared statement, in the binary protocol's own encoding (without a length prefix), so that it can
// be sent again as it was.
struct Parameter {
  ColumnType type = ColumnType::null;
  enum class Sign : std::uint8_t { signed_, unsigned_ } sign = Sign::signed_;
  enum class Presence : std::uint8_t { value, null, default_, ignore } presence = Presence::null;  // the last two: MariaDB bulk
  std::string name;                 // query attributes and named parameters (MySQL 8.0.23+), usually empty
  std::vector<std::byte> bytes;
};

// The value as the server would print it; for a type that is text or bytes, the bytes themselves.
std::string print_parameter(const Parameter& parameter);

struct Command {
  CommandCode code = CommandCode::sleep;
  // The statement's text in the connection's character set: COM_QUERY and COM_STMT_PREPARE as sent, COM_STMT_EXECUTE /
  // BULK_EXECUTE / FETCH / RESET / CLOSE / SEND_LONG_DATA as prepared; COM_INIT_DB and CREATE/DROP_DB: the schema's name; COM_FIELD_LIST: the
  // table's name; COM_CHANGE_USER: empty. Empty where unknown.
  std::string text;
  enum class Text : std::uint8_t { none, known, unknown } text_state = Text::none;  // unknown: its PREPARE was not seen
  std::uint32_t statement_id = 0;
  std::uint8_t cursor_flags = 0;
  std::vector<Parameter> parameters;  // bulk execute: rows × columns, row after row
  std::uint32_t bulk_rows = 0;        // > 0 only for COM_STMT_BULK_EXECUTE
  std::vector<Parameter> attributes;  // query attributes
  std::uint32_t number = 0;           // COM_SET_OPTION's option, COM_PROCESS_KILL's id, COM_STMT_FETCH's row count
};

}  // namespace darktap::mysql
