#include "mini_server.h"

#include <algorithm>
#include <regex>

#include "sql/lexer.h"
#include "sql/query_shape.h"

namespace fake {

namespace sql = darktap::sql;

namespace {

std::string folded(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return text;
}

bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789.-") == std::string::npos;
}

// Order of the case-insensitive collation; numbers by value; NULL first.
int compare_values(const std::string& a, const std::string& b) {
  if (a == null_value || b == null_value) return (b == null_value ? 1 : 0) - (a == null_value ? 1 : 0);
  if (is_number(a) && is_number(b)) {
    double x = std::stod(a), y = std::stod(b);
    return x < y ? -1 : x > y ? 1 : 0;
  }
  return folded(a).compare(folded(b));
}

std::string literal(const std::string& text) {
  sql::Lexed lexed = sql::lex(text);
  if (folded(text) == "null") return null_value;
  return lexed.tokens[0].kind == sql::TokenKind::string ? sql::string_value(text, lexed.tokens[0]) : text;
}

std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

void add_length(std::string& row, std::size_t size) {
  if (size < 251) {
    row += static_cast<char>(size);
  } else {
    row += '\xfc';
    row += static_cast<char>(size & 255);
    row += static_cast<char>(size >> 8);
  }
}

// The spelling question: SELECT (SELECT `c` = 'b' FROM t WHERE `c` = 'a' LIMIT 1), …
std::optional<mysql::Answer> answer_spellings(const std::string& text) {
  if (!text.starts_with("SELECT (SELECT ")) return std::nullopt;
  sql::Lexed lexed = sql::lex(text);
  std::vector<std::string> values;
  for (const sql::Token& token : lexed.tokens)
    if (token.kind == sql::TokenKind::string) values.push_back(sql::string_value(text, token));
  std::vector<mysql::Column> columns;
  std::vector<std::string> cells;
  for (std::size_t i = 0; i + 1 < values.size(); i += 2) {
    columns.push_back(column("", "equal", mysql::ColumnType::longlong));
    cells.push_back(folded(values[i]) == folded(values[i + 1]) ? "1" : "0");
  }
  return rows_answer(columns, {cells});
}

}  // namespace

std::map<std::string, Row> History::rows(const std::string& table, CaptureTime at) const {
  std::map<std::string, Row> result;
  const std::string& key = definitions.at(table).primary_key;
  for (const Change& change : changes_) {
    if (change.table != table || change.at > at) continue;
    if (change.removed) result.erase(change.row.at(key));
    else result[change.row.at(key)] = change.row;
  }
  return result;
}

