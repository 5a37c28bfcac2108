// What the order by commit knows: unfinished commands by table, each at its point. In a header of its own, since reading the
// capture (order_scan.cpp) and telling who waits for whom (order_by_commit.cpp) are a file each.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <unordered_map>

#include "replay/order_by_commit.h"
#include "seen_rows.h"

namespace darktap::replay {

struct HashId {
  std::size_t operator()(const session::ExchangeId& id) const noexcept {
    return std::hash<std::uint64_t>()(id.session.value * 0x9e3779b97f4a7c15U + id.seq);
  }
};

// A place on the line of time; commands of one moment stand in the order of their announcement.
struct Point {
  CaptureTime time;
  std::uint64_t number = 0;
  auto operator<=>(const Point&) const = default;
};

// The reads of one snapshot, as captured: a single read's, or those of a repeatable transaction, which are announced one by one.
struct Snapshot {
  std::vector<SeenRows> reads;
};

struct OrderByCommit::State {
  struct Event {
    session::ExchangeId id;
    Point point;
    CaptureTime request, answer;
    CaptureTime floor;   // the session's event before it: a commit can't come before its own transaction's writes
    CaptureTime latest;  // it took effect by then: at its answer, or earlier, as others' rows show
    Touched reads;      // as of its point
    bool reads_all = false;  // the first read of a transaction's snapshot fixes what it sees of every table
    Touched locks;      // rows that it changes or locks
    Touched publishes;  // rows whose new versions others see from its point on, and whose locks it lets go
    bool publishes_all = false;
    std::shared_ptr<Snapshot> snapshot;  // of a read
    std::vector<WrittenRows> writes;     // of what it publishes
    Point base;                          // a read's own place, before commits were brought before it
    std::set<session::ExchangeId> behind;  // commits that it was asked again behind
    // What its rows showed of a commit, and how much was known by then: its transaction's reads and the commits after that one.
    struct Looked { std::size_t reads; std::uint64_t later; Sight sight; };
    mutable std::map<session::ExchangeId, Looked> sights;
    bool is_settled = false;             // the commits that its rows show stand before it
    enum class Phase : std::uint8_t { waiting, started } phase = Phase::waiting;
    bool has_waited = false;
    bool let_go = false;  // by break_stall
    bool missed = false;  // a commit that it may have seen has ended since it started
    std::vector<session::ExchangeId> waiters;
  };
  struct Session {
    bool in_transaction = false, has_snapshot = false;
    std::optional<OrderOptions::Isolation> isolation, next_isolation;
    Touched touched;  // by the transaction that is open
    std::vector<WrittenRows> writes;     // its own
    std::shared_ptr<Snapshot> snapshot;  // its own, once fixed
    CaptureTime last_seen;
    Point last_point;
  };
  // Unfinished events by table (an empty name stands for all tables), each in order of its point.
  using Line = std::map<Point, Event*>;
  struct Lines { Line readers, publishers, lockers; };

  explicit State(const OrderOptions& chosen, const sql::Catalogue* schema) : options(chosen), catalogue(schema) {}

  void announce(const session::Exchange& exchange, const sql::Meaning& meaning, const Decision& decision);
  Touched tables_of(const session::Exchange& exchange, const sql::Meaning& meaning) const;
  void follow_isolation(Session& session, const sql::Meaning& meaning);
  void add_event(Session& session, std::unique_ptr<Event> event);
  void move_before_lockers(Event& commit);
  void move_commits_before(const Event& locker);
  Event* blocker_of(const Event& event);
  template <class Consider>
  void each_overlapping(const Event& read, Consider consider) const;
  Event* next_commit_for(const Event& read, session::ExchangeId by) const;
  Sight sight(const Event& read, const Event& commit) const;
  CaptureTime floor_of(const Event& commit) const;
  void settle(Event& read);
  void place(Event& read, std::vector<Event*>& moved);
  void replace_readers_of(const Event& commit, std::vector<Event*>& moved);
  void tell_readers(const Event& commit);
  void move(Event& event, Point to);
  void enlist(Event& event);
  void delist(Event& event);
  void wake_waiters(Event& event);
  bool waits_for(const Event& later, const Event& earlier) const;
  void note_waiting(Event& event, Event* blocker);

  const OrderOptions options;
  const sql::Catalogue* catalogue;
  std::unordered_map<session::ExchangeId, std::unique_ptr<Event>, HashId> events;
  std::map<sql::QualifiedName, Lines> lines;
  Line requested;  // what publishes, by its request
  std::unordered_map<SessionId, Session> sessions;
  std::uint64_t numbers = 0;
  CaptureTime frontier{};
  bool whole = false;
  std::vector<session::ExchangeId> behind_frontier;
  std::set<SessionId> startable;
  std::set<session::ExchangeId> waiting;
  Counters counters;
};

}  // namespace darktap::replay
