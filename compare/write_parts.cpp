#include "write_parts.h"

#include <algorithm>
#include <array>

#include "compare/comparer.h"
#include "plan.h"
#include "sql/lexer.h"
#include "text.h"
#include "unseen_writes.h"

namespace darktap::compare {

namespace {

// The columns that a write gives values which each server draws for itself.
std::set<std::string> drawn_columns(const sql::QueryShape& shape, const sql::Meaning& meaning, const sql::Table* table) {
  std::set<std::string> columns;
  const std::vector<std::string> functions = drawn_values(meaning);
  auto is_drawn = [&](const sql::Value& value) {
    const std::string text = lower(value.text);
    return std::any_of(functions.begin(), functions.end(), [&](const std::string& name) { return text.find(name) != std::string::npos; });
  };
  for (const sql::Assignment& assignment : shape.assignments)
    if (is_drawn(assignment.value)) columns.insert(lower(assignment.column));
  std::vector<std::string> inserted = shape.columns;
  if (inserted.empty() && table != nullptr)
    for (const sql::Column& column : table->columns) inserted.push_back(column.name);
  for (const std::vector<sql::Value>& row : shape.rows)
    for (std::size_t c = 0; c < row.size() && row.size() == inserted.size(); ++c)
      if (is_drawn(row[c])) columns.insert(lower(inserted[c]));
  return columns;
}

// The table's name inside the statement: an alias hides it.
bool is_called(const sql::QueryShape& shape, const sql::TableName& table, std::string_view qualifier) {
  return std::any_of(shape.tables.begin(), shape.tables.end(), [&](const sql::ShapeTable& place) {
    return place.table.name == table.name && same_name(qualifier, place.alias.empty() ? std::string_view(place.table.name) : place.alias);
  });
}

// The share of one table in an UPDATE or DELETE of several.
void take_share(WritePart& part, const sql::TableName& table, sql::QueryShape shape, const mysql::Command& command, const sql::Dialect& dialect) {
  if (!shape.understood) return;
  part.removes = shape.kind == sql::ShapeKind::remove;
  part.keys = predicates_on(table, shape, command, dialect);
  std::erase_if(shape.assignments, [&](const sql::Assignment& one) { return !one.table.empty() && !is_called(shape, table, one.table); });
  bool all_named = std::none_of(shape.assignments.begin(), shape.assignments.end(), [](const sql::Assignment& one) { return one.table.empty(); });
  for (const sql::Assignment& assignment : shape.assignments) {
    part.columns.insert(lower(assignment.column));
    part.keys.erase(lower(assignment.column));
  }
  shape.targets.resize(1);
  if (all_named) part.rows = written_rows(shape, command, dialect, nullptr, 0);
}

void add_parts(std::vector<WritePart>& parts, const std::string& text, const mysql::Ok* ok, const session::Exchange& exchange, const sql::Meaning& meaning,
               const sql::Catalogue& catalogue) {
  bool counts_rows = meaning.statement_class == sql::StatementClass::write;
  if (meaning.tables_written.empty() || (counts_rows && ok != nullptr && ok->affected_rows == 0)) return;
  const std::uint64_t changed = ok != nullptr ? ok->affected_rows : 0;
  const sql::Dialect dialect = dialect_of(exchange.collation);
  const sql::QueryShape shape = sql::shape_of(text, dialect);
  for (const sql::TableName& name : meaning.tables_written) {
    WritePart& part = parts.emplace_back();
    part.tables.emplace_back(name.schema.empty() ? exchange.schema : name.schema, name.name);
    if (meaning.tables_written.size() > 1) {
      take_share(part, name, shape, exchange.command, dialect);
      continue;
    }
    const sql::Table* table = catalogue.table(part.tables[0].first, part.tables[0].second);
    part.keys = written_keys(shape, exchange.command, dialect, table, ok != nullptr ? ok->last_insert_id : 0);
    part.rows = written_rows(shape, exchange.command, dialect, table, changed);
    part.removes = shape.understood && shape.kind == sql::ShapeKind::remove;
    if (shape.understood && (shape.kind == sql::ShapeKind::update || updated_instead(shape, changed)))
      for (const sql::Assignment& assignment : shape.assignments) part.columns.insert(lower(assignment.column));
    if (shape.understood) part.drawn = drawn_columns(shape, meaning, table);
  }
}

// What triggers and foreign keys write beside: which rows isn't known.
void add_parts_beneath(std::vector<WritePart>& parts, const sql::Meaning& meaning, const sql::Catalogue& catalogue) {
  if (catalogue.triggers.empty() && catalogue.foreign_keys.empty()) return;
  std::set<sql::QualifiedName> known;
  struct Written {
    sql::QualifiedName table;
    bool removes, updates;
    std::set<std::string> columns;  // that it changes; empty: any
  };
  const bool is_single = meaning.statements == 1;
  std::vector<Written> open;
  for (const WritePart& part : parts)
    for (const sql::QualifiedName& table : part.tables) {
      known.insert(table);
      open.push_back({table, part.removes || !is_single || meaning.verb == "replace", !is_single || meaning.verb == "update" || !part.columns.empty(), part.columns});
    }
  auto add = [&](const sql::QualifiedName& table) {
    if (!known.insert(table).second) return;
    parts.emplace_back().tables.push_back(table);
    open.push_back({table, true, true, {}});
  };
  while (!open.empty()) {
    const Written next = std::move(open.back());
    open.pop_back();
    for (const sql::ForeignKey& key : catalogue.foreign_keys) {
      if (key.parent != next.table) continue;
      bool changes_key = next.columns.empty() || std::any_of(key.parent_columns.begin(), key.parent_columns.end(), [&](const std::string& column) { return next.columns.contains(lower(column)); });
      if ((key.deletes && next.removes) || (key.updates && next.updates && changes_key)) add(key.table);
    }
    if (auto triggers = catalogue.triggers.find(next.table); triggers != catalogue.triggers.end())
      for (const sql::QualifiedName& table : triggers->second) add(table);
  }
}

// Which tables a write to the view may reach: those that its FROM names, where its text is shown.
std::set<sql::QualifiedName> tables_behind(const sql::View& view, const sql::QueryShape& query, const std::string& schema) {
  bool told = query.understood && query.kind == sql::ShapeKind::select && std::none_of(query.tables.begin(), query.tables.end(), [](const sql::ShapeTable& one) { return one.derived; });
  if (!told) return view.tables;
  std::set<sql::QualifiedName> tables;
  for (const sql::ShapeTable& one : query.tables) tables.emplace(one.table.schema.empty() ? schema : one.table.schema, one.table.name);
  return tables;
}

// Each of its columns is a table's, under its own name.
bool keeps_names(const sql::QueryShape& query) {
  return std::all_of(query.items.begin(), query.items.end(), [](const sql::SelectItem& item) {
    return item.star == sql::Star::all || (!item.column.empty() && (item.alias.empty() || same_name(item.alias, item.column)));
  });
}

// A write to a view is one to the table behind it; which one, where there are several, isn't known.
void add_parts_behind_views(std::vector<WritePart>& parts, const sql::Catalogue& catalogue) {
  if (catalogue.views.empty()) return;
  std::set<sql::QualifiedName> known;
  for (const WritePart& part : parts) known.insert(part.tables.begin(), part.tables.end());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    for (const sql::QualifiedName& name : std::vector<sql::QualifiedName>(parts[i].tables)) {
      auto view = catalogue.views.find(name);
      if (view == catalogue.views.end()) continue;
      const sql::QueryShape query = sql::shape_of(view->second.definition);
      const std::set<sql::QualifiedName> tables = tables_behind(view->second, query, name.first);
      const bool alone = tables.size() == 1 && parts[i].tables.size() == 1;
      for (const sql::QualifiedName& below : tables) {
        if (!known.insert(below).second) continue;
        WritePart part;
        if (alone && query.tables.size() == 1 && keeps_names(query)) part = parts[i];
        part.removes = alone && parts[i].removes;
        part.tables = {below};
        parts.push_back(std::move(part));
      }
    }
  }
}

// The statements of one text, cut at their semicolons.
std::vector<std::string> statements_of(const std::string& text, const sql::Dialect& dialect) {
  std::vector<std::string> statements;
  const sql::Lexed lexed = sql::lex(text, dialect);
  std::size_t begin = 0;
  bool is_empty = true;
  for (const sql::Token& token : lexed.tokens) {
    bool at_end = token.kind == sql::TokenKind::end || (token.kind == sql::TokenKind::symbol && token.symbol == sql::symbol_code(";"));
    if (!at_end) {
      is_empty = false;
      continue;
    }
    if (!is_empty) statements.push_back(text.substr(begin, token.offset - begin));
    begin = token.offset + token.length;
    is_empty = true;
  }
  return statements;
}

}  // namespace

