// The writes that the tap saw: which of them a read should have met, which of them the run left out.
#pragma once

#include <algorithm>
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
#include "read_limits.h"
#include "row_match.h"
#include "shown_values.h"
#include "snapshots.h"
#include "write_parts.h"

namespace darktap::compare {

struct SeenWrite : WritePart {
  session::ExchangeId id;
  std::string sql;         // UTF-8, the first max_evidence_sql bytes
  std::string request_id;  // of the application's request, from a comment
  std::string gtid;        // as the server told in its OK, or in the COMMIT's
  CaptureTime request, ok;
  std::optional<CaptureTime> committed, rolled_back;
  CaptureTime commit_sent;  // of its COMMIT where it had one
  std::optional<CaptureTime> kept;  // replayed: when the target had answered its transaction's last statement
  Replayed replayed = Replayed::not_sent;
  std::uint32_t last_seq = 0xffff'ffff;  // of the exchange that ended its transaction; its own where it had none
  bool lost = false;     // sent, but the target lost the transaction
  bool changes_schema = false;  // DDL
  bool tainted = false;  // sent, but computed from rows of a table whose writes were left out
};

// A table that a statement reads, and which of its rows and columns.
struct ReadTable {
  sql::QualifiedName name;
  KeyValues keys;
  Ranges ranges;
  bool by_names = false;  // nothing but the columns that the statement names can make a difference
};

// What a read depends on.
struct ReadScope {
  session::ExchangeId id;
  CaptureTime request, response;
  std::vector<ReadTable> tables;
  std::set<std::string> names;  // in the statement's text
  std::string request_id, host;
  // Where an earlier read of its transaction fixed what it sees of others: when that was, at the source.
  std::optional<CaptureTime> snapshot_request, snapshot_response;
  // And at the target: what was there before is met for certain, what came after is not. The read's own times where there is none.
  std::optional<CaptureTime> snapshot_before, snapshot_answered;

  CaptureTime seen_from() const { return snapshot_request.value_or(request); }
  CaptureTime seen_to() const { return snapshot_response.value_or(response); }
};

struct Attribution {
  std::shared_ptr<const SeenWrite> write;
  sql::QualifiedName table;
  std::optional<std::string> key;  // "id=7" where both sides name it
  // Whose write it was, seen from the read.
  enum class By : std::uint8_t { other_session, same_host, same_request, own_session } by = By::other_session;
  bool uncommitted = false;  // when the read was sent
  bool shown = false;        // the source's answer shows what it wrote, the target's doesn't
};

// A read that was sent with SQL_CALC_FOUND_ROWS.
struct CountedRead {
  mysql::Command command;
  std::string schema;
  std::uint16_t collation = 0;
  sql::SqlMode mode;
  CaptureTime request, response;
};
inline constexpr std::size_t max_counted_read_bytes = 65'536;  // of its text; a longer one is not asked again

// What FOUND_ROWS() and its like depend on: the statements before in the same session.
struct SessionHistory {
  std::string previous_sql;  // as captured: most are never quoted
  std::uint16_t previous_collation = 0;
  std::string insert_sql;    // UTF-8
  std::optional<Replayed> previous, insert;
  std::shared_ptr<const CountedRead> counted;  // where the previous one was such a read
};

inline constexpr std::size_t max_left_out_schemas = 10'000;
inline constexpr std::size_t max_indexed_writes = 200'000, max_skipped_writes_a_table = 10'000, max_histories = 10'000, max_tracked_sessions = 100'000;
std::string_view to_string(Attribution::By by);

class ExplainedRows;

// A write to what is read, and when it could be seen.
struct DatedWrite {
  std::shared_ptr<const SeenWrite> write;
  sql::QualifiedName table;
  CaptureTime visible;
  bool met = false;  // by the read, for certain; else by what came after it
};

// What the writes that the run itself sent to the target have to do with a read that differs.
struct OwnWrites {
  // May have made every row that differs: one that only one side had met, or may have met, when it answered; or two that reached the
  // target the other way round.
  std::optional<Attribution> apart;
  bool racing = false;  // that one was under way at the source together with the read
  // Of those one that the target had met for certain, and the source had not.
  std::optional<Attribution> early;
  bool explain_all = false, target_shows_them = false;
  bool same_set = true;       // by `until` the target had just those that the source had met, or may have met
  std::size_t undecided = 0;  // of which it isn't known whether the source had; each counts twice that the target may have had when it answered
  std::optional<Attribution> met;      // that may have changed what differs, by one side or both
  std::optional<Attribution> healing;  // by neither: it came to the target later, and may have changed what differs
  bool forgotten = false;              // later ones may have been: they are past the window
};

class WriteIndex {
 public:
  WriteIndex(const sql::Catalogue& catalogue, const ComparerOptions& options)
      : catalogue_(catalogue), window_(options.write_window), own_writes_(options.own_writes), snapshots_(options.isolation) {}

  void observe(const session::Exchange& exchange, const sql::Meaning& meaning, Replayed replayed);
  // Where a session's client is ("10.0.0.7"), before its exchanges.
  void note_host(SessionId session, std::string host);
  // Was one of the tables written within the window?
  bool has_changed(const sql::Meaning& meaning, const std::string& schema) const;
  // The target has answered this one: what its transaction wrote is there from now on, where this one ended it.
  void answered(session::ExchangeId exchange, CaptureTime when);
  // The target did not come to the end of this one, or may not have: what its transaction wrote counts as not sent.
  void lost(session::ExchangeId exchange);
  ReadScope scope_of(const session::Exchange& exchange, const sql::Meaning& meaning, const Plan& plan) const;

