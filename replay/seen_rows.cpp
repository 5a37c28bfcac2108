#include "seen_rows.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <set>
#include <tuple>

#include "base/text.h"
#include "sql/query_shape.h"

namespace darktap::replay {
namespace {

constexpr std::size_t distinctive = 12;  // bytes of a text that no other row is taken to hold by chance

bool is_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// A value that comes back as it was written: whole numbers, and plain text without blanks at its end.
std::optional<std::string> plain(std::string_view value) {
  std::string_view digits = value.starts_with('-') ? value.substr(1) : value;
  if (is_digits(digits)) return digits.size() > 1 && digits.front() == '0' ? std::nullopt : std::optional(std::string(value));
  bool is_ascii = std::all_of(value.begin(), value.end(), [](char c) { return c >= 0x20 && c < 0x7f && c != '\\'; });
  if (value.empty() || value.back() == ' ' || !is_ascii) return std::nullopt;
  return std::string(value);
}

std::optional<std::string> plain_value(const sql::Value& value, const mysql::Command& command) {
  if (value.parameter) {
    auto bound = bound_value(value, command);
    return bound ? plain(*bound) : std::nullopt;
  }
  if (!value.is_literal || value.text.empty()) return std::nullopt;
  std::string_view text = value.text;
  char quote = text.front();
  bool is_quoted = text.size() >= 2 && (quote == '\'' || quote == '"') && text.back() == quote;
  if (!is_quoted) return is_digits(text) || (text.front() == '-' && is_digits(text.substr(1))) ? plain(text) : std::nullopt;
  text = text.substr(1, text.size() - 2);
  if (text.find(quote) != std::string_view::npos) return std::nullopt;
  return plain(text);
}

std::uint64_t digest(std::string_view text) { return std::max<std::uint64_t>(1, std::hash<std::string_view>()(text)); }

// Columns whose values are printed as they were written.
bool prints_plainly(const mysql::Column& column) {
  using enum mysql::ColumnType;
  switch (column.type) {
    case tiny: case short_: case long_: case longlong: case int24: case varchar: case var_string: case string: case enum_:
    case tiny_blob: case medium_blob: case long_blob: case blob:
      return true;
    default: return false;
  }
}

// The column whose one value names the one row, if a unique key of one column does.
std::optional<std::pair<std::string, std::string>> one_row(const TouchedKeys& keys, const sql::Table* table) {
  if (table == nullptr) return std::nullopt;
  for (const sql::UniqueKey& unique : table->unique_keys) {
    if (unique.columns.size() != 1) continue;
    auto named = keys.find(lower(unique.columns.front()));
    if (named != keys.end() && named->second.size() == 1) return std::pair(named->first, *named->second.begin());
  }
  return std::nullopt;
}

bool writes_again(const WrittenRows& later, const WrittenRows& write, const std::string& column) {
  if (later.table != write.table || disjoint(later.keys, write.keys)) return false;
  return column.empty() || later.kind != WrittenRows::Kind::updated || later.values.contains(column);
}

// One write of a transaction, and what came after it.
struct Case {
  const std::vector<WrittenRows>& writes;
  std::size_t n = 0;
  const std::vector<const std::vector<WrittenRows>*>& later;