namespace {

std::vector<WritePart> written_by(const session::Exchange& exchange, const sql::Meaning& meaning, const sql::Catalogue& catalogue) {
  std::vector<WritePart> parts;
  if (exchange.is_observed() && meaning.tables_written.empty())
    for (const sql::QualifiedName& table : may_have_written(exchange, meaning, catalogue)) parts.emplace_back().tables.push_back(table);
  if (!exchange.is_observed() || meaning.tables_written.empty()) return parts;
  const mysql::Answer& answer = exchange.answer;
  const mysql::ServerError* error = answer.error();
  if (meaning.statements == 1) {
    if (error == nullptr) add_parts(parts, exchange.command.text, answer.last_ok(), exchange, meaning, catalogue);
    return parts;
  }
  const sql::Dialect dialect = dialect_of(exchange.collation);
  const std::vector<std::string> statements = statements_of(exchange.command.text, dialect);
  bool each_answered = statements.size() == meaning.statements && answer.results.size() <= statements.size() && (error != nullptr || answer.results.size() == statements.size());
  if (!each_answered) {  // which statement did what isn't known
    if (error != nullptr) return parts;
    WritePart& whole = parts.emplace_back();
    for (const sql::TableName& name : meaning.tables_written) whole.tables.emplace_back(name.schema.empty() ? exchange.schema : name.schema, name.name);
    return parts;
  }
  for (std::size_t i = 0; i < answer.results.size(); ++i)
    if (const auto* ok = std::get_if<mysql::Ok>(&answer.results[i])) add_parts(parts, statements[i], ok, exchange, sql::understand(statements[i], dialect), catalogue);
  return parts;
}

}  // namespace

std::vector<std::string> drawn_values(const sql::Meaning& meaning) {
  static constexpr std::array drawn{std::string_view{"rand"}, std::string_view{"uuid"}, std::string_view{"uuid_short"}, std::string_view{"uuid_v4"}, std::string_view{"uuid_v7"},
                                    std::string_view{"sys_guid"}, std::string_view{"random_bytes"}, std::string_view{"connection_id"}};
  std::vector<std::string> names;
  for (const std::string& name : meaning.nondeterministic)
    if (std::find(drawn.begin(), drawn.end(), name) != drawn.end()) names.push_back(name);
  return names;
}

std::vector<WritePart> parts_of(const session::Exchange& exchange, const sql::Meaning& meaning, const sql::Catalogue& catalogue) {
  std::vector<WritePart> parts = written_by(exchange, meaning, catalogue);
  add_parts_behind_views(parts, catalogue);
  if (!parts.empty()) add_parts_beneath(parts, meaning, catalogue);
  return parts;
}

}  // namespace darktap::compare
