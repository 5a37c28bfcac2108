#include "beneath.h"

#include <algorithm>

#include "base/text.h"
#include "sql/query_shape.h"

namespace darktap::replay {
namespace {

constexpr std::size_t max_depth = 8;  // of cascades and triggers that set off others

void add(Touched& into, const sql::QualifiedName& table, const TouchedKeys& keys) {
  auto [entry, is_new] = into.try_emplace(table, keys);
  if (!is_new) merge(entry->second, keys);
}

// Locks on a parent's rows: those that change them, and those that keep them unchanged, each waits for the other kind only.
sql::QualifiedName kept_rows(const sql::QualifiedName& parent) { return {parent.first, parent.second + std::string("\0kept", 5)}; }
sql::QualifiedName changed_rows(const sql::QualifiedName& parent) { return {parent.first, parent.second + std::string("\0changed", 8)}; }

// Values of some columns under the names that other columns have.
TouchedKeys renamed(const TouchedKeys& keys, const std::vector<std::string>& from, const std::vector<std::string>& to) {
  TouchedKeys found;
  for (std::size_t n = 0; n < from.size() && n < to.size(); ++n)
    if (auto values = keys.find(lower(from[n])); values != keys.end()) found.emplace(lower(to[n]), values->second);
  return found;
}

struct Change {
  bool inserts = false, removes = false;
  bool is_only_a_lock = false;
  std::set<std::string> columns;  // assigned, in lower case
  TouchedKeys keys, given;        // rows that it meets; values that its rows have afterwards

  bool touches(const std::vector<std::string>& names) const {
    return std::any_of(names.begin(), names.end(), [&](const std::string& name) { return columns.contains(lower(name)); });
  }
};

void follow(const sql::QualifiedName& table, const Change& change, const sql::Catalogue& catalogue, Beneath& beneath, std::size_t depth) {
  if (depth == max_depth) return;
  for (const sql::ForeignKey& key : catalogue.foreign_keys) {
    if (key.table == table && (change.inserts || change.touches(key.columns))) {
      TouchedKeys parents = renamed(change.given, key.columns, key.parent_columns);
      add(beneath.locks, kept_rows(key.parent), parents);
      add(beneath.releases, changed_rows(key.parent), parents);
    }
    if (key.parent != table) continue;
    add(beneath.locks, changed_rows(table), change.keys);
    add(beneath.releases, kept_rows(table), change.keys);
    bool moves = change.touches(key.parent_columns);
    if (!change.removes && !moves) continue;
    TouchedKeys children = renamed(change.keys, key.parent_columns, key.columns);
    add(beneath.locks, key.table, children);
    add(beneath.releases, key.table, children);
    if ((change.removes && key.deletes) || (moves && key.updates)) {
      Change next;
      next.removes = change.removes;
      next.keys = children;
      for (const std::string& column : key.columns) next.columns.insert(lower(column));
      follow(key.table, next, catalogue, beneath, depth + 1);
    }
  }
  if (change.is_only_a_lock) return;
  auto triggers = catalogue.triggers.find(table);
  if (triggers == catalogue.triggers.end()) return;
  for (const sql::QualifiedName& other : triggers->second) {
    add(beneath.locks, other, {});
    add(beneath.releases, other, {});
    Change any;
    any.inserts = any.removes = true;
    follow(other, any, catalogue, beneath, depth + 1);
  }
}

}  // namespace

std::set<sql::QualifiedName> below_view(const sql::QualifiedName& name, const sql::Catalogue& catalogue) {
  std::set<sql::QualifiedName> found;
  std::vector<sql::QualifiedName> open{name};
  while (!open.empty()) {
    auto view = catalogue.views.find(open.back());
    open.pop_back();
    if (view == catalogue.views.end()) continue;
    for (const sql::QualifiedName& table : view->second.tables)
      if (found.insert(table).second) open.push_back(table);
  }
  return found;
}

Beneath beneath_write(const session::Exchange& exchange, const sql::Meaning& meaning, const Touched& direct, const sql::Catalogue& catalogue) {
  Beneath beneath;
  if (catalogue.foreign_keys.empty() && catalogue.triggers.empty()) return beneath;
  const sql::QueryShape shape = sql::shape_of(exchange.command.text);
  const bool is_sure = shape.understood && meaning.statements == 1;
  for (const auto& [table, keys] : direct) {
    bool is_written = std::any_of(meaning.tables_written.begin(), meaning.tables_written.end(), [&](const sql::TableName& name) { return name.name == table.second; });
    bool is_locked = meaning.statement_class == sql::StatementClass::locking_read;
    if (!is_written && !is_locked) continue;
    Change change;
    change.is_only_a_lock = is_locked;
    change.keys = keys;
    if (!is_locked) {
      using sql::ShapeKind;
      change.inserts = !is_sure || shape.kind == ShapeKind::insert || shape.kind == ShapeKind::replace;
      change.removes = !is_sure || shape.kind == ShapeKind::remove || shape.kind == ShapeKind::replace;
      for (const sql::Assignment& assignment : shape.assignments) change.columns.insert(lower(assignment.column));
      if (is_sure && change.inserts) {
        change.given = named_rows(exchange, meaning, catalogue.table(table.first, table.second));
        for (const std::string& column : change.columns) change.given.erase(column);  // ON DUPLICATE KEY UPDATE
      } else if (is_sure) {
        for (const sql::Assignment& assignment : shape.assignments)
          if (auto value = value_of(assignment.value, exchange.command)) change.given.emplace(lower(assignment.column), std::set{*value});
      }
    }
    follow(table, change, catalogue, beneath, 0);
  }
  return beneath;
}

}  // namespace darktap::replay
