#include "parameter_literals.h"

#include <algorithm>
#include <vector>

#include "sql/rewrite.h"

namespace darktap::compare {

std::optional<std::string> literal_of(const mysql::Parameter& parameter, const sql::Dialect& dialect) {
  using mysql::ColumnType;
  if (parameter.presence == mysql::Parameter::Presence::null) return "NULL";
  if (parameter.presence != mysql::Parameter::Presence::value) return std::nullopt;
  std::string text = mysql::print_parameter(parameter);
  switch (parameter.type) {
    case ColumnType::tiny: case ColumnType::short_: case ColumnType::long_: case ColumnType::longlong: case ColumnType::int24:
    case ColumnType::year: case ColumnType::decimal: case ColumnType::newdecimal:
      return text;
    case ColumnType::float_: case ColumnType::double_:
      // With an exponent it is a DOUBLE, without one a DECIMAL.
      if (text.find_first_not_of("0123456789.-+eE") != std::string::npos) return std::nullopt;
      return text.find_first_of("eE") == std::string::npos ? text + "e0" : text;
    case ColumnType::null: return "NULL";
    case ColumnType::date: case ColumnType::time: case ColumnType::datetime: case ColumnType::timestamp: case ColumnType::newdate:
    case ColumnType::timestamp2: case ColumnType::datetime2: case ColumnType::time2:
    case ColumnType::varchar: case ColumnType::var_string: case ColumnType::string: case ColumnType::enum_: case ColumnType::set: case ColumnType::json:
      return sql::quote_string(text, dialect);
    case ColumnType::tiny_blob: case ColumnType::medium_blob: case ColumnType::long_blob: case ColumnType::blob: {
      // Drivers send text as a BLOB too; bytes that are plain ASCII mean the same either way.
      bool plain = std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
      return plain ? sql::quote_string(text, dialect) : "x'" + to_hex(as_bytes(text)) + "'";
    }
    case ColumnType::bit: case ColumnType::geometry: case ColumnType::vector: return std::nullopt;
  }
  return std::nullopt;
}

std::optional<std::string> filled_in(const mysql::Command& command, const sql::Dialect& dialect) {
  if (command.bulk_rows > 0) return std::nullopt;
  std::vector<std::string> literals;
  for (const mysql::Parameter& parameter : command.parameters) {
    auto literal = literal_of(parameter, dialect);
    if (!literal) return std::nullopt;
    literals.push_back(std::move(*literal));
  }
  return sql::with_parameters(command.text, literals, dialect);
}

}  // namespace darktap::compare
