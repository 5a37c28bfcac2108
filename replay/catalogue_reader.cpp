#include "replay/catalogue_reader.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "base/text.h"
#include "sql/meaning.h"
#include "sql/rewrite.h"

namespace darktap::replay {
namespace {

using client::BlockingConnection;
using client::Table;

const std::string not_system =
    " NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys', '_vt')";

// Each is searched for every table's name.
constexpr std::size_t max_triggers = 5'000, max_views_looked_into = 5'000, max_routines_looked_into = 2'000;
constexpr std::array writing_words{"insert", "update", "delete", "replace", "load", "truncate", "create", "drop", "alter", "prepare", "execute"};

std::string text(const Table& table, std::size_t row, std::size_t column) { return table.at(row, column).value_or(""); }

void add_columns(sql::Catalogue& catalogue, const Table& rows) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string extra = lower(text(rows, i, 4));  // "VIRTUAL GENERATED", "on update current_timestamp()"; MySQL's "DEFAULT_GENERATED" is a default
    bool follows = extra.find("on update") != std::string::npos || extra.find(" generated") != std::string::npos || extra.starts_with("virtual") || extra.starts_with("stored") || extra.starts_with("persistent");
    catalogue.tables[{text(rows, i, 0), text(rows, i, 1)}].columns.push_back({text(rows, i, 2), text(rows, i, 3) != "NO", follows});
  }
}

// An index with one prefix part (SUB_PART) or one expression (no column) promises nothing: it is dropped whole.
void add_keys(sql::Catalogue& catalogue, const Table& rows) {
  std::string last;
  bool usable = false;
  sql::Table* table = nullptr;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    sql::QualifiedName name{text(rows, i, 0), text(rows, i, 1)};
    std::string index = text(rows, i, 2);
    std::string key = name.first + '\0' + name.second + '\0' + index;
    bool whole = rows.at(i, std::size_t{3}).has_value() && !rows.at(i, std::size_t{4}).has_value();
    if (key != last) {
      auto found = catalogue.tables.find(name);
      table = found == catalogue.tables.end() ? nullptr : &found->second;
      usable = table != nullptr && whole;
      if (usable) table->unique_keys.push_back({index, {}});
      last = key;
    } else if (usable && !whole) {
      table->unique_keys.pop_back();
      usable = false;
    }
    if (usable) table->unique_keys.back().columns.push_back(text(rows, i, 3));
  }
}

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$' || (c & 0x80) != 0; }

// Each once.
template <class Thing>
bool add_once(std::vector<Thing>& list, const Thing& thing) {
  if (std::find(list.begin(), list.end(), thing) != list.end()) return false;
  list.push_back(thing);
  return true;
}

// The last part of a called name: `f` of "`shop`.`f`".
std::string last_part(const std::string& called) {
  std::string part = lower(called.substr(called.rfind('.') == std::string::npos ? 0 : called.rfind('.') + 1));
  std::erase(part, '`');
  std::erase(part, '"');
  return part;
}

// What the view's own query does beside reading: a view may take a user lock, draw from a sequence, call a loaded function.
void add_effects(sql::View& view, const std::string& query, const sql::Dialect& dialect) {
  sql::Meaning meaning = sql::understand(query, dialect);
  for (const sql::Effect& effect : meaning.effects) {
    if (effect.kind == sql::EffectKind::not_understood) add_once(view.routines, std::string("(definition not understood)"));
    else if (effect.kind == sql::EffectKind::stored_routine) add_once(view.routines, last_part(effect.subject));
    else if (effect.forbids || effect.kind == sql::EffectKind::row_lock) add_once(view.effects, sql::HiddenEffect{effect.kind, effect.subject});
  }
}

// The routines and views that a view's text names. Over-cautious on purpose: any occurrence of the name counts.
bool names(const std::string& definition, const std::string& name) {
  for (std::size_t at = definition.find(name); at != std::string::npos; at = definition.find(name, at + 1)) {
    bool begins = at == 0 || !is_word(definition[at - 1]);
    bool ends = at + name.size() == definition.size() || !is_word(definition[at + name.size()]);
    if (begins && ends) return true;
  }
  return false;
}

// The tables that a text names, of whichever schema: it is written for a schema that it need not name.
std::set<sql::QualifiedName> tables_named(const sql::Catalogue& catalogue, const std::string& definition) {
  std::set<sql::QualifiedName> found;
  for (const auto& [name, table] : catalogue.tables)
    if (names(definition, lower(name.second))) found.insert(name);
  return found;
}

void add_foreign_keys(sql::Catalogue& catalogue, const Table& rows) {
  std::string last;
  auto follows = [](const std::string& rule) { return rule != "RESTRICT" && rule != "NO ACTION"; };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    sql::QualifiedName table{text(rows, i, 0), text(rows, i, 1)};
    std::string key = table.first + '\0' + table.second + '\0' + text(rows, i, 2);
    if (key != last) catalogue.foreign_keys.push_back({table, {text(rows, i, 4), text(rows, i, 5)}, {}, {}, follows(text(rows, i, 7)), follows(text(rows, i, 8))});
    last = key;
    catalogue.foreign_keys.back().columns.push_back(text(rows, i, 3));
    catalogue.foreign_keys.back().parent_columns.push_back(text(rows, i, 6));
  }
}

