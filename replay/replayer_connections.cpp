// Connects that fail, and connections where the target's are limited.
#include <algorithm>

#include "replayer_state.h"

namespace darktap::replay {
namespace {

using client::ConnectFailed;
using client::EventLoop;
using client::ServerSession;

constexpr std::chrono::milliseconds longest_backoff{1000};

}  // namespace

// Connects that fail

void Replayer::State::on_connect_failed(Lane& lane, const ConnectFailed& failure) {
  using Kind = ConnectFailed::Kind;
  EventLoop::Clock::time_point now = EventLoop::Clock::now();
  update_slot(lane);
  auto heard_at = last_heard();
  if (!failing_since) failing_since = now;
  else if (heard_at && *heard_at > *failing_since) failing_since = now;  // it answers other threads
  if (failure.kind == Kind::full) ++counters.full;
  bool is_slow = failure.kind == Kind::mute || failure.kind == Kind::timed_out;
  bool is_hopeless = failure.kind == Kind::denied || failure.kind == Kind::unknown_host || (is_slow && !heard_at);
  // A frozen target that comes back is slow, no more: it gets as long as a statement would.
  if (is_slow && heard_at) is_hopeless = now - *heard_at >= session_options->connect.statement_timeout;
  else if (failure.kind == Kind::full) is_hopeless = now - *failing_since >= session_options->connect.statement_timeout;
  else if (!is_hopeless) is_hopeless = now - *failing_since >= options.give_up_after;
  if (is_hopeless) return give_up(failure.reason);
  if (lane.queue.empty()) {  // it was on an errand, for which there is no connection to tidy up any more
    lose_transaction(lane);
    return give_back(run_next(lane));
  }

  lane.phase = Lane::Phase::backing_off;
  lane.retry = loop.after(lane.backoff, [this, &lane] {
    lane.retry = {};
    start(lane);
  });
  lane.backoff = std::min(lane.backoff * 2, longest_backoff);
  serve_waiting();
}

void Replayer::State::give_up(std::string line) {
  if (gave_up) return;
  gave_up = true;
  std::vector<Item> failed;
  std::vector<SessionId> order;
  for (auto& [id, lane] : lanes) order.push_back(id);
  std::sort(order.begin(), order.end());
  for (SessionId id : order) {
    Lane& lane = *lanes.at(id);
    while (!lane.queue.empty()) failed.push_back(pop(lane));
    lane.session.reset();
    update_slot(lane);
    bury(lane);
  }
  waiting.clear();
  idle.clear();
  for (Item& item : failed) {
    fail(item, "given_up");
  }
  sink.on_gave_up(line);
}

// Connection slots, where the target's connections are limited

void Replayer::State::update_slot(Lane& lane) {
  bool holds = lane.session && lane.session->connection() != nullptr;
  if (holds == lane.has_slot) return;
  lane.has_slot = holds;
  counters.open_connections += holds ? 1 : 0;
  counters.open_connections -= holds ? 0 : 1;
}

bool Replayer::State::has_slot_for(const Lane&) {
  if (options.connections == 0 || counters.open_connections < options.connections) return true;
  return free_a_slot();
}

// Closes the connection of a session that does nothing just now; one without state first, since that costs least.
bool Replayer::State::free_a_slot() {
  auto can_close = [&](SessionId id) { return lanes.at(id)->restore == Lane::Restore::possible && !lanes.at(id)->transaction.open; };
  auto chosen = std::find_if(idle.begin(), idle.end(), [&](SessionId id) { return can_close(id) && lanes.at(id)->session->stateless(); });
  if (chosen == idle.end()) chosen = std::find_if(idle.begin(), idle.end(), can_close);
  if (chosen == idle.end()) return false;
  Lane& lane = *lanes.at(*chosen);
  idle.erase(chosen);
  lane.session->close(ServerSession::Memory::keep);
  update_slot(lane);
  return true;
}

void Replayer::State::serve_waiting() {
  while (!waiting.empty() && (counters.open_connections < options.connections || free_a_slot())) {
    SessionId id = waiting.front();
    waiting.pop_front();
    auto found = lanes.find(id);
    if (found != lanes.end() && found->second->phase == Lane::Phase::waiting_for_slot) start(*found->second);
  }
}

// A lane may be on the stack when its session ends: it is freed from the loop.
void Replayer::State::bury(Lane& lane) {
  lane.session.reset();
  loop.cancel(lane.retry);
  stop_idling(lane);
  count_idle(lane, false);
  update_slot(lane);
  auto found = lanes.find(lane.id);
  graveyard.push_back(std::move(found->second));
  lanes.erase(found);
  counters.lanes = lanes.size();
  if (burial.value == 0)
    burial = loop.after({}, [this] {
      burial = {};
      graveyard.clear();
    });
  if (!gave_up) serve_waiting();
}

void Replayer::State::end_session(SessionId id) {
  auto found = lanes.find(id);
  if (found == lanes.end()) return;
  found->second->end = Lane::End::ended;
  if (found->second->phase == Lane::Phase::idle) release_snapshot(*found->second);
  if (found->second->phase == Lane::Phase::idle) bury(*found->second);
}

void Replayer::State::tell_room() {
  if (!was_full || counters.queued_bytes > options.queued_bytes / 2) return;
  was_full = false;
  sink.on_room();
}

}  // namespace darktap::replay
