// A live run: the tap's thread reads and decodes, the loop replays and compares. The tap is open before the servers are asked
// anything, so that nothing is missed meanwhile; the kernel's ring holds it.
#include <exception>
#include <thread>

#include "engine.h"
#include "run/tap_reader.h"

namespace darktap::run {

RunResult shadow(const LiveInput& live, const RunOptions& options, const std::atomic<bool>& stop,
                 const std::function<void(std::int64_t run)>& ready, const OnProgress& progress) {
  capture::LiveTapOptions tapping;
  tapping.ports = live.input.ports;
  tapping.filter = live.input.filter;
  capture::LiveTap tap(live.interface, tapping);
  InputOptions input = live.input;
  if (live.opened) live.opened(input);

  store::check_usable(options.store);
  Prepared prepared = prepare(options, {{}, live.input.ports.list()});
  store::RunInfo info;
  info.mode = options.mode;
  info.pace = "live";
  info.order = "session";
  info.started = CaptureClock::now();
  info.source = prepared.source_name.empty() ? live.interface : prepared.source_name;
  info.target = client::address_of(options.servers.target.url);
  if (options.servers.reference) info.reference = client::address_of(options.servers.reference->url);
  info.build = options.build;
  store::RunWriter writer(options.store, info);
  if (options.store_limit > 0) writer.set_limit(options.store_limit, options.tell);

  Prepared::SourceCount source_before = prepared.source_questions;
  bool reference_is_source = prepared.reference_is_source;
  if (options.tell && prepared.unix_sessions > 0)
    options.tell(std::to_string(prepared.unix_sessions) + " sessions of the source came by its unix socket: no tap sees what they ask, nor the writes that they make");
  client::EventLoop loop;
  Inbox inbox(options.limits.queued_bytes, Inbox::WhenFull::shed_session, [&loop] { loop.wake(); });
  RoundTripsSeen round_trips;
  Engine engine(loop, options, std::move(prepared), {.inbox = inbox, .files = {live.interface}, .round_trips = &round_trips}, writer, info);
  RunResult result;
  result.run = info.id;
  std::exception_ptr tap_failed;
  std::atomic<bool> stop_tap = false;
  std::atomic<std::uint64_t> drops = 0;
  TapReader tap_reader(tap, input, inbox, {.queued_bytes = TapReader::default_queued_bytes});
  std::thread reader([&] {
    try {
      result.counters = tap_reader.read(stop_tap, [&] {
        drops = tap_reader.counters().kernel_drops;
        round_trips.tell(tap_reader.round_trips());
        if (stop.load()) stop_tap = true;
      });
    } catch (...) {
      tap_failed = std::current_exception();
    }
    inbox.close();
  });
  auto end_tap = [&] {
    stop_tap = true;
    if (reader.joinable()) reader.join();
  };
  try {
    if (ready) ready(info.id);
    result.end = engine.run(stop, [&](std::int64_t run, const Progress& p) {
      Progress with_drops = p;
      with_drops.kernel_drops = drops;
      if (progress) progress(run, with_drops);
    });
  } catch (...) {
    end_tap();
    throw;
  }
  end_tap();
  if (tap_failed) std::rethrow_exception(tap_failed);
  result.gave_up = engine.gave_up();
  result.limit_broken = engine.limit_broken();
  std::uint64_t ours = reference_is_source ? info.questions["reference"].first : 0;
  if (auto questions = questions_since(options, source_before, ours)) {
    writer.set_server_questions(*questions);
    // Questions counts statements, not preparing and closing them; and the server's own clock stops a little later than the tap.
    if (options.tell && *questions > engine.taken() + engine.taken() / 50 + 20)
      options.tell("the source answered " + std::to_string(*questions) + " statements, the tap saw " + std::to_string(engine.taken()) +
                   " exchanges: the rest came by a unix socket, another port or interface, TLS, or was not sampled");
  }
  writer.finish(CaptureClock::now());
  return result;
}

}  // namespace darktap::run
