// The bounded queue between the thread that reads the input and the loop that replays it. A live tap never waits for room:
// what doesn't fit sheds the rest of its session. A reader of a file waits.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <variant>
#include <vector>

#include "session/exchange.h"

namespace darktap::run {

struct SessionEnded {
  SessionId session;
  CaptureTime time;
};
using Arrival = std::variant<std::unique_ptr<session::SessionInfo>, session::ExchangePtr, SessionEnded>;

class Inbox final : public session::ExchangeSink {
 public:
  enum class WhenFull : std::uint8_t { wait, shed_session };
  Inbox(std::size_t limit_bytes, WhenFull when_full, std::function<void()> wake) : limit_bytes_(limit_bytes), when_full_(when_full), wake_(std::move(wake)) {}

  // The reader's side.
  void on_session(const session::SessionInfo& info) override;
  void on_exchange(session::Exchange& exchange) override;
  void on_session_end(SessionId session, CaptureTime time) override;
  void close();  // nothing more comes

  // The loop's side. front() lives until pop().
  Arrival* front();
  void pop();
  bool drained();
  // Exchanges that are done with, for their storage; taken from `spent`.
  static constexpr std::size_t most_spares = 4096;
  void give_back(std::vector<session::ExchangePtr>& spent);
  // Lets a waiting reader go: what it still brings is dropped.
  void abandon();
  std::uint64_t shed_exchanges();
  std::uint64_t abandoned_exchanges();

 private:
  using Queue = std::deque<std::pair<Arrival, std::size_t>>;

  void push(Arrival&& arrival, std::size_t bytes);
  void release();

  const std::size_t limit_bytes_;
  const WhenFull when_full_;
  const std::function<void()> wake_;
  std::mutex mutex_;
  std::condition_variable room_;
  Queue queue_;
  std::size_t bytes_ = 0;
  std::uint64_t shed_ = 0, abandoned_exchanges_ = 0;
  std::set<SessionId> shed_sessions_;
  std::vector<session::ExchangePtr> given_back_;
  enum class Input : std::uint8_t { open, closed, abandoned } input_ = Input::open;
  enum class Reader : std::uint8_t { runs, waits } reader_ = Reader::runs;

  // The reader's own.
  std::vector<session::ExchangePtr> spares_;

  // The loop's own: what it has taken over from the queue, all at once, and what it has handled of that.
  Queue taken_;
  std::size_t handled_bytes_ = 0;
};

}  // namespace darktap::run