void add_triggers(sql::Catalogue& catalogue, const Table& rows) {
  for (std::size_t i = 0; i < rows.size() && i < max_triggers; ++i) {
    sql::QualifiedName table{text(rows, i, 0), text(rows, i, 1)};
    std::set<sql::QualifiedName> named = tables_named(catalogue, lower(text(rows, i, 2)));
    named.erase(table);
    if (!named.empty()) catalogue.triggers[table].merge(named);
  }
}

// Routines whose text holds a word that writes, and those that call them.
void add_routines(sql::Catalogue& catalogue, const Table& rows) {
  std::map<sql::QualifiedName, std::string> texts;
  for (std::size_t i = 0; i < rows.size() && i < max_routines_looked_into; ++i) texts[{text(rows, i, 0), lower(text(rows, i, 1))}] = lower(text(rows, i, 2));
  for (const auto& [name, body] : texts)
    if (std::any_of(writing_words.begin(), writing_words.end(), [&, &body = body](const char* word) { return names(body, word); }))
      if (auto named = tables_named(catalogue, body); !named.empty()) catalogue.routine_tables[name] = std::move(named);
  std::map<sql::QualifiedName, std::vector<sql::QualifiedName>> calls;
  for (const auto& [caller, body] : texts)
    if (names(body, "call"))
      for (const auto& [callee, other] : texts)
        if (caller != callee && names(body, callee.second)) calls[caller].push_back(callee);
  for (bool grew = true; grew;) {
    grew = false;
    for (const auto& [caller, callees] : calls)
      for (const sql::QualifiedName& callee : callees)
        if (auto reached = catalogue.routine_tables.find(callee); reached != catalogue.routine_tables.end()) {
          const std::set<sql::QualifiedName> tables = reached->second;
          std::set<sql::QualifiedName>& known = catalogue.routine_tables[caller];
          const std::size_t before = known.size();
          known.insert(tables.begin(), tables.end());
          grew = grew || known.size() != before;
        }
  }
}

struct ViewShown {
  sql::QualifiedName name;
  std::string query;
};

void add_views(sql::Catalogue& catalogue, const std::vector<ViewShown>& views, const sql::Dialect& dialect) {
  struct Definition {
    sql::QualifiedName name;
    std::string text;  // lower case
  };
  std::vector<Definition> definitions;
  for (const ViewShown& shown : views) {
    definitions.push_back({shown.name, lower(shown.query)});
    sql::View& view = catalogue.views[definitions.back().name];
    view.definition = shown.query;
    if (definitions.back().text.empty()) {  // no SHOW VIEW: it may reach anything
      add_once(view.routines, std::string("(definition not shown)"));
      continue;
    }
    if (definitions.size() <= max_views_looked_into) view.tables = tables_named(catalogue, definitions.back().text);
    for (const auto& [schema, routine] : catalogue.routines)
      if (names(definitions.back().text, routine)) add_once(view.routines, routine);
    add_effects(view, shown.query, dialect);
  }
  // Views over views, until nothing new is reached.
  for (bool grew = true; grew;) {
    grew = false;
    for (const Definition& outer : definitions)
      for (const Definition& inner : definitions) {
        if (&outer == &inner || !names(outer.text, lower(inner.name.second))) continue;
        sql::View& reached = catalogue.views[outer.name];
        const sql::View& hidden = catalogue.views[inner.name];
        for (const std::string& routine : hidden.routines) grew = add_once(reached.routines, routine) || grew;
        for (const sql::HiddenEffect& effect : hidden.effects) grew = add_once(reached.effects, effect) || grew;
      }
  }
}

// What the server answers goes to `add_rows`; one line where it refuses.
template <class AddRows>
std::optional<std::string> add(BlockingConnection& connection, const std::string& sql, AddRows add_rows) {
  auto rows = connection.table(sql);
  if (!rows) return "information_schema: " + rows.error();
  add_rows(*rows);
  return std::nullopt;
}

// MySQL 8.0 shows a view's query in information_schema to its definer only, though SHOW VIEW is granted; SHOW CREATE VIEW shows it. Every
// name is written with its schema where another one is the connection's.
void show_hidden(BlockingConnection& connection, std::vector<ViewShown>& views) {
  bool any = std::any_of(views.begin(), views.end(), [](const ViewShown& view) { return view.query.empty(); });
  if (!any) return;
  auto current = connection.table("SELECT DATABASE()");
  if (!current || current->size() != 1) return;
  const std::string schema = text(*current, 0, 0);
  auto use = [&](const std::string& name) {
    auto reply = connection.ask("USE " + sql::quote_name(name));
    return reply && reply->answer.error() == nullptr;
  };
  if (!schema.empty() && !use("information_schema")) return;
  std::size_t shown = 0;
  for (ViewShown& view : views) {
    if (!view.query.empty() || ++shown > max_views_looked_into) continue;
    auto created = connection.table("SHOW CREATE VIEW " + sql::quote_name(view.name.first) + "." + sql::quote_name(view.name.second));
    if (created && created->size() == 1) view.query = query_of_view(text(*created, 0, 1), view.name.first, view.name.second);
  }
  if (!schema.empty()) use(schema);
}

}  // namespace

