// The replayer's inner state: a lane for each captured session, and who may hold a connection. In a header of its own, since
// running lanes (replayer.cpp) and connections that fail or are limited (replayer_connections.cpp) are a file each.
#pragma once

#include <deque>
#include <list>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "replay/replayer.h"

namespace darktap::replay {

inline constexpr std::chrono::milliseconds first_backoff{50};

struct Item {
  session::Exchange exchange;
  MeaningPtr meaning;
  CaptureTime intended;
  std::size_t bytes = 0;
  Decision::Action action{};
};

struct Replayer::State {
  // One captured session at the target: its exchanges in order, one in flight.
  struct Lane final : client::SessionHandler {
    Lane(State& owner, SessionId session_id) : state(owner), id(session_id) {}
    ~Lane() override { state.loop.cancel(retry); }
    void on_result(client::ServerSession&, client::SessionResult&& result) override { state.on_result(*this, std::move(result)); }
    void on_closed(client::ServerSession&) override { state.on_closed(*this); }

    State& state;
    SessionId id;
    enum class Phase : std::uint8_t { idle, running, backing_off, waiting_for_slot } phase = Phase::idle;
    enum class End : std::uint8_t { open, ended } end = End::open;
    enum class Shedding : std::uint8_t { no, yes } shedding = Shedding::no;
    enum class Restore : std::uint8_t { possible, impossible } restore = Restore::possible;
    bool has_slot = false;
    bool is_idle = false;    // as counted
    std::deque<Item> queue;  // the one in flight stands in front
    std::unique_ptr<client::ServerSession> session;
    client::EventLoop::TimerId retry;
    std::chrono::milliseconds backoff = first_backoff;
  };

  State(client::EventLoop& loop_, ReplaySink& sink_, const ReplayerOptions& options_)
      : loop(loop_), sink(sink_), options(options_), session_options(std::make_shared<client::SessionOptions>(options_.session)) {
    if (!options.heartbeat) options.heartbeat = std::make_shared<Heartbeat>();
  }
  ~State() { loop.cancel(burial); }

  void submit(session::Exchange&& exchange, MeaningPtr meaning, CaptureTime intended);
  void hold(session::Exchange&& exchange, const MeaningPtr& meaning, const std::string& reason);
  Lane& lane_of(SessionId id);
  [[nodiscard]] std::vector<Item> run_next(Lane& lane);
  void give_back(std::vector<Item> begun_anew);
  void start(Lane& lane);
  void go_idle(Lane& lane);
  void stop_idling(Lane& lane);
  Item pop(Lane& lane);
  void on_result(Lane& lane, client::SessionResult&& result);
  void on_reply(Lane& lane, client::SessionReply&& reply);
  void on_lost(Lane& lane, const client::Lost& loss);
  void on_closed(Lane& lane);
  void fail(Item& item, const char* reason);
  void heard();
  std::optional<client::EventLoop::Clock::time_point> last_heard() const;
  void count_idle(Lane& lane, bool is_idle);

  void on_connect_failed(Lane& lane, const client::ConnectFailed& failure);
  void give_up(std::string line);
  void update_slot(Lane& lane);
  bool has_slot_for(const Lane&);
  bool free_a_slot();
  void serve_waiting();
  void bury(Lane& lane);
  void end_session(SessionId id);
  void tell_room();

  client::EventLoop& loop;
  ReplaySink& sink;
  ReplayerOptions options;
  std::shared_ptr<const client::SessionOptions> session_options;
  std::unordered_map<SessionId, std::unique_ptr<Lane>> lanes;
  std::vector<std::unique_ptr<Lane>> graveyard;
  client::EventLoop::TimerId burial;
  std::list<SessionId> idle;        // with a connection, oldest first; only kept where connections are limited
  std::deque<SessionId> waiting;    // for a slot
  std::size_t outstanding = 0;
  bool gave_up = false;
  bool was_full = false;
  std::optional<client::EventLoop::Clock::time_point> failing_since;
  Counters counters;
  Histogram lateness;
};

}  // namespace darktap::replay
