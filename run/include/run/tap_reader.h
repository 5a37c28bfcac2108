// One tap, read to its end: packets -> segments -> sessions. A live tap has a thread of its own, so that no decoding, writing
// or waiting keeps it from the kernel's ring.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>

#include "capture/tap.h"
#include "run/input.h"
#include "session/exchange.h"

namespace darktap::run {

struct TapReaderOptions {
  // How long packets and segments may lie before they are looked at, so that threads wake less often. Zero: at once.
  std::chrono::milliseconds patience{0};
  // Of segments between the tap's thread and the decoder; what doesn't fit sheds its session. 0: one thread does all.
  std::size_t queued_bytes = 0;
};

class TapReader {
 public:
  static constexpr std::size_t default_queued_bytes = std::size_t{32} << 20;

  // All must outlive the reader. The sink is called from read() only.
  TapReader(capture::Tap& tap, const InputOptions& input, session::ExchangeSink& sink, const TapReaderOptions& options = {});
  ~TapReader();

  // Until the tap ends or `stop` becomes true; a live tap's packets from before that moment are still read. `idle` is called
  // about every 100 ms of quiet and at least every 1,000 packets, on the calling thread.
  session::TapCounters read(const std::atomic<bool>& stop, const std::function<void()>& idle);
  // So far; for the thread that reads.
  session::TapCounters counters() const;
  const RoundTrips& round_trips() const;  // so far, too
  std::uint64_t shed_sessions() const;  // for want of room in the queue

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace darktap::run