std::string query_of_view(const std::string& shown, const std::string& schema, const std::string& name) {
  const std::string before = " VIEW " + sql::quote_name(schema) + "." + sql::quote_name(name) + " AS ";
  std::size_t at = shown.find(before);
  return at == std::string::npos ? std::string() : shown.substr(at + before.size());
}

std::optional<std::string> read_views(BlockingConnection& connection, sql::Catalogue& into) {
  // Definitions are printed as this session's sql_mode quotes.
  auto how = connection.table("SELECT @@sql_mode, VERSION()");
  if (!how || how->size() != 1) return "@@sql_mode: " + (how ? "no row" : how.error());
  sql::Dialect dialect{sql::parse_sql_mode(text(*how, 0, 0)), sql::Charset::plain, sql::server_of_version(text(*how, 0, 1))};
  auto problem = add(connection, "SELECT ROUTINE_SCHEMA, ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA" + not_system, [&](const Table& rows) {
    for (std::size_t i = 0; i < rows.size(); ++i) into.routines.insert({text(rows, i, 0), lower(text(rows, i, 1))});
  });
  if (!problem)
    problem = add(connection, "SELECT TABLE_SCHEMA, TABLE_NAME, VIEW_DEFINITION FROM information_schema.VIEWS WHERE TABLE_SCHEMA" + not_system,
                  [&](const Table& rows) {
                    std::vector<ViewShown> views;
                    for (std::size_t i = 0; i < rows.size(); ++i) views.push_back({{text(rows, i, 0), text(rows, i, 1)}, text(rows, i, 2)});
                    show_hidden(connection, views);
                    add_views(into, views, dialect);
                  });
  return problem;
}

Expected<sql::Catalogue, std::string> read_catalogue(BlockingConnection& connection, const std::string& default_schema,
                                                     const CatalogueLimits& limits) {
  auto count = connection.table("SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA" + not_system);
  if (!count) return Unexpected("information_schema: " + count.error());
  std::size_t columns = 0;
  std::string counted = text(*count, 0, 0);
  std::from_chars(counted.data(), counted.data() + counted.size(), columns);
  if (columns > limits.columns)
    return Unexpected("information_schema: " + counted + " columns, more than " + std::to_string(limits.columns) + " are not read");

  sql::Catalogue catalogue;
  catalogue.default_schema = default_schema;
  auto problem = add(connection, "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, IS_NULLABLE, EXTRA FROM information_schema.COLUMNS"
                                 " WHERE TABLE_SCHEMA" + not_system + " ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION",
                     [&](const Table& rows) { add_columns(catalogue, rows); });
  if (!problem)
    problem = add(connection, "SELECT TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, COLUMN_NAME, SUB_PART FROM information_schema.STATISTICS"
                              " WHERE NON_UNIQUE = 0 AND TABLE_SCHEMA" + not_system + " ORDER BY TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX",
                  [&](const Table& rows) { add_keys(catalogue, rows); });
  if (!problem) problem = read_views(connection, catalogue);
  // Without these an order by commit knows less; a server that tells nothing of them has the rest.
  add(connection, "SELECT k.TABLE_SCHEMA, k.TABLE_NAME, k.CONSTRAINT_NAME, k.COLUMN_NAME, k.REFERENCED_TABLE_SCHEMA, k.REFERENCED_TABLE_NAME, k.REFERENCED_COLUMN_NAME, r.DELETE_RULE, r.UPDATE_RULE"
                  " FROM information_schema.KEY_COLUMN_USAGE k JOIN information_schema.REFERENTIAL_CONSTRAINTS r ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME"
                  " AND r.TABLE_NAME = k.TABLE_NAME WHERE k.REFERENCED_TABLE_NAME IS NOT NULL AND k.TABLE_SCHEMA" + not_system + " ORDER BY 1, 2, 3, k.ORDINAL_POSITION",
      [&](const Table& rows) { add_foreign_keys(catalogue, rows); });
  add(connection, "SELECT EVENT_OBJECT_SCHEMA, EVENT_OBJECT_TABLE, ACTION_STATEMENT FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA" + not_system,
      [&](const Table& rows) { add_triggers(catalogue, rows); });
  add(connection, "SELECT ROUTINE_SCHEMA, ROUTINE_NAME, ROUTINE_DEFINITION FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA" + not_system,
      [&](const Table& rows) { add_routines(catalogue, rows); });
  if (problem) return Unexpected(*problem);
  return catalogue;
}

}  // namespace darktap::replay
