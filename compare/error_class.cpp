#include "error_class.h"

#include <array>
#include <utility>

namespace darktap::compare {

namespace {

struct Row {
  std::uint16_t code;
  ErrorClass error_class;
};

// https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html and https://mariadb.com/kb/en/mariadb-error-codes/
constexpr std::array codes{
    Row{1022, ErrorClass::duplicate_key}, Row{1040, ErrorClass::connection}, Row{1044, ErrorClass::access_denied},
    Row{1045, ErrorClass::access_denied}, Row{1046, ErrorClass::no_such_schema}, Row{1048, ErrorClass::not_null}, Row{1049, ErrorClass::no_such_schema},
    Row{1051, ErrorClass::no_such_table}, Row{1052, ErrorClass::ambiguous_column}, Row{1053, ErrorClass::connection},
    Row{1054, ErrorClass::no_such_column}, Row{1055, ErrorClass::not_aggregated}, Row{1062, ErrorClass::duplicate_key},
    Row{1064, ErrorClass::syntax}, Row{1109, ErrorClass::no_such_table}, Row{1136, ErrorClass::column_count},
    Row{1140, ErrorClass::not_aggregated}, Row{1142, ErrorClass::access_denied}, Row{1143, ErrorClass::access_denied},
    Row{1146, ErrorClass::no_such_table}, Row{1149, ErrorClass::syntax}, Row{1158, ErrorClass::connection},
    Row{1159, ErrorClass::connection}, Row{1160, ErrorClass::connection}, Row{1161, ErrorClass::connection},
    Row{1169, ErrorClass::duplicate_key}, Row{1178, ErrorClass::unsupported}, Row{1205, ErrorClass::lock_timeout},
    Row{1213, ErrorClass::deadlock}, Row{1214, ErrorClass::unsupported}, Row{1216, ErrorClass::foreign_key},
    Row{1217, ErrorClass::foreign_key}, Row{1222, ErrorClass::column_count}, Row{1227, ErrorClass::access_denied},
    Row{1235, ErrorClass::unsupported}, Row{1264, ErrorClass::out_of_range}, Row{1286, ErrorClass::unsupported},
    Row{1290, ErrorClass::read_only}, Row{1292, ErrorClass::wrong_value}, Row{1295, ErrorClass::unsupported},
    Row{1305, ErrorClass::no_such_function}, Row{1317, ErrorClass::interrupted}, Row{1364, ErrorClass::not_null},
    Row{1366, ErrorClass::wrong_value}, Row{1406, ErrorClass::too_long}, Row{1451, ErrorClass::foreign_key},
    Row{1452, ErrorClass::foreign_key}, Row{1478, ErrorClass::unsupported}, Row{1509, ErrorClass::unsupported},
    Row{1586, ErrorClass::duplicate_key}, Row{1690, ErrorClass::out_of_range}, Row{1792, ErrorClass::read_only},
    Row{1836, ErrorClass::read_only}, Row{1969, ErrorClass::interrupted}, Row{2006, ErrorClass::connection},
    Row{2013, ErrorClass::connection}, Row{3024, ErrorClass::interrupted}, Row{3572, ErrorClass::lock_timeout},
};

constexpr std::array<std::pair<std::string_view, ErrorClass>, 17> vitess_words{{
    {"VT12", ErrorClass::unsupported}, {"unsupported", ErrorClass::unsupported}, {"VT05003", ErrorClass::no_such_schema},
    {"VT05004", ErrorClass::no_such_table}, {"VT05005", ErrorClass::no_such_table}, {"VT03019", ErrorClass::no_such_column},
    {"VT03021", ErrorClass::ambiguous_column}, {"VT03002", ErrorClass::unsupported}, {"VT05006", ErrorClass::unsupported},
    {"syntax error", ErrorClass::syntax}, {"unknown database", ErrorClass::no_such_schema},
    {"column", ErrorClass::no_such_column}, {"symbol", ErrorClass::no_such_column},
    {"context deadline exceeded", ErrorClass::interrupted}, {"duplicate entry", ErrorClass::duplicate_key},
    {"deadlock", ErrorClass::deadlock}, {"denied", ErrorClass::access_denied},
}};

constexpr std::array<std::string_view, 22> class_names{
    "syntax", "no_such_table", "no_such_column", "no_such_schema", "no_such_function", "duplicate_key", "foreign_key",
    "not_null", "out_of_range", "wrong_value", "too_long", "access_denied", "deadlock", "lock_timeout", "interrupted",
    "read_only", "ambiguous_column", "column_count", "not_aggregated", "connection", "unsupported", "unknown"};

bool contains(std::string_view text, std::string_view word) { return text.find(word) != std::string_view::npos; }

ErrorClass classify_generic(std::string_view message) {
  if (contains(message, "table") && contains(message, "not found")) return ErrorClass::no_such_table;
  for (const auto& [word, error_class] : vitess_words) {
    if (!contains(message, word)) continue;
    if ((word == "column" || word == "symbol") && !contains(message, "not found")) continue;
    return error_class;
  }
  return ErrorClass::unknown;
}

}  // namespace

std::string_view to_string(ErrorClass error_class) { return class_names[static_cast<std::size_t>(error_class)]; }

ErrorClass classify(const mysql::ServerError& error) {
  if (error.code == 1105) return classify_generic(error.message);
  for (const Row& row : codes)
    if (row.code == error.code) return row.error_class;
  return ErrorClass::unknown;
}

bool same_error(const mysql::ServerError& a, const mysql::ServerError& b) {
  ErrorClass left = classify(a), right = classify(b);
  if (left == ErrorClass::unknown || right == ErrorClass::unknown) return a.code == b.code;
  return left == right;
}

bool is_environmental(ErrorClass error_class) {
  return error_class == ErrorClass::deadlock || error_class == ErrorClass::lock_timeout ||
         error_class == ErrorClass::interrupted || error_class == ErrorClass::connection;
}

}  // namespace darktap::compare
