// What the server's schema says, as a value: read by the shell at a run's start, given to the pure core. Without one the
// answers are weaker, never wrong.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace darktap::sql {

struct Column {
  std::string name;
  bool nullable = true;
  bool follows_others = false;  // generated, or ON UPDATE CURRENT_TIMESTAMP: it changes where others are written
};

struct UniqueKey {
  std::string name;                  // "PRIMARY" or the index's
  std::vector<std::string> columns;  // whole columns only: an index on a prefix promises nothing here
};

struct Table {
  std::vector<Column> columns;  // in the table's order
  std::vector<UniqueKey> unique_keys;

  const Column* column(std::string_view name) const;  // case does not matter; nullptr when there is none
};

// (schema, name). Tables are matched as written; views, where none is, whatever the case: on a server that folds it, a
// view's effects must not be missed.
using QualifiedName = std::pair<std::string, std::string>;

enum class EffectKind : std::uint8_t;  // sql/meaning.h

// What a view does beside reading: GET_LOCK, a sequence's next value …
struct HiddenEffect {
  EffectKind kind{};
  std::string subject;
  bool operator==(const HiddenEffect&) const = default;
};

// What reading it runs, directly or through other views.
struct View {
  std::vector<std::string> routines;  // stored functions
  std::vector<HiddenEffect> effects;
  std::set<QualifiedName> tables = {};  // tables and views whose names its text holds: a name too many, none too few
  std::string definition = {};        // its query, as the server prints it; empty where that isn't shown
};

// Rows of `table` name rows of `parent`: writing there locks these, column by column.
struct ForeignKey {
  QualifiedName table, parent;
  std::vector<std::string> columns, parent_columns;
  bool deletes = false, updates = false;  // what happens to a parent's row happens to its children (CASCADE, SET NULL)
};

struct Catalogue {
  std::string default_schema;             // for names written without one
  std::map<QualifiedName, Table> tables;
  std::map<QualifiedName, View> views;
  std::set<QualifiedName> routines;       // stored functions and procedures; names in lower case
  std::vector<ForeignKey> foreign_keys;
  std::map<QualifiedName, std::set<QualifiedName>> triggers;  // table -> tables whose names its triggers' texts hold
  std::map<QualifiedName, std::set<QualifiedName>> routine_tables = {};  // routine that may write, in lower case -> the same of its text

  const Table* table(std::string_view schema, std::string_view name) const;  // schema empty: the default one
  const View* view(std::string_view schema, std::string_view name) const;
};

}  // namespace darktap::sql
