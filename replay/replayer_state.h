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
  session::ExchangePtr exchange;
  MeaningPtr meaning;
  CaptureTime intended;
  std::size_t bytes = 0;
  Decision::Action action{};
  std::string reason;               // for what is not sent itself
  // Was the captured session inside a transaction, before it and after it?
  bool open_before = false, open_after = false;
  std::vector<std::string> before;  // run right before it
  std::optional<mysql::Command> instead;  // sent in its place
  Sent::Time time = Sent::Time::asked;
  std::uint64_t first_id = 0;  // written into the command
  std::optional<std::string> schema;      // as the target calls it, where that is not the captured name
  bool is_shaped = false;           // the two above are filled in
  client::InTransaction before_in = client::InTransaction::any, command_in = client::InTransaction::any;
};

// The transaction that is open at the target, so that it can be run again whole.
struct OpenTransaction {
  static constexpr std::size_t max_bytes = 1U << 20;  // of commands kept for another try
  static constexpr unsigned max_tries = 3;            // after the first

  struct Step {
    mysql::Command command;
    std::string schema;
    std::uint16_t collation = 0;
    std::vector<std::string> before;
    Decision::Action action{};
    client::InTransaction before_in = client::InTransaction::any, command_in = client::InTransaction::any;
  };
  bool open = false;
  std::vector<Step> steps;  // what it did so far, reads left out
  std::size_t bytes = 0;
  bool is_whole = true;     // false: more than could be kept
  unsigned tries = 0;
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
    enum class Phase : std::uint8_t { idle, running, backing_off, waiting_for_slot, waiting_for_turn } phase = Phase::idle;
    enum class End : std::uint8_t { open, ended } end = End::open;
    enum class Shedding : std::uint8_t { no, yes } shedding = Shedding::no;
    enum class Restore : std::uint8_t { possible, impossible } restore = Restore::possible;
    bool has_slot = false;
    bool is_idle = false;    // as counted
    OpenTransaction transaction;
    bool autocommits = true;          // the target's session, as its last answer says
    bool captured_open = false;       // is the captured session inside a transaction, after all that was submitted
    bool skips_transaction = false;   // the rest of the captured transaction can't be run: its beginning was lost
    // What is run for our own sake before the command in front: the transaction's end, or its steps again.
    enum class Errand : std::uint8_t { none, end_transaction, redo } errand = Errand::none;
    mysql::Command errand_command;
    bool redoes_after = false;
    std::size_t redone = 0;
    std::optional<session::ExchangeId> snapshot;  // the read that fixed the open transaction's snapshot, while it may still move
    std::optional<session::ExchangeId> turn_of;   // whose turn the command in front waits for, where it isn't its own
    client::EventLoop::Clock::time_point since;   // when it was sent, or began to wait for its turn
    std::deque<Item> queue;  // the one in flight stands in front
    std::unique_ptr<client::ServerSession> session;
    std::string user;        // captured, for whom the session logs in
    client::EventLoop::TimerId retry;
    std::chrono::milliseconds backoff = first_backoff;
  };

  State(client::EventLoop& loop_, ReplaySink& sink_, const ReplayerOptions& options_)
      : loop(loop_), sink(sink_), options(options_), session_options(std::make_shared<client::SessionOptions>(options_.session)) {
    for (const auto& [user, connect] : options.users) {
      client::SessionOptions as_user = options.session;
      as_user.connect = connect;
      user_options[user] = std::make_shared<client::SessionOptions>(std::move(as_user));
    }
    if (!options.heartbeat) options.heartbeat = std::make_shared<Heartbeat>();
  }
  ~State() {
    loop.cancel(burial);
    loop.cancel(stall_timer);
    loop.cancel(slot_timer);
  }

  void submit(session::ExchangePtr box, std::size_t bytes, MeaningPtr meaning, CaptureTime intended, Sent&& sent);
  void hold(session::ExchangePtr box, std::size_t bytes, const MeaningPtr& meaning, const std::string& reason);
  void refuse(session::ExchangePtr box, std::size_t bytes, const MeaningPtr& meaning, const char* reason);
  Lane& lane_of(SessionId id);
  void open_for(Lane& lane, const std::string& user);
  [[nodiscard]] std::vector<Item> run_next(Lane& lane);
  void give_back(std::vector<Item> begun_anew);
  void start(Lane& lane);
  bool has_turn(Lane& lane);
  void done(session::ExchangeId id);
  void wake_startable();
  void check_stall();
  bool has_a_sign_of_life();
  // transactions.cpp
  void shape(Lane& lane, Item& item);
  void start_errand(Lane& lane);
  void on_errand_reply(Lane& lane, const client::SessionReply& reply);
  void begin_redo(Lane& lane);
  bool replays_writes() const { return options.policy.writes != Writes::left_out; }
  bool lose_transaction(Lane& lane);
  void fail_rest_of_transaction(Lane& lane, std::vector<Item>& failed);
  void fail_transaction(Lane& lane, const char* reason);
  static bool continues_transaction(const Item& item);
  bool try_transaction_again(Lane& lane, const client::SessionReply& reply);
  bool ask_again(Lane& lane, const client::SessionReply& reply);
  bool was_committed(const Item& item, const client::SessionReply& reply) const;
  void follow_transaction(Lane& lane, const Item& item, const client::SessionReply& reply);
  void follow_source(Lane& lane, const session::Exchange& exchange, const sql::Meaning& meaning);
  void end_transaction(Lane& lane, std::string_view how, bool redoes_after);
  void release_snapshot(Lane& lane);
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
  std::map<std::string, std::shared_ptr<const client::SessionOptions>> user_options;
  std::unordered_map<SessionId, std::unique_ptr<Lane>> lanes;
  std::vector<std::unique_ptr<Lane>> graveyard;
  client::EventLoop::TimerId burial, stall_timer, slot_timer;
  enum class Sign : std::uint8_t { none, asked_for, given } sign = Sign::none;  // of life, since commands have stalled
  client::EventLoop::Clock::time_point stalled_since, sign_given;
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
