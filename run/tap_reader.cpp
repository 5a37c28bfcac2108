#include "run/tap_reader.h"

#include <pthread.h>

#include <algorithm>
#include <exception>
#include <thread>

#include "capture/reassembler.h"
#include "capture/segment_feeder.h"
#include "session/assembler.h"

namespace darktap::run {

namespace {

constexpr std::chrono::milliseconds quiet(100);
constexpr std::uint64_t packets_between_idle = 1000, packets_between_polls = 200;

session::AssemblerOptions assembling(const InputOptions& input) {
  session::AssemblerOptions options;
  options.sample_percent = input.sample_percent;
  using Recognise = session::AssemblerOptions::Recognise;
  options.recognise = input.ports.any() ? Recognise::by_evidence : Recognise::every_connection;
  if (input.primer) {
    options.primed = [primer = input.primer](const FlowKey& flow) { return primer->find(flow); };
    options.left_out = [primer = input.primer](const FlowKey& flow) { return primer->is_ours(flow); };
  }
  if (input.secrets) options.keys = &input.secrets->log();
  return options;
}

}  // namespace

struct TapReader::State {
  State(capture::Tap& given_tap, const InputOptions& given, session::ExchangeSink& sink, const TapReaderOptions& options)
      : tap(given_tap), input(given), assembler(sink, assembling(given)), reassembler(assembler, {.ports = given.ports}), queued_bytes(options.queued_bytes), patience(options.patience) {}

  void read_here(const std::atomic<bool>& stop, const std::function<void()>& idle);
  void read_apart(const std::atomic<bool>& stop, const std::function<void()>& idle);
  void poll_secrets(bool is_quiet);
  void tap_thread(capture::SegmentFeeder& feeding);

  capture::Tap& tap;
  const InputOptions& input;
  session::Assembler assembler;
  capture::Reassembler reassembler;
  std::size_t queued_bytes;
  std::chrono::milliseconds patience;
  CaptureTime first_time, last_time;
  std::uint64_t until_poll = 1;

