#include "replay/order_by_commit.h"

#include <algorithm>

#include "order_state.h"

namespace darktap::replay {
namespace {

const sql::QualifiedName all_tables;
constexpr std::size_t max_moves = 50;  // that follow from each other, of one read: beyond, answers are tried instead

}  // namespace

void OrderByCommit::State::add_event(Session& session, std::unique_ptr<Event> event) {
  event->point.number = ++numbers;
  event->floor = session.last_point.time;
  event->latest = event->answer;
  event->point = std::max(event->point, Point{session.last_point.time, numbers});  // a pipelined command stays behind the one before it
  session.last_point = event->base = event->point;
  Event& added = *event;
  events[added.id] = std::move(event);
  if (!added.locks.empty()) move_commits_before(added);
  else if (!added.publishes.empty()) move_before_lockers(added);
  enlist(added);
}

// A write that answered while a commit was under way may have waited for that commit's locks: the commit goes first.
void OrderByCommit::State::move_commits_before(const Event& locker) {
  for (const auto& [table, keys] : locker.locks) {
    auto line = lines.find(table);
    if (line == lines.end()) continue;
    std::vector<Event*> later;
    for (auto entry = line->second.publishers.upper_bound(locker.point); entry != line->second.publishers.end(); ++entry) {
      Event* commit = entry->second;
      bool is_pure = commit->locks.empty() && commit->id.session != locker.id.session;
      if (is_pure && commit->request < locker.answer && meet(commit->publishes, locker.locks)) later.push_back(commit);
    }
    for (Event* commit : later) {
      move(*commit, {locker.point.time - std::chrono::nanoseconds(1), commit->point.number});
      startable.insert(commit->id.session);
    }
  }
}

void OrderByCommit::State::move_before_lockers(Event& commit) {
  Point to = commit.point;
  for (const auto& [table, keys] : commit.publishes) {
    auto line = lines.find(table);
    if (line == lines.end()) continue;
    for (auto entry = line->second.lockers.upper_bound(Point{commit.request, 0}); entry != line->second.lockers.end() && entry->first < to; ++entry)
      if (entry->second->id.session != commit.id.session && meet(commit.publishes, entry->second->locks))
        to = std::min(to, Point{entry->first.time - std::chrono::nanoseconds(1), commit.point.number});
  }
  commit.point = to;
}

void OrderByCommit::State::enlist(Event& event) {
  if (event.reads_all) lines[all_tables].readers[event.point] = &event;
  if (event.publishes_all) lines[all_tables].publishers[event.point] = &event;
  if (event.publishes_all || !event.publishes.empty()) requested[{event.request, event.point.number}] = &event;
  for (const auto& [table, keys] : event.reads) lines[table].readers[event.point] = &event;
  for (const auto& [table, keys] : event.locks) lines[table].lockers[event.point] = &event;
  for (const auto& [table, keys] : event.publishes) lines[table].publishers[event.point] = &event;
}

void OrderByCommit::State::delist(Event& event) {
  auto erase = [&](const sql::QualifiedName& table) {
    auto found = lines.find(table);
    if (found == lines.end()) return;
    Lines& line = found->second;
    line.readers.erase(event.point);
    line.lockers.erase(event.point);
    line.publishers.erase(event.point);
    if (line.readers.empty() && line.lockers.empty() && line.publishers.empty()) lines.erase(found);
  };
  requested.erase({event.request, event.point.number});
  if (event.reads_all || event.publishes_all) erase(all_tables);
  for (const auto& [table, keys] : event.reads) erase(table);
  for (const auto& [table, keys] : event.locks) erase(table);
  for (const auto& [table, keys] : event.publishes) erase(table);
}

void OrderByCommit::State::move(Event& event, Point to) {
  delist(event);
  event.point = to;
  enlist(event);
}

bool OrderByCommit::State::waits_for(const Event& later, const Event& earlier) const {
  if (later.id.session == earlier.id.session) return false;
  if (later.publishes_all || earlier.publishes_all) return true;
  bool publishes = !later.publishes.empty(), published = !earlier.publishes.empty();
  if (later.reads_all && published) return true;
  if (earlier.reads_all && publishes) return true;
  return (published && (meet(later.reads, earlier.publishes) || meet(later.locks, earlier.publishes))) ||
         (publishes && meet(later.publishes, earlier.reads));
}

// The earliest unfinished event that this one must wait for.
OrderByCommit::State::Event* OrderByCommit::State::blocker_of(const Event& event) {
  auto first_in = [&](const Line& line) -> Event* {
    for (auto entry = line.begin(); entry != line.end() && entry->first < event.point; ++entry)
      if (waits_for(event, *entry->second)) return entry->second;
    return nullptr;
  };
  auto search = [&](const Lines& line) -> Event* {
    if (Event* found = first_in(line.publishers)) return found;
    bool publishes = !event.publishes.empty() || event.publishes_all;
    if (Event* found = publishes ? first_in(line.readers) : nullptr) return found;
    return event.publishes_all ? first_in(line.lockers) : nullptr;
  };
  if (event.publishes_all || event.reads_all) {
    for (const auto& [table, line] : lines)
      if (Event* found = search(line)) return found;
    return nullptr;
  }
  if (auto all = lines.find(all_tables); all != lines.end())
    if (Event* found = search(all->second)) return found;
  for (const Touched* touched : {&event.reads, &event.locks, &event.publishes})
    for (const auto& [table, keys] : *touched)
      if (auto line = lines.find(table); line != lines.end())
        if (Event* found = search(line->second)) return found;
  return nullptr;
}

void OrderByCommit::State::note_waiting(Event& event, Event* blocker) {
  if (!event.has_waited) ++counters.waited;
  event.has_waited = true;
  waiting.insert(event.id);
  if (blocker != nullptr) blocker->waiters.push_back(event.id);
  else behind_frontier.push_back(event.id);
}

void OrderByCommit::State::wake_waiters(Event& event) {
  for (session::ExchangeId waiter : event.waiters)
    if (events.contains(waiter)) startable.insert(waiter.session);
  event.waiters.clear();
}

OrderByCommit::OrderByCommit(const OrderOptions& options, const sql::Catalogue* catalogue) : state_(std::make_unique<State>(options, catalogue)) {}
OrderByCommit::~OrderByCommit() = default;

void OrderByCommit::announce(const session::Exchange& exchange, const sql::Meaning& meaning, const Decision& decision) {
  state_->announce(exchange, meaning, decision);
  std::vector<session::ExchangeId> still;
  for (session::ExchangeId id : state_->behind_frontier) {
    auto found = state_->events.find(id);
    if (found == state_->events.end()) continue;
    if (found->second->answer <= state_->frontier) state_->startable.insert(id.session);
    else still.push_back(id);
  }
  state_->behind_frontier.swap(still);
}

void OrderByCommit::announced_all() {
  state_->whole = true;
  for (session::ExchangeId id : state_->behind_frontier) state_->startable.insert(id.session);
  state_->behind_frontier.clear();
}

bool OrderByCommit::may_start(session::ExchangeId id) {
  auto found = state_->events.find(id);
  if (found == state_->events.end()) return true;
  State::Event& event = *found->second;
  if (event.phase == State::Event::Phase::started) return true;
  if (!event.let_go) {
    bool reads_only = event.locks.empty() && event.publishes.empty() && !event.publishes_all;
    bool is_known = state_->whole || event.answer <= state_->frontier;
    if (reads_only && is_known && !event.is_settled) state_->settle(event);
    State::Event* blocker = is_known ? state_->blocker_of(event) : nullptr;
    if (!is_known || blocker != nullptr) {
      state_->note_waiting(event, blocker);
      return false;
    }
  }
  event.phase = State::Event::Phase::started;
  state_->waiting.erase(id);
  return true;
}

void OrderByCommit::ended(session::ExchangeId id) {
  auto found = state_->events.find(id);
  if (found == state_->events.end()) return;
  std::unique_ptr<State::Event> event = std::move(found->second);
  state_->events.erase(found);
  state_->waiting.erase(id);
  state_->delist(*event);
  state_->tell_readers(*event);
  state_->wake_waiters(*event);
}

// A commit that came forward may have passed reads that had started: they may have seen it in the capture.
void OrderByCommit::State::tell_readers(const Event& commit) {
  auto tell = [&](const sql::QualifiedName& table) {
    auto line = lines.find(table);
    if (line == lines.end()) return;
    for (auto& [point, read] : line->second.readers) {
      if (point.time >= commit.answer) break;
      bool may_have_seen = read->phase == Event::Phase::started && commit.request < read->latest && waits_for(*read, commit);
      if (may_have_seen && sight(*read, commit) != Sight::before) read->missed = true;
    }
  };
  if (commit.publishes.empty()) return;
  tell(all_tables);
  for (const auto& [table, keys] : commit.publishes) tell(table);
}

// Unfinished commits of others of which the read may have seen all, some or none: under way at the same time.
template <class Consider>
void OrderByCommit::State::each_overlapping(const Event& read, Consider consider) const {
  for (const auto& [request, commit] : requested) {
    if (request.time >= read.latest) return;
    if (commit->answer > read.request && waits_for(read, *commit)) consider(*commit);
  }
}

Sight OrderByCommit::State::sight(const Event& read, const Event& commit) const {
  if (read.behind.contains(commit.id)) return Sight::after;
  if (!read.snapshot) return Sight::unknown;
  std::vector<const std::vector<WrittenRows>*> later;
  std::uint64_t told = 0;  // which these are
  for (auto next = requested.upper_bound({commit.request, commit.point.number}); next != requested.end() && next->first.time < read.answer; ++next)
    if (!next->second->writes.empty()) later.push_back(&next->second->writes), told += next->second->point.number * next->second->point.number;
  auto [known, is_new] = read.sights.try_emplace(commit.id, Event::Looked{0, 0, Sight::unknown});
  if (Event::Looked& looked = known->second; is_new || looked.reads != read.snapshot->reads.size() || looked.later != told)
    looked = {read.snapshot->reads.size(), told, sight_of(read.snapshot->reads, commit.writes, later)};
  return known->second.sight;
}

// The earliest place of a commit: behind its own transaction, and behind the requests of reads that did not see it.
CaptureTime OrderByCommit::State::floor_of(const Event& commit) const {
  CaptureTime floor = std::max(commit.floor + std::chrono::nanoseconds(1), commit.request);
  auto look = [&](const sql::QualifiedName& table) {
    auto line = lines.find(table);
    if (line == lines.end()) return;
    for (const auto& [point, read] : line->second.readers) {
      if (read->base.time >= commit.answer) break;
      if (read->answer > commit.request && waits_for(*read, commit) && sight(*read, commit) == Sight::before) floor = std::max(floor, read->request + std::chrono::nanoseconds(1));
    }
  };
  look(all_tables);
  for (const auto& [table, keys] : commit.publishes) look(table);
  return floor;
}

// The read's place by what its own rows show of the commits that were under way with it: those that it saw stand before it, and
// it stands before the others, so that it took effect before any of them had; before those that nothing is known of, too, until
// an answer shows otherwise. Commits that come forward for it are added.
void OrderByCommit::State::place(Event& read, std::vector<Event*>& moved) {
  constexpr std::chrono::nanoseconds step(1);
  std::vector<Event*> seen, others;
  read.latest = read.answer;
  CaptureTime earliest = read.request;
  each_overlapping(read, [&](Event& commit) {
    bool is_seen = sight(read, commit) == Sight::after;
    (is_seen ? seen : others).push_back(&commit);
    if (is_seen) earliest = std::max({earliest, commit.request, commit.floor});
  });
  CaptureTime latest = read.answer, aim = read.answer;
  // What a seen write had waited for was seen, too.
  auto precedes_a_seen_one = [&](const Event* commit) {
    return std::any_of(seen.begin(), seen.end(), [&](const Event* later) { return later->request > commit->request && wrote_to_one_row(commit->writes, later->writes); });
  };
  auto implied = std::partition(others.begin(), others.end(), [&](const Event* commit) { return !precedes_a_seen_one(commit); });
  seen.insert(seen.begin(), implied, others.end());
  others.erase(implied, others.end());
  for (const Event* commit : others) {
    bool is_before = sight(read, *commit) == Sight::before;
    if (is_before && commit->latest > earliest) latest = std::min(latest, commit->latest);
    bool matters = is_before || commit->publishes_all || !read.snapshot ||
                   std::any_of(read.snapshot->reads.begin(), read.snapshot->reads.end(), [&](const SeenRows& rows) { return may_touch(rows, commit->publishes); });
    if (matters && commit->point.time > earliest + 2 * step) aim = std::min(aim, commit->point.time);
  }
  Point to = read.base;
  for (Event* commit : seen) {
    CaptureTime floor = floor_of(*commit);
    if (floor >= read.answer) floor = std::max(commit->floor + step, commit->request);  // the others' rows say otherwise: nobody is to wait in a circle
    CaptureTime at = std::max(std::min(commit->point.time, std::min(latest, aim) - 2 * step), floor);
    commit->latest = std::min(commit->latest, std::max(latest - 2 * step, floor));
    if (at < commit->point.time) {
      move(*commit, {at, commit->point.number});
      startable.insert(commit->id.session);
      moved.push_back(commit);
    }
    to.time = std::max(to.time, commit->point.time + step);
  }
  read.latest = std::max(latest, to.time);
  if (to == read.point) return;
  move(read, to);
  startable.insert(read.id.session);
  wake_waiters(read);
}

// A commit that came forward may now stand before a read that did not see it, but waits for others that did come forward.
void OrderByCommit::State::replace_readers_of(const Event& commit, std::vector<Event*>& moved) {
  std::vector<Event*> readers;
  auto gather = [&](const sql::QualifiedName& table) {
    auto line = lines.find(table);
    if (line == lines.end()) return;
    for (auto& [point, read] : line->second.readers) {
      if (point.time >= commit.answer) break;
      bool is_behind = read->is_settled && read->phase == Event::Phase::waiting && point > commit.point && waits_for(*read, commit);
      if (is_behind && sight(*read, commit) == Sight::before) readers.push_back(read);
    }
  };
  gather(all_tables);
  for (const auto& [table, keys] : commit.publishes) gather(table);
  for (Event* read : readers) place(*read, moved);
}

void OrderByCommit::State::settle(Event& read) {
  read.is_settled = true;
  std::vector<Event*> moved;
  place(read, moved);
  for (std::size_t n = 0; n < moved.size() && n < max_moves; ++n) replace_readers_of(*moved[n], moved);
}

// The commit that the read may have seen and is to be asked behind: one that its rows show, else the first of those that touch
// what it disagreed about.
OrderByCommit::State::Event* OrderByCommit::State::next_commit_for(const Event& read, session::ExchangeId by) const {
  if (!read.publishes.empty() || !read.locks.empty() || read.publishes_all) return nullptr;
  const SeenRows* about = nullptr;
  if (read.snapshot)
    for (const SeenRows& seen : read.snapshot->reads)
      if (seen.id == by) about = &seen;
  Event* next = nullptr;
  bool next_is_seen = false;
  std::vector<const Event*> unseen;
  each_overlapping(read, [&](Event& commit) {
    Sight found = sight(read, commit);
    // Nor was what had waited for one that the read did not see.
    bool follows_an_unseen_one = found == Sight::unknown && std::any_of(unseen.begin(), unseen.end(), [&](const Event* earlier) { return wrote_to_one_row(earlier->writes, commit.writes); });
    if (follows_an_unseen_one) found = Sight::before;
    if (found == Sight::before) unseen.push_back(&commit);
    bool is_seen = found == Sight::after;
    bool matters = is_seen || about == nullptr || commit.publishes_all || may_touch(*about, commit.publishes);
    if (found == Sight::before || !matters || (next_is_seen && !is_seen)) return;
    if (next != nullptr && next_is_seen == is_seen && next->point < commit.point) return;
    next = &commit;
    next_is_seen = is_seen;
  });
  return next;
}

bool OrderByCommit::snapshot_may_move(session::ExchangeId id) const {
  auto found = state_->events.find(id);
  if (found == state_->events.end() || !found->second->reads_all) return false;
  return found->second->missed || state_->next_commit_for(*found->second, {}) != nullptr;
}

bool OrderByCommit::move_behind_next_commit(session::ExchangeId id, session::ExchangeId by) {
  auto found = state_->events.find(id);
  if (found == state_->events.end()) return false;
  State::Event& event = *found->second;
  if (event.missed) {
    event.missed = false;
    ++state_->counters.reordered;
    return true;
  }
  State::Event* next = state_->next_commit_for(event, by);
  if (next == nullptr) return false;
  // The commit comes forward as far as it must: other reads that were under way with it are still asked without it first.
  event.behind.insert(next->id);
  event.phase = State::Event::Phase::waiting;
  state_->settle(event);
  state_->startable.insert(next->id.session);
  ++state_->counters.reordered;
  return true;
}

std::vector<SessionId> OrderByCommit::take_startable() {
  std::vector<SessionId> sessions(state_->startable.begin(), state_->startable.end());
  state_->startable.clear();
  return sessions;
}

bool OrderByCommit::break_stall(const std::vector<SessionId>& candidates) {
  State::Event* chosen = nullptr;
  for (session::ExchangeId id : state_->waiting) {
    if (std::find(candidates.begin(), candidates.end(), id.session) == candidates.end()) continue;
    State::Event* event = state_->events.at(id).get();
    if (!event->let_go && (chosen == nullptr || event->point < chosen->point)) chosen = event;
  }
  if (chosen == nullptr) return false;
  chosen->let_go = true;
  ++state_->counters.broken;
  state_->startable.insert(chosen->id.session);
  return true;
}

const OrderByCommit::Counters& OrderByCommit::counters() const { return state_->counters; }
std::size_t OrderByCommit::open_events() const { return state_->events.size(); }

}  // namespace darktap::replay
