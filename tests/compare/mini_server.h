// A small working database for the comparer's tests: tables with a history, a physical row order of their own, a
// replication lag and a case-insensitive collation; it answers the single-table SELECTs that the comparer is tested with,
// and those that it asks itself.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/time.h"
#include "mysql/answer.h"

namespace fake {

using darktap::CaptureTime;
namespace mysql = darktap::mysql;

using Row = std::map<std::string, std::string>;  // column -> value; "\\N" is NULL
inline const std::string null_value = "\\N";

struct TableDefinition {
  std::vector<std::pair<std::string, mysql::ColumnType>> columns;
  std::string primary_key;
};

// What is committed when, on the source; the others follow it.
class History {
 public:
  std::map<std::string, TableDefinition> definitions;
  void put(CaptureTime at, const std::string& table, const Row& row) { changes_.push_back({at, table, row, false}); }
  void remove(CaptureTime at, const std::string& table, const Row& key) { changes_.push_back({at, table, key, true}); }
  // The rows by primary key, as committed at the time.
  std::map<std::string, Row> rows(const std::string& table, CaptureTime at) const;

 private:
  struct Change {
    CaptureTime at;
    std::string table;
    Row row;
    bool removed;
  };
  std::vector<Change> changes_;
};

class MiniServer {
 public:
  MiniServer(const History& history, std::uint64_t layout_seed) : history_(history), layout_seed_(layout_seed) {}

  std::chrono::nanoseconds lag{0};
  // (table, primary key) -> columns that are wrong here, for good; an empty row: it is missing.
  std::map<std::pair<std::string, std::string>, Row> corrupted;
  std::map<std::string, std::vector<Row>> extra;  // rows that should not be here
  bool ignores_order = false;                     // a broken server that leaves ORDER BY out

  mysql::Answer answer(const std::string& sql, CaptureTime now) const;

 private:
  std::vector<Row> stored(const std::string& table, CaptureTime now) const;
  const History& history_;
  std::uint64_t layout_seed_;
};

mysql::Column column(const std::string& table, const std::string& name, mysql::ColumnType type);
mysql::Answer rows_answer(const std::vector<mysql::Column>& columns, const std::vector<std::vector<std::string>>& rows);
mysql::Answer ok_answer(std::uint64_t affected, std::uint64_t last_insert_id = 0, std::uint16_t status = mysql::status_flag::autocommit);
mysql::Answer error_answer(std::uint16_t code, const std::string& message);

}  // namespace fake
