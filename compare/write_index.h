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
#include "shown_values.h"
#include "write_parts.h"

namespace darktap::compare {

struct SeenWrite : WritePart {
  session::ExchangeId id;
  std::string sql;         // UTF-8, the first max_evidence_sql bytes
  std::string request_id;  // of the application's request, from a comment
  std::string gtid;        // as the server told in its OK, or in the COMMIT's
  CaptureTime request, ok;
  std::optional<CaptureTime> committed, rolled_back;
  std::optional<CaptureTime> kept;  // replayed: when the target had answered its transaction's last statement
  Replayed replayed = Replayed::not_sent;
  std::uint32_t last_seq = 0xffff'ffff;  // of the exchange that ended its transaction; its own where it had none
  bool lost = false;     // sent, but the target lost the transaction
  bool changes_schema = false;  // DDL
  bool tainted = false;  // sent, but computed from rows of a table whose writes were left out
};

// What a read depends on.
struct ReadScope {
  session::ExchangeId id;
  CaptureTime request, response;
  std::vector<std::pair<sql::QualifiedName, KeyValues>> tables;
  std::string request_id, host;
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

// What FOUND_ROWS() and its like depend on: the statements before in the same session.
struct SessionHistory {
  std::string previous_sql;  // as captured: most are never quoted
  std::uint16_t previous_collation = 0;
  std::string insert_sql;    // UTF-8
  std::optional<Replayed> previous, insert;
};

inline constexpr std::size_t max_indexed_writes = 200'000, max_skipped_writes_a_table = 10'000, max_histories = 10'000, max_tracked_sessions = 100'000;
std::string_view to_string(Attribution::By by);

class WriteIndex {
 public:
  WriteIndex(const sql::Catalogue& catalogue, std::chrono::nanoseconds window) : catalogue_(catalogue), window_(window) {}

  void observe(const session::Exchange& exchange, const sql::Meaning& meaning, Replayed replayed);
  // Where a session's client is ("10.0.0.7"), before its exchanges.
  void note_host(SessionId session, std::string host);
  // Was one of the tables written within the window?
  bool has_changed(const sql::Meaning& meaning, const std::string& schema) const;
  // The target has answered this one: what its transaction wrote is there from now on, where this one ended it.
  void answered(session::ExchangeId exchange, CaptureTime when);
  // The target did not come to the end of this one, or may not have: what its transaction wrote counts as not sent.
  void lost(session::ExchangeId exchange);
  ReadScope scope_of(const session::Exchange& exchange, const sql::Meaning& meaning, const sql::QueryShape& shape, const sql::Dialect& dialect) const;

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
  // Of the writes that the run itself sent, and that at the source came after the read, the one that the target had first; by_key: of
  // those that name a row of the read's or one that differs. leftovers as above.
  enum class Meets : std::uint8_t { by_key, by_table };
  std::optional<Attribution> sent_later(const ReadScope& read, const Table* a, const Table* b, const RowMatch* leftovers, Meets meets) const;
  // A seen write to the read's tables that became visible at or after the given time.
  bool written_since(const ReadScope& read, CaptureTime time) const;
  // A write that the target never got, where it explains every row on one side only.
  std::optional<Attribution> skipped(const ReadScope& read, const Table* a, const Table* b, const RowMatch* leftovers) const;
  // A CREATE, ALTER or DROP of its tables that the target never got.
  std::optional<Attribution> skipped_schema_change(const ReadScope& read) const;
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
  std::map<sql::QualifiedName, std::deque<WritePtr>> by_table_, skipped_, timed_;
  std::deque<WritePtr> in_order_;
  std::map<SessionId, std::deque<WritePtr>> applied_;  // of in_order_, what the target was to keep
  std::map<SessionId, Session> sessions_;
  std::map<SessionId, std::string> hosts_;  // of sessions that have ended, too: reads are judged later
  std::deque<SessionId> hosts_in_order_;
  std::map<session::ExchangeId, SessionHistory> histories_;
};

}  // namespace darktap::compare
