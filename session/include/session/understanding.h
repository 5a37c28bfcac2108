// What captured statements mean: the sql room's answer, remembered, since production repeats itself.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "session/exchange.h"
#include "session/sql_modes.h"
#include "sql/meaning.h"

namespace darktap::session {

// How the server read the text of this exchange, as far as the capture tells.
sql::Dialect dialect_of(const std::string& server_version, std::uint16_t collation);

// True where the command carries a statement's text (COM_QUERY, PREPARE, EXECUTE, BULK_EXECUTE), known or not.
bool carries_statement(mysql::CommandCode code);
// The class of a command that carries none: INIT_DB and its like are `session`, the others `other`.
sql::StatementClass class_of_command(mysql::CommandCode code);

class Understanding {
 public:
  static constexpr std::size_t default_limit_bytes = 16U << 20;

  Understanding() = default;
  explicit Understanding(sql::Catalogue catalogue, std::size_t limit_bytes = default_limit_bytes)
      : has_catalogue_(!catalogue.tables.empty() || !catalogue.views.empty()),
        first_schema_(catalogue.default_schema),
        catalogue_(std::move(catalogue)),
        limit_bytes_(limit_bytes) {}

  // The servers that statements will be sent to. They may read a versioned comment in another way than the one that was captured:
  // where a text's class depends on it, it is `unsafe`. To be told before the first statement.
  void also_read_by(std::vector<sql::Server> servers) { also_read_by_ = std::move(servers); }

  // An exchange of a session, under the sql_mode that its earlier statements set: exchanges of a session in their order.
  std::shared_ptr<const sql::Meaning> of(const SessionInfo& session, const Exchange& exchange);
  void forget(SessionId session) { modes_.forget(session); }
  // How the session's next text is read.
  sql::Dialect dialect(const SessionInfo& session, const Exchange& exchange) const;

  // A statement whose text is unknown is `unsafe`; a command without a statement has its own class and no fingerprint.
  // `schema`: where names written without one belong.
  std::shared_ptr<const sql::Meaning> of(const mysql::Command& command, const sql::Dialect& dialect, const std::string& schema);

 private:
  // What a meaning depends on. A text that is known is found without a copy of it; equal hashes are told apart by the text.
  struct Key {
    std::string_view text, schema;
    const sql::Dialect& dialect;
    std::uint64_t hash() const;
  };
  struct Known {
    std::string text, schema;
    sql::Dialect dialect;
    std::shared_ptr<const sql::Meaning> meaning;
  };
  struct Slot {
    std::uint64_t hash = 0;
    std::uint32_t known = 0;  // counted from 1; 0: nothing here
  };
  const std::shared_ptr<const sql::Meaning>* find(const Key& key, std::uint64_t hash) const;
  void remember(const Key& key, std::uint64_t hash, const std::shared_ptr<const sql::Meaning>& meaning);
  void place(std::uint64_t hash, std::uint32_t known);

  SqlModes modes_;
  const sql::Catalogue* catalogue_of(const std::string& schema);  // until the next call
  bool means_the_same_elsewhere(const sql::Meaning& meaning, const Key& key, const std::string& schema);

  std::string version_;  // of a server, and what it means: nearly all sessions have the same
  sql::Server server_ = sql::server_of_version({});
  bool has_catalogue_ = false;
  std::string first_schema_;
  sql::Catalogue catalogue_;  // its default schema is that of the statement at hand
  std::vector<sql::Server> also_read_by_;
  std::size_t limit_bytes_ = default_limit_bytes;
  std::size_t bytes_ = 0;
  // Open addressing, at most half full: few memory lines are touched for a text that is known.
  std::vector<Slot> slots_;
  std::vector<Known> known_;
};

}  // namespace darktap::session
