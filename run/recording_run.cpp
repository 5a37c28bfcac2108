// A run from a recording or a capture file: two passes, one that counts and finds the servers, one that replays.
#include <exception>
#include <set>
#include <thread>

#include "base/expected.h"
#include "engine.h"
#include "session/request_order.h"

namespace darktap::run {

namespace {

struct Survey final : session::ExchangeSink {
  std::set<Endpoint> servers;
  std::uint64_t exchanges = 0;
  CaptureTime first = CaptureTime::max();

  void on_session(const session::SessionInfo& info) override { servers.insert(info.server); }
  void on_exchange(session::Exchange& exchange) override {
    ++exchanges;
    first = std::min(first, exchange.request_first);
  }
  void on_session_end(SessionId, CaptureTime) override {}
};

// What opens the rows of a recording that holds digests.
std::optional<session::RowSeal> seal_of(const std::string& file, const InputOptions& input, const InputResult& surveyed) {
  using session::RecordingOptions;
  if (surveyed.recording && surveyed.recording->statements == RecordingOptions::Statements::redacted) {
    throw Failure(FailureKind::usage, file + ": its statements were redacted when it was recorded and can't be replayed; inspect shows them, capture without --redact keeps them");
  }
  if (!surveyed.recording || surveyed.recording->rows != RecordingOptions::Rows::sealed) {
    if (!input.key_file.empty()) throw Failure(FailureKind::usage, "--key " + input.key_file + ": " + file + " holds rows, no digests; leave --key out");
    return std::nullopt;
  }
  const std::string path = input.key_file.empty() ? file + ".key" : input.key_file;
  const session::SealKey key = session::SealKey::load(path);
  if (key.id() != surveyed.recording->key_id) {
    throw Failure(FailureKind::usage, path + ": is not the key that " + file + " was recorded with; name that one with --key FILE");
  }
  return session::RowSeal(key);
}

}  // namespace

RunResult replay_recording(const std::string& file, const InputOptions& input, const RunOptions& options,
                           const std::atomic<bool>& stop, const OnProgress& progress) {
  if (file == "-") throw Failure(FailureKind::usage, "-: a replay reads its input twice and can't take standard input; give a file (capture -r - -w FILE.dtap makes one)");
  Survey survey;
  InputResult surveyed = read_input(file, input, survey, stop);
  if (surveyed.files.empty()) surveyed.files = {file};

  std::optional<session::RowSeal> seal = seal_of(file, input, surveyed);

  store::check_usable(options.store);
  Prepared prepared = prepare(options, {{survey.servers.begin(), survey.servers.end()}, {}});
  store::RunInfo info;
  info.mode = options.mode;
  info.pace = replay::to_string(options.pace);
  info.order = replay::to_string(options.order);
  info.started = CaptureClock::now();
  info.source = prepared.source_name;
  info.target = client::address_of(options.servers.target.url);
  if (options.servers.reference) info.reference = client::address_of(options.servers.reference->url);
  info.build = options.build;
  store::RunWriter writer(options.store, info);

  client::EventLoop loop;
  Inbox inbox(options.limits.queued_bytes / 4, Inbox::WhenFull::wait, [&loop] { loop.wake(); });
  CaptureTime start = CaptureClock::now();
  CaptureTime recording_start = survey.exchanges > 0 ? survey.first : start;
  Engine engine(loop, options, std::move(prepared),
                {inbox, replay::Schedule(options.pace, recording_start, start), survey.exchanges, surveyed.files, recording_start - start, std::move(seal)}, writer, info);
  RunResult result;
  result.run = info.id;
  std::exception_ptr reader_failed;
  std::atomic<bool> stop_reading = false;
  std::thread reader([&] {
    try {
      session::RequestOrder order(inbox);
      result.counters = read_input(file, input, order, stop_reading).counters;
      order.finish();
    } catch (...) {
      reader_failed = std::current_exception();
    }
    inbox.close();
  });
  auto end_reader = [&] {
    stop_reading = true;
    inbox.abandon();
    if (reader.joinable()) reader.join();
  };
  try {
    result.end = engine.run(stop, progress);
  } catch (...) {
    end_reader();
    throw;
  }
  end_reader();
  if (reader_failed) std::rethrow_exception(reader_failed);
  result.note = surveyed.note;
  result.gave_up = engine.gave_up();
  if (result.end == RunResult::End::whole) writer.finish(CaptureClock::now());
  else writer.flush();
  return result;
}

}  // namespace darktap::run