  // The write that best explains why the read met an older version. What the answers show goes first: a row that bears what it
  // wrote, a row (or a predicate) that bears its key, a column that it assigned; then whose it was: own session, same request of the
  // application, same host, others; then the latest. leftovers: rows on one side only, where they are known; a write whose key is in
  // none of them explains nothing, nor does one that the target's row already shows, unless they are of a window: there it may have
  // moved others in, and counts as one by table. applied: the target is known to have this one, and what was over before it began.
  enum class Leftovers : std::uint8_t { all_rows, of_a_window };
  std::optional<Attribution> explaining(const ReadScope& read, const Table* a, const Table* b, const RowMatch* leftovers, Leftovers kind, const SeenWrite* applied = nullptr) const;
  // The latest write that the target's row already shows, where the source's shows a later one.
  std::optional<Attribution> shown_by_target(const ReadScope& read, const Table* a, const Table* b, const RowMatch* leftovers) const;
  // May one of the writes that explain the read have changed this column (lower case) of that row of the source's answer?
  bool touches_column(const ReadScope& read, const std::string& column, const Table& a, std::size_t row) const;
  // A write that was in flight while the read was: either answer is legal.
  std::optional<Attribution> racing(const ReadScope& read) const;
  // When the last write that the read could see became visible.
  std::optional<CaptureTime> last_before(const ReadScope& read) const;
  // target: when the read was sent there, and answered. until: when its answers were last looked at. rows: what differs, nothing added yet.
  OwnWrites own(const ReadScope& read, const Outcome& target, CaptureTime until, ExplainedRows& rows) const;
  // The last seen writes to what is read: those that the read met in the order in which they could be seen, then the others. Nothing
  // where its own transaction was still open with one.
  std::optional<std::vector<DatedWrite>> dated(const ReadScope& read, std::size_t most) const;
  // Had the read's own transaction written to what it reads, at a target that rolls it back at its end? Nobody else sees that there.
  bool own_to_be_rolled_back(const ReadScope& read) const;
  // A seen write to the read's tables that became visible at or after the given time.
  bool written_since(const ReadScope& read, CaptureTime time) const;
  // A write that the target never got, where such writes explain every row on one side only, and in every cell that differs. rows:
  // nothing added yet.
  std::optional<Attribution> skipped(const ReadScope& read, const Table* a, const Table* b, const RowMatch* leftovers, ExplainedRows* rows) const;
  // A CREATE, ALTER or DROP of its tables that the target never got.
  std::optional<Attribution> skipped_schema_change(const ReadScope& read) const;
  // The CREATE DATABASE of that name that the target never got, before then.
  std::optional<Attribution> left_out_schema(const std::string& name, CaptureTime before) const;
  // A write whose time is known about, where every cell that differs holds a time at which that write, or another such one, was
  // under way, on both sides.
  std::optional<Attribution> timed(const ReadScope& read, const Table* a, const Table* b, const RowMatch* leftovers) const;

  SessionHistory take_history(session::ExchangeId id);

 private:
  using WritePtr = std::shared_ptr<SeenWrite>;
  struct Session {
    std::vector<WritePtr> pending;
    SessionHistory history;
    CaptureTime last_seen;
  };

  void finish_transaction(Session& session, const session::Exchange& exchange, const sql::Meaning& meaning);
  void note_schema(const session::Exchange& exchange, const sql::Meaning& meaning, Replayed replayed);
  void note_writes(const session::Exchange& exchange, const sql::Meaning& meaning, Replayed replayed, Session& session);
  bool reads_tainted(const session::Exchange& exchange, const sql::Meaning& meaning) const;
  void add(WritePtr write);
  void add_skipped(const WritePtr& write);
  void prune(CaptureTime now);
  sql::QualifiedName qualified(const sql::TableName& table, const std::string& schema) const;
  template <class Consider>
  void each_candidate(const ReadScope& read, const std::map<sql::QualifiedName, std::deque<WritePtr>>& writes, Consider consider) const;

  Attribution::By by(const SeenWrite& write, const ReadScope& read) const;
  const std::string& host_of(SessionId session) const;
  bool is_explained_by_time(const SeenWrite& write, const ReadScope& read) const;

  const sql::Catalogue& catalogue_;
  std::chrono::nanoseconds window_;
  ComparerOptions::OwnWrites own_writes_;
  Snapshots snapshots_;
  std::map<sql::QualifiedName, CaptureTime> forgotten_;  // the last of the run's own writes to that table that is not kept here any more
  std::map<sql::QualifiedName, std::deque<WritePtr>> by_table_, skipped_, timed_;
  std::map<std::string, WritePtr> left_out_schemas_;
  std::deque<WritePtr> in_order_;
  std::map<SessionId, std::deque<WritePtr>> applied_;  // of in_order_, what the target was to keep
  std::map<SessionId, Session> sessions_;
  std::map<SessionId, std::string> hosts_;  // of sessions that have ended, too: reads are judged later
  std::deque<SessionId> hosts_in_order_;
  std::map<session::ExchangeId, SessionHistory> histories_;
};

template <class Consider>
void WriteIndex::each_candidate(const ReadScope& read, const std::map<sql::QualifiedName, std::deque<WritePtr>>& writes, Consider consider) const {
  for (const ReadTable& table : read.tables) {
    auto entry = writes.find(table.name);
    if (entry == writes.end()) continue;
    for (auto write = entry->second.rbegin(); write != entry->second.rend(); ++write) {
      const std::set<std::string>& columns = (*write)->columns;
      bool elsewhere = table.by_names && !columns.empty() && std::none_of(columns.begin(), columns.end(), [&](const std::string& column) { return read.names.contains(column); });
      if (!elsewhere && !disjoint(table.keys, (*write)->keys) && !out_of_range(table.ranges, (*write)->keys)) consider(*write, table.name, table.keys);
    }
  }
}

}  // namespace darktap::compare
