// Had a captured read seen a commit that was under way with it? Its own rows tell: they hold what the commit wrote, or what was
// there before. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "session/exchange.h"
#include "sql/catalogue.h"
#include "sql/meaning.h"
#include "touched_keys.h"

namespace darktap::replay {

// Per table, the rows that a command may touch there.
using Touched = std::map<sql::QualifiedName, TouchedKeys>;
bool meet(const Touched& a, const Touched& b);

// What one write did to the rows that its text names, where that can be read off a later answer.
struct WrittenRows {
  enum class Kind : std::uint8_t { inserted, updated, removed } kind = Kind::updated;
  sql::QualifiedName table;
  TouchedKeys keys;
  std::string key_column, key;                // where a unique key of one column names one row
  std::map<std::string, std::optional<std::string>> values;  // column (lower case) -> what it was set to, where the text shows it
};
inline constexpr std::size_t max_told_rows = 64;  // of one INSERT; a longer one tells nothing
// Row by row; nothing where the text doesn't show which: several rows of an UPDATE or DELETE, several tables.
std::vector<WrittenRows> written_rows(const session::Exchange& exchange, const sql::Meaning& meaning, const sql::Catalogue* catalogue);

// What one captured read answered, as digests of its cells; of one table.
struct SeenRows {
  session::ExchangeId id;
  Touched touched;                   // what the read may have met
  sql::QualifiedName table;
  std::vector<std::string> columns;  // in lower case; empty where the cells say nothing of a column of the table
  std::vector<std::uint64_t> cells;  // row by row; 0 for NULL
  std::size_t rows = 0;
  std::string range_column;          // where the whole condition is `column BETWEEN low AND high`
  std::int64_t low = 0, high = 0;
  bool tells = false;                // false: only `touched` is known
  bool may_lack_rows = false;        // a LIMIT or a condition besides: that a row isn't there says nothing
};
// May the read have met what was written there?
bool may_touch(const SeenRows& seen, const Touched& written);
inline constexpr std::size_t max_seen_cells = 4096;        // of one read; a larger answer tells nothing
inline constexpr std::size_t max_seen_of_snapshot = 256;   // reads of one transaction
SeenRows seen_rows(const session::Exchange& exchange, const sql::Meaning& meaning, Touched touched);

// Did both write to one row? Then one of them had to wait for the other.
bool wrote_to_one_row(const std::vector<WrittenRows>& a, const std::vector<WrittenRows>& b);

enum class Sight : std::uint8_t { unknown, before, after };  // of the commit: the reads came before it, or after it
// What the reads of one snapshot tell of a transaction's writes, given in their order. later: of commits that were asked for
// after it, which may have written to the same rows again.
Sight sight_of(const std::vector<SeenRows>& reads, const std::vector<WrittenRows>& writes, const std::vector<const std::vector<WrittenRows>*>& later = {});

}  // namespace darktap::replay