std::vector<Row> MiniServer::stored(const std::string& table, CaptureTime now) const {
  std::vector<std::pair<std::uint64_t, Row>> placed;
  for (auto [key, row] : history_.rows(table, now - lag)) {
    if (auto wrong = corrupted.find({table, key}); wrong != corrupted.end()) {
      if (wrong->second.empty()) continue;
      for (const auto& [name, value] : wrong->second) row[name] = value;
    }
    std::uint64_t hash = layout_seed_;
    for (char c : key) hash = mix(hash ^ static_cast<unsigned char>(c));
    placed.emplace_back(hash, row);
  }
  if (auto more = extra.find(table); more != extra.end())
    for (const Row& row : more->second) placed.emplace_back(mix(layout_seed_ ^ placed.size()), row);
  std::stable_sort(placed.begin(), placed.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Row> result;
  for (auto& [hash, row] : placed) result.push_back(std::move(row));
  return result;
}

mysql::Answer MiniServer::answer(const std::string& statement, CaptureTime now) const {
  if (auto spelled = answer_spellings(statement)) return *spelled;
  // The comparer's tie questions put parentheses round a key.
  static const std::regex parenthesised(R"(\((\w+)\) <=>)");
  std::string text = std::regex_replace(statement, parenthesised, "$1 <=>");
  sql::QueryShape shape = sql::shape_of(text);
  if (!shape.understood || shape.tables.size() != 1) return error_answer(1105, "the test's server does not know: " + text);
  const std::string& table = shape.tables[0].table.name;
  if (!history_.definitions.contains(table)) return error_answer(1146, "Table 'shop." + table + "' doesn't exist");
  const TableDefinition& definition = history_.definitions.at(table);

  std::size_t conditions = shape.where.empty() ? 0 : 1;
  for (std::size_t at = 0; (at = text.find(" AND ", at)) != std::string::npos; ++at) ++conditions;
  if (conditions != shape.key_predicates.size()) return error_answer(1105, "the test's server does not know: " + text);

  std::vector<Row> rows = stored(table, now);
  std::erase_if(rows, [&](const Row& row) {
    return std::any_of(shape.key_predicates.begin(), shape.key_predicates.end(), [&](const sql::KeyPredicate& predicate) {
      return std::none_of(predicate.values.begin(), predicate.values.end(), [&](const sql::Value& value) {
        return compare_values(row.at(predicate.column), literal(value.text)) == 0;
      });
    });
  });

  auto type_of = [&](const std::string& name) {
    for (const auto& [candidate, type] : definition.columns)
      if (candidate == name) return type;
    return mysql::ColumnType::var_string;
  };
  auto item_column = [&](const sql::SortKey& key) { return key.column.empty() && key.item ? shape.items[*key.item].column : key.column; };
  if (!ignores_order) {
    std::stable_sort(rows.begin(), rows.end(), [&](const Row& a, const Row& b) {
      for (const sql::SortKey& key : shape.order_by) {
        int order = compare_values(a.at(item_column(key)), b.at(item_column(key)));
        if (order != 0) return key.descending ? order > 0 : order < 0;
      }
      return false;
    });
  }

  std::vector<mysql::Column> columns;
  std::vector<std::vector<std::string>> cells;
  bool concatenated = shape.items.size() == 1 && !shape.items[0].builders.empty();
  if (concatenated) {  // GROUP_CONCAT(x) over the whole table
    std::string name = shape.items[0].text.substr(13, shape.items[0].text.size() - 14), list;
    for (const Row& row : rows) list += (list.empty() ? "" : ",") + row.at(name);
    return rows_answer({column(table, "list", mysql::ColumnType::var_string)}, {{list}});
  }
  for (const sql::SelectItem& item : shape.items) {
    if (item.star != sql::Star::no)
      for (const auto& [name, type] : definition.columns) columns.push_back(column(table, name, type));
    else columns.push_back(column(table, item.column.empty() ? item.text : item.column, type_of(item.column)));
  }
  std::uint64_t draw = mix(static_cast<std::uint64_t>(now.time_since_epoch().count()) ^ layout_seed_);
  for (const Row& row : rows) {
    std::vector<std::string>& line = cells.emplace_back();
    for (const mysql::Column& one : columns) line.push_back(row.contains(one.name) ? row.at(one.name) : "0." + std::to_string(draw = mix(draw)));
  }
  std::uint64_t offset = shape.offset ? shape.offset->number.value_or(0) : 0;
  std::uint64_t limit = shape.limit ? shape.limit->number.value_or(0) : cells.size();
  cells.erase(cells.begin(), cells.begin() + static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(offset, cells.size())));
  if (cells.size() > limit) cells.resize(limit);
  return rows_answer(columns, cells);
}

mysql::Column column(const std::string& table, const std::string& name, mysql::ColumnType type) {
  mysql::Column result;
  result.schema = "shop";
  result.table = result.org_table = table;
  result.name = result.org_name = name;
  result.type = type;
  bool text = type == mysql::ColumnType::var_string || type == mysql::ColumnType::string || type == mysql::ColumnType::blob;
  result.charset = text ? 45 : 63;
  result.length = 80;
  return result;
}

mysql::Answer rows_answer(const std::vector<mysql::Column>& columns, const std::vector<std::vector<std::string>>& rows) {
  mysql::ResultSet set;
  set.columns = columns;
  for (const auto& row : rows) {
    std::string payload;
    for (const std::string& cell : row) {
      if (cell == null_value) {
        payload += '\xfb';
        continue;
      }
      add_length(payload, cell.size());
      payload += cell;
    }
    set.add(darktap::as_bytes(payload));
  }
  mysql::Answer answer;
  answer.results.emplace_back(std::move(set));
  return answer;
}

mysql::Answer ok_answer(std::uint64_t affected, std::uint64_t last_insert_id, std::uint16_t status) {
  mysql::Answer answer;
  answer.results.emplace_back(mysql::Ok{affected, last_insert_id, status, 0, {}, {}});
  return answer;
}

mysql::Answer error_answer(std::uint16_t code, const std::string& message) {
  mysql::Answer answer;
  answer.results.emplace_back(mysql::ServerError{code, "HY000", message});
  return answer;
}

}  // namespace fake
