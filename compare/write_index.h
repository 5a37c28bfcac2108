// The writes that the tap saw: which of them a read should have met, which of them the run left out.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "compare/comparer.h"
#include "key_values.h"
#include "row_match.h"

namespace darktap::compare {

struct SeenWrite {
  session::ExchangeId id;
  std::string sql;  // UTF-8, the first max_evidence_sql bytes
  std::vector<sql::QualifiedName> tables;
  KeyValues keys;   // of a write to one table
  std::set<std::string> columns;  // that an UPDATE of one table assigns, in lower case; empty: any
  std::set<std::string> drawn;    // whose values each server draws for itself, in lower case; empty: not known
  std::string gtid;               // as the server told in its OK, or in the COMMIT's
  CaptureTime request, ok;
  std::optional<CaptureTime> committed, rolled_back;
  std::optional<CaptureTime> kept;  // replayed: when the target had answered its transaction's last statement
  Replayed replayed = Replayed::not_sent;
  std::uint32_t last_seq = 0xffff'ffff;  // of the exchange that ended its transaction; its own where it had none
  bool lost = false;     // sent, but the target lost the transaction
  bool tainted = false;  // sent, but computed from rows of a table whose writes were left out
};

// What a read depends on.
struct ReadScope {
  session::ExchangeId id;
  CaptureTime request, response;
  std::vector<std::pair<sql::QualifiedName, KeyValues>> tables;
};

struct Attribution {
  std::shared_ptr<const SeenWrite> write;
  sql::QualifiedName table;
  std::optional<std::string> key;  // "id=7" where both sides name it
  enum class Session : std::uint8_t { own, other } session = Session::other;
  bool uncommitted = false;  // when the read was sent
};

// What FOUND_ROWS() and its like depend on: the statements before in the same session.
struct SessionHistory {
  std::string previous_sql;  // as captured: most are never quoted
  std::uint16_t previous_collation = 0;
  std::string insert_sql;    // UTF-8
  std::optional<Replayed> previous, insert;
};

inline constexpr std::size_t max_indexed_writes = 200'000, max_skipped_writes_a_table = 10'000, max_histories = 10'000, max_tracked_sessions = 100'000;

class WriteIndex {
 public:
  WriteIndex(const sql::Catalogue& catalogue, std::chrono::nanoseconds window) : catalogue_(catalogue), window_(window) {}

  void observe(const session::Exchange& exchange, const sql::Meaning& meaning, Replayed replayed);
  // The target has answered this one: what its transaction wrote is there from now on, where this one ended it.
  void answered(session::ExchangeId exchange, CaptureTime when);
  // The target did not come to the end of this one, or may not have: what its transaction wrote counts as not sent.
  void lost(session::ExchangeId exchange);
  ReadScope scope_of(const session::Exchange& exchange, const sql::Meaning& meaning, const sql::QueryShape& shape, const sql::Dialect& dialect) const;

  // The write that best explains why the read met an older version: own session before others, by key before by table, the
  // latest first. leftovers: rows on one side only, where they are known; a write whose key is in none of them explains nothing,
  // unless they are of a window: there it may have moved others in, and counts as one by table.
  enum class Leftovers : std::uint8_t { all_rows, of_a_window };
  std::optional<Attribution> explaining(const ReadScope& read, const Table* a, const Table* b, const RowMatch* leftovers, Leftovers kind) const;
  // Do the writes that may explain the read touch the column (lower case) at all?
  bool touches_column(const ReadScope& read, const std::string& column) const;
  // A write that was in flight while the read was: either answer is legal.
  std::optional<Attribution> racing(const ReadScope& read) const;
  // A seen write to the read's tables that became visible at or after the given time.
  bool written_since(const ReadScope& read, CaptureTime time) const;
  // A write that the target never got, where it explains every row on one side only.
  std::optional<Attribution> skipped(const ReadScope& read, const Table* a, const Table* b, const RowMatch* leftovers) const;

  SessionHistory take_history(session::ExchangeId id);

 private:
  using WritePtr = std::shared_ptr<SeenWrite>;
  struct Session {
    std::vector<WritePtr> pending;
    SessionHistory history;
    CaptureTime last_seen;
  };

  void finish_transaction(Session& session, const session::Exchange& exchange, const sql::Meaning& meaning);
  void add(WritePtr write);
  void add_skipped(const WritePtr& write);
  void prune(CaptureTime now);
  sql::QualifiedName qualified(const sql::TableName& table, const std::string& schema) const;
  template <class Consider>
  void each_candidate(const ReadScope& read, const std::map<sql::QualifiedName, std::deque<WritePtr>>& writes, Consider consider) const;

  const sql::Catalogue& catalogue_;
  std::chrono::nanoseconds window_;
  std::map<sql::QualifiedName, std::deque<WritePtr>> by_table_, skipped_;
  std::deque<WritePtr> in_order_;
  std::map<SessionId, std::deque<WritePtr>> applied_;  // of in_order_, what the target was to keep
  std::map<SessionId, Session> sessions_;
  std::map<session::ExchangeId, SessionHistory> histories_;
};

}  // namespace darktap::compare
