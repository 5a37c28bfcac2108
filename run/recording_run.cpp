// A run from a recording or a capture file: two passes, one that counts and finds the servers, one that replays.
#include <exception>
#include <functional>
#include <set>
#include <unordered_map>
#include <thread>

#include "base/expected.h"
#include "engine.h"
#include "replay/source_clock.h"
#include "run/sent_journal.h"
#include "session/request_order.h"

namespace darktap::run {

namespace {

// What the reader keeps ready for the loop: it is quick to bring more.
constexpr std::size_t most_schemas = 10'000;  // that are looked for on the target
constexpr std::size_t read_ahead = std::size_t{512} << 10;

struct Survey final : session::ExchangeSink {
  std::set<Endpoint> servers;
  std::uint64_t exchanges = 0;
  std::size_t sessions = 0;
  std::uint64_t last_session = 0;
  std::unordered_map<SessionId, std::uint32_t> of_session;  // only where a run is resumed
  enum class Counting : std::uint8_t { all, by_session } counting = Counting::all;
  CaptureTime first = CaptureTime::max(), latest = CaptureTime::min();
  session::RequestHorizon horizon;
  // Where writes are replayed, what the answers tell of the source's clock.
  std::optional<replay::SourceClock> clock;
  session::Understanding understanding;
  std::unordered_map<SessionId, session::SessionInfo> followed;
  SourceFacts facts;  // without the servers
  std::function<bool(const session::Exchange&)> is_wanted;  // by the run's selection
  struct Place { std::string server, schema, user; };
  std::unordered_map<SessionId, Place> places;
  std::set<SessionId> in_transaction;
  std::size_t most_in_transaction = 0;  // at once

  void on_session(const session::SessionInfo& info) override {
    servers.insert(info.server);
    ++sessions;
    last_session = std::max(last_session, info.id.value);
    if (clock) followed[info.id] = info;
    places[info.id] = {to_string(info.server), "", ""};
  }
  void on_exchange(session::Exchange& exchange) override {
    ++exchanges;
    if (counting == Counting::by_session) ++of_session[exchange.id.session];
    first = std::min(first, exchange.request_first);
    latest = std::max(latest, exchange.request_first);
    horizon.note(exchange.request_first);
    Place& place = places[exchange.id.session];
    if (place.user != exchange.user && is_wanted(exchange)) facts.users.insert(place.user = exchange.user);
    if (place.schema != exchange.schema && session::carries_statement(exchange.command.code)) {
      place.schema = exchange.schema;
      if (!place.schema.empty() && facts.schemas.size() < most_schemas) facts.schemas.emplace(place.server, place.schema);
    }
    if (!clock) return;
    if (auto status = exchange.answer.last_status()) {
      if ((*status & mysql::status_flag::in_transaction) == 0) in_transaction.erase(exchange.id.session);
      else in_transaction.insert(exchange.id.session);
      most_in_transaction = std::max(most_in_transaction, in_transaction.size());
    }
    auto meaning = understanding.of(followed[exchange.id.session], exchange);
    for (const sql::TableName& table : meaning->tables_written)
      if (const std::string& schema = table.schema.empty() ? exchange.schema : table.schema; !schema.empty() && exchange.answer.error() == nullptr) facts.written.emplace(place.server, schema);
    if (!session::is_sealed(exchange.answer)) clock->observe(exchange, *meaning);
  }
  void on_session_end(SessionId id, CaptureTime) override {
    followed.erase(id);
    in_transaction.erase(id);
    places.erase(id);
    understanding.forget(id);
  }
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

// The recording again and again, each time under new session numbers and behind the time before.
class Loops final : public session::ExchangeSink {
 public:
  Loops(session::ExchangeSink& next, std::uint64_t sessions, CaptureClock::duration length) : next_(next), sessions_(sessions), length_(length) {}
  void next_round() { ++round_; }

