#include "replay/order_by_commit.h"

#include <algorithm>

#include "order_state.h"

namespace darktap::replay {
namespace {

const sql::QualifiedName all_tables;

bool meet(const Touched& a, const Touched& b) {
  return std::any_of(a.begin(), a.end(), [&](const auto& entry) {
    auto other = b.find(entry.first);
    return other != b.end() && !disjoint(entry.second, other->second);
  });
}

}  // namespace

void OrderByCommit::State::add_event(Session& session, std::unique_ptr<Event> event) {
  event->point.number = ++numbers;
  event->point = std::max(event->point, Point{session.last_point.time, numbers});  // a pipelined command stays behind the one before it
  session.last_point = event->point;
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
    bool is_known = state_->whole || reads_only || event.answer <= state_->frontier;
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
      if (read->phase == Event::Phase::started && commit.request < read->answer && waits_for(*read, commit)) read->missed = true;
    }
  };
  if (commit.publishes.empty()) return;
  tell(all_tables);
  for (const auto& [table, keys] : commit.publishes) tell(table);
}

// The first unfinished commit that had begun before the read's answer was there: the read may have seen it. It stands behind
// the read's point, or came forward when the read had started.
OrderByCommit::State::Event* OrderByCommit::State::next_commit_for(const Event& read) {
  if (!read.publishes.empty() || !read.locks.empty() || read.publishes_all) return nullptr;
  Event* next = nullptr;
  auto consider = [&](const Lines& line) {
    for (const auto& [point, commit] : line.publishers) {
      if (commit->request >= read.answer || !waits_for(read, *commit)) continue;
      if (next == nullptr || commit->point < next->point) next = commit;
      return;
    }
  };
  if (read.reads_all)
    for (const auto& [table, line] : lines) consider(line);
  else
    for (const auto& [table, keys] : read.reads)
      if (auto line = lines.find(table); line != lines.end()) consider(line->second);
  return next;
}

bool OrderByCommit::snapshot_may_move(session::ExchangeId id) const {
  auto found = state_->events.find(id);
  if (found == state_->events.end() || !found->second->reads_all) return false;
  return found->second->missed || state_->next_commit_for(*found->second) != nullptr;
}

bool OrderByCommit::move_behind_next_commit(session::ExchangeId id) {
  auto found = state_->events.find(id);
  if (found == state_->events.end()) return false;
  State::Event& event = *found->second;
  if (event.missed) {
    event.missed = false;
    ++state_->counters.reordered;
    return true;
  }
  State::Event* next = state_->next_commit_for(event);
  if (next == nullptr) return false;
  // The commit comes forward as far as it must: other reads that were under way with it are still asked without it first.
  CaptureTime at = std::max(std::min(next->point.time, event.answer), event.point.time + std::chrono::nanoseconds(1));
  if (at < next->point.time) state_->move(*next, {at, next->point.number});
  state_->startable.insert(next->id.session);
  state_->move(event, {std::max(event.point.time, next->point.time) + std::chrono::nanoseconds(1), event.point.number});
  event.phase = State::Event::Phase::waiting;
  state_->wake_waiters(event);
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
