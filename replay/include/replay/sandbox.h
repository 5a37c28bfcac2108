// What must be known of a target before anything is written to it: that it is marked as a sandbox (design §8), which tables a
// ROLLBACK brings back, how its transactions see each other.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "client/blocking.h"
#include "replay/order_by_commit.h"
#include "replay/written_time.h"
#include "sql/catalogue.h"

namespace darktap::replay {

// The marker table: CREATE TABLE … (target VARCHAR(255) NOT NULL, disposable TINYINT NOT NULL DEFAULT 0), one row.
struct MarkerFacts {
  std::string table;   // "darktap_sandbox.marker", or as --marker named it
  std::string target;  // host:port as given to --target
  std::string error;   // the server's, where the table can't be read
  struct Row {
    std::string target;
    std::optional<std::int64_t> disposable;
  };
  std::vector<Row> rows;  // at most two are asked for
};
enum class Disposal : std::uint8_t { kept, disposable };  // disposable: what is written stays
// Why writing is refused, in one line with the remedy; nothing where it may go on.
std::optional<std::string> refuse_marker(const MarkerFacts& facts, Disposal wanted);

// One line where it isn't SCHEMA.TABLE.
Expected<sql::QualifiedName, std::string> parse_marker(const std::string& text);
// Reads it from an open connection.
MarkerFacts ask_marker(client::BlockingConnection& connection, const std::string& table, const std::string& target);

// Tables of an engine without transactions, views (whose tables aren't looked through), and, where any table is without
// transactions, tables with triggers, which may write to it; in lower case. One line where the server won't tell.
Expected<std::set<sql::QualifiedName>, std::string> ask_what_cannot_roll_back(client::BlockingConnection& connection);

// What SET timestamp does there, by trying it.
TargetClock ask_clock(client::BlockingConnection& connection);

OrderOptions::Isolation ask_isolation(client::BlockingConnection& connection);

}  // namespace darktap::replay