  void on_session(const session::SessionInfo& info) override {
    if (round_ == 0) return next_.on_session(info);
    session::SessionInfo again = info;
    again.id = shifted(info.id);
    again.first_time = info.first_time + length_ * round_;
    next_.on_session(again);
  }
  void on_exchange(session::Exchange& exchange) override {
    exchange.id.session = shifted(exchange.id.session);
    for (CaptureTime* time : {&exchange.request_first, &exchange.request_last, &exchange.response_first, &exchange.response_last})
      if (*time != CaptureTime()) *time += length_ * round_;
    next_.on_exchange(exchange);
  }
  void on_session_end(SessionId session, CaptureTime time) override { next_.on_session_end(shifted(session), time + length_ * round_); }

 private:
  SessionId shifted(SessionId id) const { return {id.value + round_ * sessions_}; }

  session::ExchangeSink& next_;
  std::uint64_t sessions_;
  CaptureClock::duration length_;
  std::uint32_t round_ = 0;
};

// What the store has of the run that is to go on. It must be of this recording and this target.
Resumed resumed_run(const RunOptions& options, const std::string& target, std::uint64_t exchanges, std::unordered_map<SessionId, std::uint32_t>&& of_session, const SentJournal* journal) {
  store::StoreReader reader(options.store);
  std::int64_t run = *options.resume;
  store::RunReport report = reader.summary(run);
  auto refuse = [&](const std::string& why) { throw Failure(FailureKind::usage, options.store + ": run " + std::to_string(run) + " " + why + "; give the recording and the target of that run"); };
  if (report.run.finished) throw Failure(FailureKind::usage, options.store + ": run " + std::to_string(run) + " has ended, nothing of it is left to do; start a new one without --resume");
  if (report.ledger.total() != exchanges) refuse("was of " + std::to_string(report.ledger.total()) + " exchanges, this recording has " + std::to_string(exchanges));
  if (report.run.target != target) refuse("was against " + report.run.target + ", not " + target);
  Resumed resumed;
  for (std::size_t i = 0; i < store::bin_count; ++i) {
    auto bin = static_cast<store::Bin>(i);
    if (bin == store::Bin::pending) continue;
    std::uint64_t reasoned = 0;
    if (auto found = report.ledger.reasons().find(bin); found != report.ledger.reasons().end())
      for (const auto& [reason, count] : found->second) {
        resumed.ledger.add(bin, reason, count);
        reasoned += count;
      }
    if (report.ledger.of(bin) > reasoned) resumed.ledger.add(bin, report.ledger.of(bin) - reasoned);
  }
  resumed.positions = Positions(reader.progress(run));
  resumed.exchanges = std::move(of_session);
  // Sent, but its answer was in no store yet: it may be there, so that it is not sent again.
  if (journal != nullptr)
    for (const auto& [session, last] : journal->last_sent()) {
      auto known = resumed.exchanges.find(session);
      for (std::uint32_t seq = 0; known != resumed.exchanges.end() && seq <= last && seq < known->second; ++seq) {
        if (resumed.positions.contains({session, seq})) continue;
        resumed.positions.mark({session, seq});
        resumed.unsure.insert({session, seq});
        resumed.ledger.add(store::Bin::target_failed, "replay: sent_before_stop");
      }
    }
  return resumed;
}

}  // namespace

RunResult replay_recording(const std::string& file, const InputOptions& input, const RunOptions& options,
                           const std::atomic<bool>& stop, const OnProgress& progress) {
  if (file == "-") throw Failure(FailureKind::usage, "-: a replay reads its input twice and can't take standard input; give a file (capture -r - -w FILE.dtap makes one)");
  Survey survey;
  if (options.resume) survey.counting = Survey::Counting::by_session;
  survey.is_wanted = [&](const session::Exchange& exchange) { return options.selection.wants_session(exchange) && options.selection.wants_time(exchange.request_first); };
  if (options.writes.kept != replay::Writes::left_out) survey.clock.emplace();
  InputOptions surveying = input;
  if (!survey.clock) surveying.selection.depth = session::Selection::Depth::heads;
  InputResult surveyed = read_input(file, surveying, survey, stop);
  survey.horizon.end();
  if (surveyed.files.empty()) surveyed.files = {file};

  std::optional<session::RowSeal> seal = seal_of(file, input, surveyed);

  store::check_usable(options.store);
  const std::string target = client::address_of(options.servers.target.url);
  std::optional<Resumed> resumed;
  std::optional<SentJournal> journal;
  const bool keeps_writes = options.writes.kept == replay::Writes::applied || options.writes.kept == replay::Writes::redirected;
  if (options.resume) {
    if (keeps_writes) journal.emplace(SentJournal::path_of(options.store, *options.resume), SentJournal::Open::to_go_on);
    resumed = resumed_run(options, target, survey.exchanges * options.loops, std::move(survey.of_session), journal ? &*journal : nullptr);
  }
  SourceFacts facts = std::move(survey.facts);
  facts.servers.assign(survey.servers.begin(), survey.servers.end());
  Prepared prepared = prepare(options, facts);
  if (options.tell && options.order == replay::Order::commit && options.limits.connections > 0 && options.limits.connections < survey.most_in_transaction)
    options.tell("--target-connections " + std::to_string(options.limits.connections) + ": the source had " + std::to_string(survey.most_in_transaction) +
                 " transactions open at once; where all connections are held by transactions that wait for others, --order commit is broken, and what then differs may be our doing; give at least as many");
  store::RunInfo info;
  info.mode = options.mode;
  info.pace = replay::to_string(options.pace);
  info.order = replay::to_string(options.order);
  info.started = CaptureClock::now();
  info.source = prepared.source_name;
  info.target = target;
  if (options.servers.reference) info.reference = client::address_of(options.servers.reference->url);
  info.build = options.build;
  store::RunWriter writer = options.resume ? store::RunWriter(options.store, info, *options.resume) : store::RunWriter(options.store, info);
  if (options.store_limit > 0) writer.set_limit(options.store_limit, options.tell);

  if (keeps_writes && !journal) journal.emplace(SentJournal::path_of(options.store, info.id), SentJournal::Open::anew);
  client::EventLoop loop;
  Inbox inbox(std::min(options.limits.queued_bytes / 4, read_ahead), Inbox::WhenFull::wait, [&loop] { loop.wake(); });
  CaptureTime start = CaptureClock::now();
  CaptureTime recording_start = survey.exchanges > 0 ? survey.first : start;
  if (options.selection.from) recording_start = std::max(recording_start, *options.selection.from);
  CaptureClock::duration length = survey.exchanges > 0 ? survey.latest - survey.first + std::chrono::milliseconds(1) : CaptureClock::duration{};
  EngineInput engine_input{inbox, replay::Schedule(options.pace, recording_start, start, options.longest_idle.value_or(CaptureClock::duration::max()))};
  engine_input.total = survey.exchanges * options.loops;
  engine_input.sessions = survey.sessions;
  if (length.count() > 0) engine_input.recorded_per_second = static_cast<double>(survey.exchanges) / std::chrono::duration<double>(length).count();
  engine_input.resumed = std::move(resumed);
  engine_input.files = surveyed.files;
  engine_input.shift = recording_start - start;
  if (seal) engine_input.seal.emplace(std::move(*seal));
  engine_input.clock = survey.clock ? &*survey.clock : nullptr;
  engine_input.journal = journal ? &*journal : nullptr;
  RoundTripsSeen round_trips;
  round_trips.tell(surveyed.round_trips);
  engine_input.round_trips = &round_trips;
  Engine engine(loop, options, std::move(prepared), std::move(engine_input), writer, info);
  RunResult result;
  result.run = info.id;
  std::exception_ptr reader_failed;
  std::atomic<bool> stop_reading = false;
  std::thread reader([&] {
    try {
      Loops loops(inbox, survey.last_session, length);
      for (std::uint32_t round = 0; round < options.loops && !stop_reading; ++round, loops.next_round()) {
        session::RequestOrder order(loops, session::RequestOrder::default_limit_bytes, &survey.horizon);
        InputResult read = read_input(file, input, order, stop_reading);
        result.counters = read.counters;
        result.note = std::move(read.note);
        order.finish();
      }
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
  if (result.note.empty()) result.note = surveyed.note;
  result.gave_up = engine.gave_up();
  result.limit_broken = engine.limit_broken();
  if (result.end == RunResult::End::whole) writer.finish(CaptureClock::now());
  else writer.flush();
  if (journal && result.end == RunResult::End::whole) journal->remove();
  return result;
}

}  // namespace darktap::run
