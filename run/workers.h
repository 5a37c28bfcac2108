// Replay on a few threads: each has an event loop and a replayer of its own, for its share of the sessions. A pair of equal
// answers ends where it was made, on the worker; only its figures come back. Everything else comes back whole.
//
// Called from the run's one loop thread, which is also where the sink is called. Exchanges are handed over some time before
// they are due, so that a stall of that thread (a commit to the store) makes nothing late.
//
// Without threads it is one replayer on the run's own loop, and the sink is called from there as well: for --order commit,
// where every session may wait for every other.
#pragma once

#include <cstddef>
#include <exception>
#include <memory>
#include <vector>

#include "replay/replayer.h"

namespace darktap::run {

// An exchange whose two answers are equal.
struct Match {
  session::ExchangeId id;
  std::uint64_t fingerprint = 0;
  mysql::CommandCode code{};
  std::uint16_t collation = 0;
  std::chrono::nanoseconds source_latency{};        // last request byte to last response byte, at the tap
  CaptureTime request;                              // in the recording
  CaptureTime intended, sent, first_byte, last_byte;  // at this client
  replay::Sent::Time time{};
};

// Called in drain() alone; without threads from submit() and from the loop too. Matches come in the order of their session.
class WorkersSink : public replay::ReplaySink {
 public:
  virtual void on_match(const Match& match, const replay::MeaningPtr& meaning) = 0;
  // Exchanges that are done with, for their storage; what is left in the list is freed.
  virtual void on_spent(std::vector<session::ExchangePtr>& spent) = 0;
};

struct WorkersOptions {
  replay::ReplayerOptions replay;
  static constexpr std::size_t no_threads = 0;
  std::size_t threads = default_threads();
  // How long results may wait on a worker, so that many come back at once.
  std::chrono::microseconds gathering{2000};
  // Of what is handed over and not yet given back, results included.
  std::size_t queued_bytes = std::size_t{128} << 20;
  // Of that, what is asked for while nearly every session that has begun has work (run/read_ahead.h).
  std::size_t busy_bytes = static_cast<std::size_t>(-1);

  static std::size_t default_threads();
};

class Workers {
 public:
  Workers(client::EventLoop& loop, WorkersSink& sink, const WorkersOptions& options);
  ~Workers();  // ends the threads; what waits is dropped: give_up() and drain() first to have it counted

  // Sent when `intended` has come, in order of submission within a session.
  void submit(session::ExchangePtr exchange, replay::MeaningPtr meaning, CaptureTime intended, replay::Sent sent = {});
  void end_session(SessionId session);
  // How long before it is due an exchange may be submitted.
  std::chrono::milliseconds ahead() const;
  // An exchange that the order knows of and that will not be submitted.
  void pass_over(session::ExchangeId id);
  // Hands over what was submitted since.
  void flush();
  // Calls the sink with what has come back. Rethrows what ended a worker.
  void drain();

  // With ask_to_wait: false while the queues are full, or hold enough for every session that has something to do.
  bool has_room() const;
  std::size_t outstanding() const;
  bool gave_up() const;
  // Fails everything that waits or is in flight, now and from now on. It comes back in drain().
  void give_up(const std::string& line);

  // Summed over the workers, as of the last drain().
  replay::Replayer::Counters counters() const;
  const Histogram& lateness() const { return lateness_; }
  std::uint64_t lateness_sum_us() const { return lateness_sum_us_; }

 private:
  class Worker;
  class Inline;
  void note_lateness(CaptureTime sent, CaptureTime intended);
  std::size_t wanted_bytes() const;
  Worker& worker_of(SessionId session);

  client::EventLoop& loop_;
  WorkersSink& sink_;
  WorkersOptions options_;
  std::vector<std::unique_ptr<Worker>> workers_;  // or:
  std::unique_ptr<Inline> inline_;
  std::size_t outstanding_ = 0, queued_bytes_ = 0;
  std::size_t wanted_bytes_;  // as of the last drain()
  std::uint64_t shed_ = 0;
  bool gave_up_ = false;
  Histogram lateness_;
  std::uint64_t lateness_sum_us_ = 0;
  std::vector<SessionId> shed_sessions_;  // sorted
};

}  // namespace darktap::run
