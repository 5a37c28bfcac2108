// --order commit: what each captured command had seen decides what must have ended in the replay before it starts. One
// forward scan gives every command a point on one line of time, so that no two can wait for each other:
//   a read at its request, a write or locking read at its answer, a commit at its OK, but before the first write that may have
//   waited for its locks (docs/replay.md has the rules and why they can't stall).
// Pure: knows no clock, connection or thread.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "replay/write_policy.h"
#include "session/exchange.h"
#include "sql/meaning.h"

namespace darktap::replay {

struct OrderOptions {
  // What a transaction's reads see where the session has not said: the snapshot of its first read, or each the newest.
  enum class Isolation : std::uint8_t { repeatable_read, read_committed } isolation = Isolation::repeatable_read;
  std::size_t tracked_sessions = 100'000;  // beyond, the one that was quiet longest is forgotten
};

class OrderByCommit {
 public:
  // The catalogue must outlive it; without one fewer rows are told apart.
  explicit OrderByCommit(const OrderOptions& options = {}, const sql::Catalogue* catalogue = nullptr);
  ~OrderByCommit();

  // Every exchange of the input, in order of request, well before it is to start: a command can't start before all that were
  // requested before its own answer have been announced.
  void announce(const session::Exchange& exchange, const sql::Meaning& meaning, const Decision& decision);
  void announced_all();

  // False: it waits, and its session will be among take_startable() once it may.
  bool may_start(session::ExchangeId id);
  // It has its answer, or will never be sent. Harmless where it is not known.
  void ended(session::ExchangeId id);
  // A read that disagreed (`by`; in a repeatable transaction, `id` is the read that fixed its snapshot): is there a commit that
  // it may have seen, since both were under way at once? Then that commit goes first, and the read waits for it and is to be
  // sent again.
  bool move_behind_next_commit(session::ExchangeId id, session::ExchangeId by);
  bool move_behind_next_commit(session::ExchangeId id) { return move_behind_next_commit(id, id); }
  // Did this read fix a transaction's snapshot, and may that be a newer one, as above? Then ended() should wait until the
  // transaction has read what it reads.
  bool snapshot_may_move(session::ExchangeId id) const;
  // Sessions whose waiting command should be tried again; each once.
  std::vector<SessionId> take_startable();

  // Lets one waiting command start all the same: of the sessions given, the one that is earliest. False where none waits.
  bool break_stall(const std::vector<SessionId>& candidates);

  struct Counters {
    std::uint64_t waited = 0;      // commands that did not start at once
    std::uint64_t broken = 0;      // let go against the order, by break_stall
    std::uint64_t reordered = 0;   // reads asked again behind a commit that they overlapped
  };
  const Counters& counters() const;
  std::size_t open_events() const;  // announced and not ended

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace darktap::replay
