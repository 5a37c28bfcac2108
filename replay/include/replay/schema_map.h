// Other names at the target: schemas and tables that are called something else there, many legacy shards that are one, and the
// copies of a redirect sandbox. What can't be renamed with certainty is not sent. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.h"
#include "session/exchange.h"
#include "sql/meaning.h"

namespace darktap::replay {

struct MapRule {
  std::string server;         // "host:port" as captured; empty: whichever
  std::string schema, table;  // as captured, # stands for a number; no table: every table of the schema
  std::string to_schema, to_table;
  bool same_source(const MapRule& other) const { return server == other.server && schema == other.schema && table == other.table; }
};
// "[HOST:PORT/]SCHEMA=SCHEMA" or "[HOST:PORT/]SCHEMA.TABLE=SCHEMA.TABLE"; one line where it is neither.
Expected<MapRule, std::string> parse_map_rule(const std::string& text);

// What is sent in place of what was captured.
struct Sent {
  std::optional<std::string> schema;       // the session's; empty: it stands in none
  std::optional<mysql::Command> command;
  enum class Time : std::uint8_t { asked, written_in } time = Time::asked;  // written_in: the command holds the source's time (written_time.h)
  std::uint64_t first_id = 0;  // that the source generated, where the command holds it (written_ids.h)
};

class SchemaMap {
 public:
  SchemaMap() = default;
  // The first rule that fits is taken; one that names a server goes before one that doesn't.
  explicit SchemaMap(std::vector<MapRule> rules);
  // Besides: what would go to this schema of the target goes to its copy.
  void redirect(const std::string& schema, const std::string& copy) { copies_[schema] = copy; }

  bool is_copy(const std::string& schema) const;  // of a schema, by the target's name
  bool is_empty() const { return rules_.empty() && copies_.empty(); }
  const std::vector<MapRule>& rules() const { return rules_; }
  std::string schema(std::string_view server, const std::string& captured) const;
  sql::QualifiedName table(std::string_view server, const sql::QualifiedName& captured) const;
  // A command of a session on that server, in that schema. The ledger's reason, where it can't be sent: "not_mappable: NAME",
  // "names_its_schema" (DATABASE() would tell the target's name).
  Expected<Sent, std::string> apply(std::string_view server, const std::string& schema, const mysql::Command& command, const sql::Meaning& meaning,
                                    const sql::Dialect& dialect) const;

 private:
  Expected<std::string, std::string> rewrite(std::string_view server, const std::string& schema, std::string_view text, const sql::Meaning& meaning,
                                             const sql::Dialect& dialect) const;

  std::vector<MapRule> rules_;
  std::map<std::string, std::string> copies_;
};

}  // namespace darktap::replay