  // Of the tap's thread, where there is one.
  capture::SegmentFeeder* feeder = nullptr;
  capture::FeederCounts fed;  // once the feeder is gone
  std::atomic<bool> stop_tap = false;
  std::atomic<std::uint64_t> kernel_drops = 0;
  std::exception_ptr failed;
};

TapReader::TapReader(capture::Tap& tap, const InputOptions& input, session::ExchangeSink& sink, const TapReaderOptions& options)
    : state_(std::make_unique<State>(tap, input, sink, options)) {}
TapReader::~TapReader() = default;

session::TapCounters TapReader::read(const std::atomic<bool>& stop, const std::function<void()>& idle) {
  State& state = *state_;
  if (state.queued_bytes == 0) state.read_here(stop, idle);
  else state.read_apart(stop, idle);
  if (state.input.secrets) state.input.secrets->settle();
  state.reassembler.finish(state.last_time);
  return counters();
}

// Secrets are written while their session begins: the file is looked at in every lull, and often enough without one.
void TapReader::State::poll_secrets(bool is_quiet) {
  if (!input.secrets || (!is_quiet && --until_poll != 0)) return;
  until_poll = packets_between_polls;
  input.secrets->poll();
}

void TapReader::State::read_here(const std::atomic<bool>& stop, const std::function<void()>& idle) {
  capture::PacketView packet;
  std::uint64_t until_idle = packets_between_idle;
  // Capture time goes on while a pipe's writer is quiet, from where its last packet left it.
  std::chrono::steady_clock::time_point quiet_since{};
  while (!stop.load(std::memory_order_relaxed)) {
    const capture::Tap::Read read = tap.next(packet, quiet);
    if (read == capture::Tap::Read::end) break;
    if (read == capture::Tap::Read::packet) {
      if (first_time == CaptureTime()) first_time = packet.time;
      last_time = std::max(last_time, packet.time);
      reassembler.feed(packet);
      quiet_since = {};
    } else {
      const auto now = std::chrono::steady_clock::now();
      if (quiet_since == std::chrono::steady_clock::time_point()) quiet_since = now;
      reassembler.advance(last_time + (now - quiet_since));
    }
    poll_secrets(read == capture::Tap::Read::timeout);
    if (idle && (read == capture::Tap::Read::timeout || --until_idle == 0)) {
      until_idle = packets_between_idle;
      idle();
    }
  }
  kernel_drops = tap.counts().kernel_drops;
}

void TapReader::State::read_apart(const std::atomic<bool>& stop, const std::function<void()>& idle) {
  capture::SegmentQueue queue(queued_bytes);
  capture::SegmentFeeder feeding(queue, input.ports, patience.count() > 0 ? queued_bytes / 16 : 0);
  feeder = &feeding;
  std::thread thread([&] {
    pthread_setname_np(pthread_self(), "darktap-tap");
    try {
      tap_thread(feeding);
    } catch (...) {
      failed = std::current_exception();
    }
    feeding.publish();
    queue.close();
  });
  const auto end_thread = [&] {
    stop_tap = true;
    if (thread.joinable()) thread.join();
    fed = feeding.counts();
    feeder = nullptr;
  };
  try {
    capture::SegmentView segment;
    std::uint64_t until_idle = packets_between_idle;
    for (bool more = true; more;) {
      if (stop.load(std::memory_order_relaxed)) stop_tap = true;  // the thread reads what is there, then closes the queue
      const capture::SegmentQueue::Take take = queue.next(segment, quiet);
      switch (take) {
        case capture::SegmentQueue::Take::segment:
          last_time = std::max(last_time, segment.time);
          reassembler.feed(segment);
          break;
        case capture::SegmentQueue::Take::timeout: reassembler.advance(CaptureClock::now()); break;
        case capture::SegmentQueue::Take::closed: more = false; break;
      }
      poll_secrets(take == capture::SegmentQueue::Take::timeout);
      if (idle && (take != capture::SegmentQueue::Take::segment || --until_idle == 0)) {
        until_idle = packets_between_idle;
        idle();
      }
    }
  } catch (...) {
    end_thread();
    throw;
  }
  end_thread();
  if (failed) std::rethrow_exception(failed);
}

// Never waits for anything but packets.
void TapReader::State::tap_thread(capture::SegmentFeeder& feeding) {
  constexpr int packets_between_publishing = 256;
  constexpr std::chrono::milliseconds between_drop_counts(200);
  capture::PacketView packet;
  int until_publish = packets_between_publishing;
  bool read_some = false;
  auto drops_counted = std::chrono::steady_clock::now();
  const auto count_drops = [&] {
    if (const auto now = std::chrono::steady_clock::now(); now - drops_counted >= between_drop_counts) {
      drops_counted = now;
      kernel_drops = tap.counts().kernel_drops;
    }
  };
  while (!stop_tap.load(std::memory_order_relaxed)) {
    capture::Tap::Read read = tap.next(packet, std::chrono::milliseconds(0));
    if (read == capture::Tap::Read::timeout) {
      feeding.publish();  // the decoder works while we wait
      count_drops();
      until_publish = packets_between_publishing;
      if (patience.count() > 0 && read_some) std::this_thread::sleep_for(patience);  // the ring holds more than comes meanwhile
      read_some = false;
      read = tap.next(packet, quiet);
    }
    if (read == capture::Tap::Read::end) break;
    if (read != capture::Tap::Read::packet) continue;
    read_some = true;
    feeding.feed(packet);
    if (--until_publish == 0) {
      until_publish = packets_between_publishing;
      feeding.publish();
      count_drops();
    }
  }
  // What was on the wire before the stop is still in the kernel's ring.
  const CaptureTime stopped = CaptureClock::now();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(2);
  while (std::chrono::steady_clock::now() < deadline && tap.next(packet, std::chrono::milliseconds(50)) == capture::Tap::Read::packet && packet.time <= stopped) {
    feeding.feed(packet);
  }
  kernel_drops = tap.counts().kernel_drops;
}

session::TapCounters TapReader::counters() const {
  const State& state = *state_;
  session::TapCounters counters;
  const capture::ReassemblerStats& stats = state.reassembler.stats();
  counters.packets = stats.packets;
  counters.bytes = stats.bytes;
  counters.lost_bytes = stats.lost_bytes;
  counters.gaps = stats.gaps;
  counters.connections = stats.connections;
  counters.first_time = state.first_time;
  counters.last_time = state.last_time;
  counters.kernel_drops = state.kernel_drops;
  if (state.queued_bytes > 0) {
    const capture::FeederCounts fed = state.feeder != nullptr ? state.feeder->counts() : state.fed;
    counters.packets = fed.packets;
    counters.bytes = fed.bytes;
    counters.first_time = fed.first_time;
    counters.last_time = fed.last_time;
    counters.shed_exchanges = fed.shed_requests;
  }
  state.assembler.add_to(counters);
  return counters;
}

const RoundTrips& TapReader::round_trips() const { return state_->reassembler.round_trips(); }

std::uint64_t TapReader::shed_sessions() const {
  return state_->feeder != nullptr ? state_->feeder->counts().shed_sessions : state_->fed.shed_sessions;
}

}  // namespace darktap::run
