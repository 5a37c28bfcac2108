// Sends captured exchanges to the target: a lane and a connection a session, each session's commands in order, on one
// event loop. The tap never waits for it: what can't be sent is failed or shed, with the reason, and memory has a limit.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/histogram.h"
#include "client/server_session.h"
#include "replay/order_by_commit.h"
#include "replay/schema_map.h"
#include "replay/source_clock.h"
#include "replay/write_policy.h"
#include "replay/written_time.h"
#include "session/exchange.h"

namespace darktap::replay {

using MeaningPtr = std::shared_ptr<const sql::Meaning>;  // shared, since most executions repeat a statement

struct TargetAnswer {
  mysql::Answer answer;
  CaptureTime intended, sent, first_byte, last_byte;  // at this client, on the tap's clock
  client::SessionReply::Step step{};  // what the target answered; a refused schema or PREPARE stands for the command
  Sent::Time time = Sent::Time::asked;
  std::uint16_t pin_refused = 0;      // the target's error code, where it would not be told the time or the id
  std::string sent_text{};            // where the source's time or ids were written in
};

// Each exchange that is submitted comes back exactly once. Called from the loop or from inside submit().
class ReplaySink {
 public:
  virtual ~ReplaySink() = default;
  virtual void on_outcome(session::Exchange&& exchange, const MeaningPtr& meaning, TargetAnswer&& target) = 0;
  virtual void on_not_sent(session::Exchange&& exchange, const MeaningPtr& meaning, const std::string& reason) = 0;
  // No answer: "connection_lost", "timeout", "refused", "given_up", "lock_conflict: …" (a deadlock or a lock wait that came
  // again each time its transaction was tried), "interrupted: query_killed" (the same of a KILL QUERY), "target_read_only", "replay: …".
  virtual void on_failed(session::Exchange&& exchange, const MeaningPtr& meaning, const std::string& reason) = 0;
  // Left out because the queues were full; the rest of its session is left out too.
  virtual void on_shed(session::Exchange&& exchange, const MeaningPtr& meaning) = 0;
  // Once, when the target is given up: one line with the server and the remedy. What waited has failed already.
  virtual void on_gave_up(const std::string& line) = 0;
  // After each of the calls about an exchange: what it held of the queues is free, and so is its storage, whatever is left in it.
  virtual void on_released(session::ExchangePtr&& spent, std::size_t bytes) { (void)spent, (void)bytes; }
  // The queues were over half their limit and no longer are: a reader of a recording may go on.
  virtual void on_room() {}
};

// When the target was last heard of: shared by replayers that serve the same target from several threads.
struct Heartbeat {
  std::atomic<client::EventLoop::Clock::duration> last{client::EventLoop::Clock::duration::zero()};  // zero: never
};

struct ReplayerOptions {
  client::SessionOptions session;            // its connect.schema is used where a session's own is unknown
  std::map<std::string, client::ConnectOptions> users;  // who logs in for a captured user, "*" for all others; none: session.connect
  WritePolicy policy;
  std::chrono::milliseconds give_up_after{5000};  // of connects that fail without one success
  std::size_t connections = 0;               // open at once at most; 0: one a session, no limit
  std::size_t queued_bytes = std::size_t{256} << 20;  // of exchanges waiting or in flight
  enum class WhenFull : std::uint8_t { shed_session, ask_to_wait } when_full = WhenFull::shed_session;
  std::shared_ptr<Heartbeat> heartbeat;      // none: its own
  OrderByCommit* order = nullptr;            // --order commit; must outlive the replayer
  TargetClock target_clock = TargetClock::told;
  const SourceClock* clock = nullptr;        // the source's own times, where they are known; must outlive the replayer
  // Is the target's answer the captured one? With an order: a read that disagrees is asked again behind the commits that it
  // overlapped with in the capture, of which it may have seen any or none.
  std::function<bool(const session::Exchange&, const mysql::Answer&)> agrees;
  // Called before a write or what ends a transaction goes out; not for what is rolled back. May throw: then it is not sent.
  std::function<void(session::ExchangeId)> note_sending;
  // With an order, none: asks the target for an answer over a connection of its own, and calls back when it has come. A target that
  // answers nobody is frozen or out of reach; only where it answers do commands that are late wait for each other.
  std::function<void(std::function<void()>)> ask_for_a_sign;
};

class Replayer {
 public:
  Replayer(client::EventLoop& loop, ReplaySink& sink, const ReplayerOptions& options);
  ~Replayer();  // exchanges that wait are dropped: call give_up() first to have them counted

  // Takes the exchange; sent at once if its session is idle. `intended`: when it was due, on the tap's clock. `sent`: where
  // the target has other names.
  void submit(session::Exchange&& exchange, MeaningPtr meaning, CaptureTime intended, Sent sent = {});
  // The same without a copy; `bytes`: its memory_of().
  void submit(session::ExchangePtr exchange, std::size_t bytes, MeaningPtr meaning, CaptureTime intended, Sent sent = {});
  // The session has ended: its connection closes when its queue has drained.
  void end_session(SessionId session);
  // An announced exchange that will not be submitted: nobody need wait for it.
  void pass_over(session::ExchangeId id);

  // With ask_to_wait: false while the queues are over their limit. submit() still takes what it is given.
  bool has_room() const;
  // Nothing is under way though commands wait: what they wait for has not been submitted yet.
  bool is_starved() const;
  // Submitted and not yet given back.
  std::size_t outstanding() const;
  bool gave_up() const;
  // Fails everything that waits or is in flight, now and from now on.
  void give_up(const std::string& line);

  struct Counters {
    std::uint64_t sent = 0, answered = 0, failed = 0, held = 0, shed = 0;  // exchanges
    std::uint64_t connects = 0, lost = 0;                                  // connections begun, lost with a command in flight
    std::uint64_t full = 0;                                                // logins refused: too many connections
    std::uint64_t retried = 0;      // transactions begun again after a deadlock or a lock wait
    std::uint64_t refused_read_only = 0;  // writes that the target refused in the end, since it is read-only
    std::uint64_t pins_refused = 0; // statements whose time or id the target would not be told
    std::size_t open_connections = 0, lanes = 0, queued_bytes = 0;
    std::size_t idle_lanes = 0;                                            // sessions that have begun, and nothing to send
  };
  const Counters& counters() const;
  const Histogram& lateness() const;  // sent - intended
  // Is this one of our own connections? So that the tap leaves it out.
  bool owns(const Endpoint& local) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace darktap::replay