  const WrittenRows& write() const { return writes[n]; }
  // By the same transaction: then this write was never seen.
  bool is_overwritten(const std::string& column) const {
    return std::any_of(writes.begin() + static_cast<std::ptrdiff_t>(n) + 1, writes.end(), [&](const WrittenRows& other) { return writes_again(other, write(), column); });
  }
  // By another one: then this one may have been seen through it.
  bool may_be_hidden(const std::string& column) const {
    return std::any_of(later.begin(), later.end(), [&](const std::vector<WrittenRows>* others) {
      return std::any_of(others->begin(), others->end(), [&](const WrittenRows& other) { return writes_again(other, write(), column); });
    });
  }
};

// A row that was removed and put back was there before and after.
bool is_replaced(const std::vector<WrittenRows>& writes, std::size_t n) {
  for (std::size_t other = 0; other < writes.size(); ++other) {
    bool pair = writes[other].kind != writes[n].kind && writes[other].kind != WrittenRows::Kind::updated;
    if (other != n && pair && writes[other].table == writes[n].table && !disjoint(writes[other].keys, writes[n].keys)) return true;
  }
  return false;
}

struct Witness {
  bool before = false, after = false;
};

// Of a write that names one row, and rows that show which one they are.
void look_at_row(const SeenRows& seen, const std::vector<std::size_t>& rows, const Case& one, Witness& witness) {
  const WrittenRows& write = one.write();
  bool is_there_anyhow = is_replaced(one.writes, one.n) || one.may_be_hidden({});
  if (rows.empty()) {
    if (seen.may_lack_rows || write.kind == WrittenRows::Kind::updated || is_there_anyhow) return;
    (write.kind == WrittenRows::Kind::inserted ? witness.before : witness.after) = true;
    return;
  }
  if (write.kind == WrittenRows::Kind::removed) {
    if (!is_there_anyhow) witness.before = true;
    return;
  }
  for (std::size_t c = 0; c < seen.columns.size(); ++c) {
    auto value = write.values.find(seen.columns[c]);
    if (value == write.values.end() || !value->second || seen.columns[c] == write.key_column || one.is_overwritten(value->first)) continue;
    bool is_hidden = one.may_be_hidden(value->first);
    for (std::size_t row : rows) {
      bool is_it = seen.cells[row * seen.columns.size() + c] == digest(*value->second);
      if (is_it) witness.after = true;
      else if (!is_hidden) witness.before = true;
    }
  }
}

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

// `column BETWEEN low AND high`, numbers or parameters.
void find_range(SeenRows& seen, const mysql::Command& command, const sql::QueryShape& shape) {
  std::string_view text = command.text;
  std::vector<std::string> words;
  std::string where = lower(sql::text_at(text, shape.where));
  for (std::size_t at = 0; at < where.size();) {
    std::size_t end = std::min(where.find(' ', at), where.size());
    if (end > at) words.push_back(where.substr(at, end - at));
    at = end + 1;
  }
  if (words.size() != 5 || words[1] != "between" || words[3] != "and" || text.substr(0, shape.where.begin).find_first_of("'\"") != std::string_view::npos) return;
  std::size_t parameter = static_cast<std::size_t>(std::count(text.begin(), text.begin() + shape.where.begin, '?'));
  std::optional<std::int64_t> ends[2];
  for (std::size_t n = 0; n < 2; ++n) {
    const std::string& word = words[2 + 2 * n];
    bool is_parameter = word == "?" && parameter < command.parameters.size() && command.parameters[parameter].presence == mysql::Parameter::Presence::value;
    ends[n] = whole_number(is_parameter ? mysql::print_parameter(command.parameters[parameter++]) : word);
  }
  if (!ends[0] || !ends[1]) return;
  std::string column = words[0].substr(words[0].rfind('.') + 1);
  column.erase(std::remove(column.begin(), column.end(), '`'), column.end());
  seen.range_column = column;
  seen.low = *ends[0];
  seen.high = *ends[1];
}

bool is_in_range(const SeenRows& seen, const std::string& value) {
  auto number = whole_number(value);
  return !number || (seen.low <= *number && *number <= seen.high);
}

// A new row of which the read asks by what it was given: WHERE account = 7, and VALUES (…, 7, …).
bool must_show(const SeenRows& seen, const WrittenRows& write) {
  auto predicates = seen.touched.find(seen.table);
  if (write.kind != WrittenRows::Kind::inserted || seen.may_lack_rows || !seen.range_column.empty() || predicates == seen.touched.end() || predicates->second.empty()) return false;
  return std::all_of(predicates->second.begin(), predicates->second.end(), [&](const auto& asked) {
    auto given = write.keys.find(asked.first);
    return given != write.keys.end() && given->second.size() == 1 && asked.second.contains(*given->second.begin());
  });
}

// Of a text that stands somewhere in the column, or nowhere.
void look_for_text(const SeenRows& seen, const Case& one, Witness& witness) {
  const WrittenRows& write = one.write();
  bool covers_row = !seen.may_lack_rows && !seen.range_column.empty() && seen.range_column == write.key_column && whole_number(write.key);
  if (covers_row && !is_in_range(seen, write.key)) return;
  covers_row = covers_row || must_show(seen, write);
  for (std::size_t c = 0; c < seen.columns.size(); ++c) {
    auto value = write.values.find(seen.columns[c]);
    if (value == write.values.end() || !value->second || one.is_overwritten(value->first)) continue;
    bool is_there = false;
    for (std::size_t row = 0; row < seen.rows && !is_there; ++row) is_there = seen.cells[row * seen.columns.size() + c] == digest(*value->second);
    if (is_there) witness.after = witness.after || value->second->size() >= distinctive;
    else if (covers_row && !one.may_be_hidden(value->first)) witness.before = true;
  }
}

void look(const SeenRows& seen, const Case& one, Witness& witness) {
  const WrittenRows& write = one.write();
  if (!seen.tells || seen.table != write.table) return;
  auto predicates = seen.touched.find(seen.table);
  if (predicates != seen.touched.end() && disjoint(predicates->second, write.keys)) return;
  if (write.key_column.empty()) return look_for_text(seen, one, witness);
  auto shown = std::find(seen.columns.begin(), seen.columns.end(), write.key_column);
  std::vector<std::size_t> rows;
  if (shown != seen.columns.end()) {
    std::size_t c = static_cast<std::size_t>(shown - seen.columns.begin());
    for (std::size_t row = 0; row < seen.rows; ++row)
      if (seen.cells[row * seen.columns.size() + c] == digest(write.key)) rows.push_back(row);
    if (rows.empty() && seen.may_lack_rows) return;
    return look_at_row(seen, rows, one, witness);
  }
  auto pinned = predicates == seen.touched.end() ? TouchedKeys::const_iterator() : predicates->second.find(write.key_column);
  bool is_pinned = predicates != seen.touched.end() && pinned != predicates->second.end() && pinned->second.size() == 1;
  if (!is_pinned) return look_for_text(seen, one, witness);
  for (std::size_t row = 0; row < seen.rows; ++row) rows.push_back(row);
  look_at_row(seen, rows, one, witness);
}

// The id that the server gave.
void give_id(WrittenRows& row, const sql::Table* table, std::uint64_t id) {
  if (id == 0 || table == nullptr) return;
  for (const sql::UniqueKey& unique : table->unique_keys)
    if (unique.name == "PRIMARY" && unique.columns.size() == 1) row.keys.try_emplace(lower(unique.columns[0]), std::set{std::to_string(id)});
}

// Of an INSERT of several rows; the answer tells the first one's id alone.
std::vector<WrittenRows> inserted_rows(WrittenRows&& each, const sql::QueryShape& shape, const std::vector<std::string>& columns, const mysql::Command& command, const sql::Table* table, std::uint64_t first_id) {
  std::vector<WrittenRows> rows;
  for (const std::vector<sql::Value>& values : shape.rows) {
    if (values.size() != columns.size()) return {};
    WrittenRows& row = rows.emplace_back(each);
    row.keys.clear();
    for (std::size_t c = 0; c < columns.size(); ++c) {
      row.values.insert_or_assign(lower(columns[c]), plain_value(values[c], command));
      if (auto value = value_of(values[c], command)) row.keys.insert_or_assign(lower(columns[c]), std::set{*value});
    }
    if (rows.size() == 1) give_id(row, table, first_id);
    if (auto one = one_row(row.keys, table)) std::tie(row.key_column, row.key) = *one;
  }
  return rows;
}

}  // namespace

bool meet(const Touched& a, const Touched& b) {
  return std::any_of(a.begin(), a.end(), [&](const auto& entry) {
    auto other = b.find(entry.first);
    return other != b.end() && !disjoint(entry.second, other->second);
  });
}

bool may_touch(const SeenRows& seen, const Touched& written) {
  return std::any_of(seen.touched.begin(), seen.touched.end(), [&](const auto& entry) {
    auto other = written.find(entry.first);
    if (other == written.end() || disjoint(entry.second, other->second)) return false;
    auto named = seen.range_column.empty() ? other->second.end() : other->second.find(seen.range_column);
    return named == other->second.end() || std::any_of(named->second.begin(), named->second.end(), [&](const std::string& value) { return is_in_range(seen, value); });
  });
}

std::vector<WrittenRows> written_rows(const session::Exchange& exchange, const sql::Meaning& meaning, const sql::Catalogue* catalogue) {
  if (meaning.tables_written.size() != 1 || meaning.statements != 1 || exchange.answer.error() != nullptr || exchange.command.bulk_rows != 0) return {};
  const mysql::Ok* ok = exchange.answer.last_ok();
  if (ok == nullptr || ok->affected_rows == 0) return {};
  sql::QueryShape shape = sql::shape_of(exchange.command.text);
  if (ok->affected_rows != 1 && (shape.kind != sql::ShapeKind::insert || shape.rows.size() != ok->affected_rows || ok->affected_rows > max_told_rows)) return {};
  WrittenRows written;
  const sql::TableName& name = meaning.tables_written.front();
  written.table = {name.schema.empty() ? exchange.schema : name.schema, name.name};
  const sql::Table* table = catalogue == nullptr ? nullptr : catalogue->table(written.table.first, written.table.second);
  written.keys = named_rows(exchange, meaning, table);
  auto set = [&](const std::string& column, const sql::Value& value) {
    written.values.insert_or_assign(lower(column), plain_value(value, exchange.command));
  };
  switch (shape.kind) {
    case sql::ShapeKind::insert:
      if (const std::vector<std::string> columns = inserted_columns(shape, table);
          shape.conflict == sql::Conflict::fails && !shape.rows.empty() && columns.size() == shape.rows[0].size()) {
        written.kind = WrittenRows::Kind::inserted;
        if (shape.rows.size() > 1) return inserted_rows(std::move(written), shape, columns, exchange.command, table, ok->last_insert_id);
        for (std::size_t c = 0; c < columns.size(); ++c) set(columns[c], shape.rows[0][c]);
        break;
      }
      return {};
    case sql::ShapeKind::update:
      for (const sql::Assignment& assignment : shape.assignments) set(assignment.column, assignment.value);
      break;
    case sql::ShapeKind::remove: written.kind = WrittenRows::Kind::removed; break;
    default: return {};
  }
  if (written.kind == WrittenRows::Kind::inserted) give_id(written, table, ok->last_insert_id);
  if (auto row = one_row(written.keys, table)) std::tie(written.key_column, written.key) = *row;
  return {std::move(written)};
}

SeenRows seen_rows(const session::Exchange& exchange, const sql::Meaning& meaning, Touched touched) {
  SeenRows seen;
  seen.id = exchange.id;
  seen.touched = std::move(touched);
  if (seen.touched.size() != 1 || meaning.statements != 1 || exchange.answer.results.size() != 1 || exchange.answer.error() != nullptr) return seen;
  const mysql::ResultSet* result = exchange.answer.first_rows();
  if (result == nullptr || !result->all_rows_kept() || result->rows.size() * result->columns.size() > max_seen_cells) return seen;
  seen.table = seen.touched.begin()->first;
  sql::QueryShape shape = sql::shape_of(exchange.command.text);
  if (shape.understood && shape.kind == sql::ShapeKind::select && !shape.has_subquery && shape.tables.size() == 1 && shape.set_operation.empty()) find_range(seen, exchange.command, shape);
  // What is put together from rows is nobody's value.
  if (!shape.understood || shape.kind != sql::ShapeKind::select || shape.has_subquery || !shape.group_by.empty() || shape.has_window || shape.tables.size() != 1) return seen;
  for (const mysql::Column& column : result->columns)
    seen.columns.push_back(!column.org_name.empty() && lower(column.org_table) == lower(seen.table.second) && prints_plainly(column) ? lower(column.org_name) : std::string());
  if (std::all_of(seen.columns.begin(), seen.columns.end(), [](const std::string& name) { return name.empty(); })) return seen;
  if (std::any_of(shape.items.begin(), shape.items.end(), [](const sql::SelectItem& item) { return item.aggregate || (item.star == sql::Star::no && item.column.empty()); })) return seen;
  std::string_view where = sql::text_at(exchange.command.text, shape.where);
  bool one_condition = shape.key_predicates.size() == 1 && lower(where).find(" and ") == std::string::npos && lower(where).find(" or ") == std::string::npos;
  bool is_cut = shape.limit && !(shape.limit->number && result->rows.size() < *shape.limit->number && !shape.offset);
  seen.may_lack_rows = is_cut || !(shape.where.empty() || one_condition || !seen.range_column.empty());
  for (std::size_t row = 0; row < result->rows.size(); ++row) {
    auto cells = mysql::decode_row(result->rows.row(row), result->columns, result->format);
    if (!cells) return seen;
    for (const mysql::Cell& cell : *cells) seen.cells.push_back(cell.is_null ? 0 : digest(cell.text));
  }
  seen.rows = result->rows.size();
  seen.tells = true;
  return seen;
}

bool wrote_to_one_row(const std::vector<WrittenRows>& a, const std::vector<WrittenRows>& b) {
  return std::any_of(a.begin(), a.end(), [&](const WrittenRows& one) {
    return std::any_of(b.begin(), b.end(), [&](const WrittenRows& other) { return writes_again(other, one, {}); });
  });
}

Sight sight_of(const std::vector<SeenRows>& reads, const std::vector<WrittenRows>& writes, const std::vector<const std::vector<WrittenRows>*>& later) {
  Witness witness;
  for (const SeenRows& seen : reads)
    for (std::size_t n = 0; n < writes.size(); ++n) look(seen, {writes, n, later}, witness);
  // Both: a value that was there before as well.
  if (witness.before == witness.after) return Sight::unknown;
  return witness.after ? Sight::after : Sight::before;
}

}  // namespace darktap::replay
