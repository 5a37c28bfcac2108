#include "engine.h"

#include <algorithm>

#include "session/render.h"

namespace darktap::run {

namespace {

using std::chrono::steady_clock;

constexpr std::size_t taken_a_turn = 256;  // between two looks at the sockets

// A question about a LIMIT looks for its rows in the whole list.
constexpr std::size_t kept_rows_of_questions = 10'000;

compare::ComparerOptions comparer_options(const RunOptions& options, const Prepared& prepared, const EngineInput& input) {
  compare::ComparerOptions result;
  using Reference = compare::ComparerOptions::Reference;
  result.reference = prepared.reference ? Reference::available : Reference::none;
  result.target_follows = prepared.target_follows;
  result.questions_per_second = options.judging.questions_per_second;
  result.questions_per_fingerprint_minute = options.judging.questions_per_fingerprint_minute;
  result.accepted_rules = options.judging.accepted_rules;
  if (input.schedule) result.patience = std::chrono::minutes(10);
  return result;
}

client::AskerOptions asker_options(const client::ConnectOptions& connect) {
  client::AskerOptions options;
  options.session.connect = connect;
  options.session.connect.kept.kept_rows = kept_rows_of_questions;
  return options;
}

replay::ReplayerOptions replayer_options(const RunOptions& options, const Prepared& prepared, const EngineInput& input) {
  replay::ReplayerOptions result;
  result.session.connect = prepared.target;
  result.policy.allowed = options.allowed;
  result.give_up_after = options.limits.connect;
  result.queued_bytes = options.limits.queued_bytes;
  using WhenFull = replay::ReplayerOptions::WhenFull;
  result.when_full = input.schedule ? WhenFull::ask_to_wait : WhenFull::shed_session;
  return result;
}

LatencyWatch::Pace paced_as_production(const RunOptions& options, const EngineInput& input) {
  bool recorded = !input.schedule || options.pace.kind == replay::Pace::Kind::recorded ||
                  (options.pace.kind == replay::Pace::Kind::multiplied && options.pace.factor == 1);
  return recorded ? LatencyWatch::Pace::as_production : LatencyWatch::Pace::other;
}

}  // namespace

Engine::Engine(client::EventLoop& loop, const RunOptions& options, Prepared prepared, EngineInput input, store::RunWriter& writer, store::RunInfo& info)
    : loop_(loop),
      options_(options),
      prepared_(std::move(prepared)),
      input_(std::move(input)),
      writer_(writer),
      info_(info),
      understanding_(prepared_.catalogue),
      own_connections_(prepared_.our_connections, CaptureClock::now()),
      comparer_(*this, comparer_options(options, prepared_, input_), prepared_.catalogue),
      target_asker_(loop, asker_options(prepared_.target)),
      replayer_(loop, *this, replayer_options(options, prepared_, input_)),
      latency_(loop, prepared_.target, options.latency, paced_as_production(options, input_)),
      policy_{options.allowed} {
  if (prepared_.reference) reference_asker_.emplace(loop, asker_options(*prepared_.reference));
  started_ = last_answer_ = last_progress_ = last_judged_ = steady_clock::now();
}

RunResult::End Engine::run(const std::atomic<bool>& stop, const OnProgress& progress) {
  auto last_flush = steady_clock::now();
  while (!is_done(stop)) {
    take_due();
    ask_what_is_due();
    latency_.turn(tap_now());
    loop_.run_once(until_due());
    auto now = steady_clock::now();
    if (now - last_flush >= patience::flush) {
      last_flush = now;
      flush();
    }
    if (now - last_judged_ >= patience::between_latency_verdicts) {
      last_judged_ = now;
      judge_latency();
    }
    if (now - last_progress_ >= patience::progress) {
      if (progress) progress(make_progress());
      last_progress_ = now;
    }
  }
  flush();
  judge_latency();
  if (progress) progress(make_progress());
  return stop.load() && input_.schedule && binned_.total() < input_.total ? RunResult::End::stopped : RunResult::End::whole;
}

// The end comes in steps, each with a limit: the input is over, every command has its answer, every case is judged.
bool Engine::is_done(const std::atomic<bool>& stop) {
  auto now = steady_clock::now();
  if (stop.load() && stopped_ == steady_clock::time_point()) {
    stopped_ = now;
    if (input_.schedule) input_.inbox.abandon();
  }
  bool stopping = stopped_ != steady_clock::time_point();
  if (phase_ == Phase::running && input_.inbox.drained()) {
    phase_ = Phase::input_over;
    input_ended_ = now;
  }
  if (stopping && phase_ <= Phase::input_over && now - stopped_ > patience::stopped_replay && replayer_.outstanding() > 0) replayer_.give_up("the run was stopped");
  if (phase_ == Phase::input_over) {
    if (replayer_.outstanding() == 0) {
      phase_ = Phase::replay_over;
      replay_ended_ = now;
    } else if (now - std::max(last_answer_, input_ended_) > patience::mute_target) {
      replayer_.give_up(info_.target + ": the target has not answered for " + std::to_string(patience::mute_target.count()) +
                        " s after the recording's end; look at the target, then run again");
    }
  }
  if (phase_ == Phase::replay_over) {
    // A recording's questions may take their time, as long as the servers answer; a live run ends with its traffic.
    const std::size_t open_cases = comparer_.open_cases() + sealed_asked_;
    bool over = stopping || !input_.schedule ? now - replay_ended_ > patience::open_cases : now - std::max(replay_ended_, last_reply_) > patience::silent_questions;
    if (open_cases > 0 && over) comparer_.finish(tap_now(), "the run ended");
    if (open_cases == 0) phase_ = Phase::done;
  }
  return phase_ == Phase::done;
}

void Engine::take_due() {
  for (std::size_t n = 0; n < taken_a_turn; ++n) {
    Arrival* next = input_.inbox.front();
    if (next == nullptr) return;
    CaptureTime due = CaptureClock::now();
    if (auto* exchange = std::get_if<session::Exchange>(next)) {
      if (input_.schedule && !replayer_.gave_up()) {
        due = input_.schedule->due(exchange->request_first);
        if (due > CaptureClock::now() || !replayer_.has_room()) return;
        if (options_.pace.kind == replay::Pace::Kind::flat_out) due = CaptureClock::now();  // no time was promised, so none is late
      }
      session::Exchange taken = std::move(*exchange);
      input_.inbox.pop();
      take(std::move(taken), due);
    } else if (auto* info = std::get_if<session::SessionInfo>(next)) {
      take(std::move(*info));
      input_.inbox.pop();
    } else {
      SessionId ended = std::get<SessionEnded>(*next).session;
      input_.inbox.pop();
      if (our_sessions_.erase(ended) == 0) replayer_.end_session(ended);
      sessions_.erase(ended);
      understanding_.forget(ended);
    }
  }
}

std::chrono::nanoseconds Engine::until_due() {
  std::chrono::nanoseconds wait = std::chrono::milliseconds(50);
  if (Arrival* next = input_.inbox.front()) {
    auto* exchange = std::get_if<session::Exchange>(next);
    if (exchange == nullptr || !input_.schedule || replayer_.gave_up()) return std::chrono::nanoseconds(0);
    if (replayer_.has_room()) wait = std::min(wait, std::max<std::chrono::nanoseconds>(input_.schedule->due(exchange->request_first) - CaptureClock::now(), std::chrono::nanoseconds(0)));
  }
  if (auto question = comparer_.next_due()) wait = std::clamp<std::chrono::nanoseconds>(*question - tap_now(), std::chrono::nanoseconds(0), wait);
  return wait;
}

// A live tap on the reference's port sees our own questions; they are none of production's.
void Engine::note_own_connections() {
  auto note = [&](const client::Asker& asker, const client::ConnectOptions& server) {
    for (const Endpoint& local : asker.local_endpoints())
      for (const Endpoint& address : server.addresses) own_connections_.note({local, address}, CaptureClock::now());
  };
  if (reference_asker_) note(*reference_asker_, *prepared_.reference);
}

void Engine::take(session::SessionInfo&& info) {
  if (!input_.schedule) {
    note_own_connections();
    // What goes to the target is our replay (the target is never production), on a tapped port of another host perhaps.
    const auto& target = prepared_.target.addresses;
    bool to_target = std::find(target.begin(), target.end(), info.server) != target.end();
    if (to_target || own_connections_.contains({info.client, info.server}, info.first_time)) our_sessions_.insert(info.id);
  }
  sessions_[info.id] = std::move(info);
}

void Engine::take(session::Exchange&& exchange, CaptureTime due) {
  if (our_sessions_.contains(exchange.id.session)) return;
  const session::SessionInfo& session = sessions_[exchange.id.session];
  auto meaning = understanding_.of(session, exchange);
  ++taken_;
  using Action = replay::Decision::Action;
  replay::Decision decision = replay::decide(exchange, *meaning, policy_);
  bool sent = decision.action == Action::send || decision.action == Action::send_as_state;
  comparer_.observe(exchange, *meaning, sent ? compare::Replayed::sent : compare::Replayed::not_sent);
  if (exchange.answer.state == mysql::Answer::State::unobserved) {
    bin(store::Bin::unobserved, exchange.answer.why_unobserved, exchange, *meaning, store::Execution::not_compared);
    return;
  }
  replayer_.submit(std::move(exchange), std::move(meaning), due);
}

void Engine::bin(store::Bin bin, const std::string& reason, const session::Exchange& exchange, const sql::Meaning& meaning, store::Execution execution) {
  if (reason.empty()) binned_.add(bin);
  else binned_.add(bin, reason);
  if (session::carries_statement(exchange.command.code) && exchange.command.text_state == mysql::Command::Text::known) {
    writer_.count_execution(meaning.fingerprint, session::to_utf8(meaning.normalized, exchange.collation).text, execution);
  }
}

void Engine::on_outcome(session::Exchange&& exchange, const replay::MeaningPtr& meaning, replay::TargetAnswer&& target) {
  last_answer_ = steady_clock::now();
  bin(store::Bin::compared, "", exchange, *meaning, store::Execution::compared);
  if (session::carries_statement(exchange.command.code) && exchange.command.code != mysql::CommandCode::stmt_prepare) {
    auto microseconds = [](CaptureClock::duration d) { return static_cast<std::uint64_t>(std::max<std::int64_t>(0, to_microseconds(d))); };
    latency_.note(meaning->fingerprint, meaning->statement_class);
    writer_.record_latency(meaning->fingerprint, compare::Side::source, store::Vantage::tap, exchange.request_first, microseconds(exchange.response_last - exchange.request_last));
    writer_.record_latency(meaning->fingerprint, compare::Side::target, store::Vantage::client, exchange.request_first, microseconds(target.last_byte - target.sent));
  }
  compare::Outcome outcome{std::move(target.answer), target.sent + input_.shift, target.first_byte + input_.shift, target.last_byte + input_.shift};
  if (session::is_sealed(exchange.answer)) return compare({std::move(exchange), meaning, std::move(outcome)});
  comparer_.compare(std::move(exchange), *meaning, std::move(outcome), tap_now());
}

void Engine::on_not_sent(session::Exchange&& exchange, const replay::MeaningPtr& meaning, const std::string& reason) {
  bin(store::Bin::skipped, reason, exchange, *meaning, store::Execution::not_compared);
}

void Engine::on_failed(session::Exchange&& exchange, const replay::MeaningPtr& meaning, const std::string& reason) {
  bin(store::Bin::target_failed, reason, exchange, *meaning, store::Execution::not_compared);
  if (reason != "timeout") return;
  compare::Judgement judgement;
  judgement.exchange = exchange.id;
  judgement.provenance = exchange.provenance;
  judgement.time = exchange.request_first;
  judgement.fingerprint = meaning->fingerprint;
  judgement.normalized = session::to_utf8(meaning->normalized, exchange.collation).text;
  JsonWriter evidence, parameters, source;
  evidence.begin_object().member("statement_timeout_us", to_microseconds(options_.limits.statement));
  evidence.member("source_latency_us", to_microseconds(exchange.response_last - exchange.request_last)).end_object();
  judgement.verdicts.push_back({compare::Difference::timeout, compare::Cause::defect, compare::Level::proved, evidence.take()});
  judgement.sql = session::to_utf8(exchange.command.text, exchange.collation).text;
  session::write_parameters(parameters, exchange.command, exchange.collation);
  judgement.parameters = parameters.take();
  session::write_answer(source, exchange.answer, exchange.collation, 20);
  judgement.source_answer = source.take();
  judgement.target_answer = R"({"outcome":"none"})";
  on_judgement(judgement);
}

void Engine::on_shed(session::Exchange&& exchange, const replay::MeaningPtr& meaning) {
  bin(store::Bin::shed, "target_queue_full", exchange, *meaning, store::Execution::not_compared);
}

void Engine::on_gave_up(const std::string& line) {
  if (stopped_ == steady_clock::time_point()) gave_up_ = line;
}

void Engine::on_judgement(compare::Judgement& judgement) {
  if (!judgement.verdicts.empty()) ++mismatches_;
  writer_.add(judgement, file_of(judgement.provenance));
}

void Engine::judge_latency() {
  writer_.set_latency_findings(latency_.judge(writer_));
  writer_.flush();
}

void Engine::ask_what_is_due() {
  while (auto question = comparer_.next_question(tap_now())) {
    auto answered = [this, id = question->id](Expected<client::Reply, std::string>&& reply) {
      if (reply) last_reply_ = std::chrono::steady_clock::now();
      if (reply) comparer_.on_reply(id, compare::Reply(std::move(reply->answer)), tap_now());
      else comparer_.on_reply(id, compare::NoReply{reply.error()}, tap_now());
    };
    if (question->side == compare::Side::target) target_asker_.ask(question->schema, question->collation, std::move(question->command), answered);
    else if (reference_asker_) reference_asker_->ask(question->schema, question->collation, std::move(question->command), answered);
    else comparer_.on_reply(question->id, compare::NoReply{"no reference was given"}, tap_now());
  }
}

void Engine::flush() {
  note_own_connections();
  if (std::uint64_t shed = input_.inbox.shed_exchanges(); shed > recorded_shed_) {
    binned_.add(store::Bin::shed, "input_queue_full", shed - recorded_shed_);
    recorded_shed_ = shed;
  }
  store::Ledger ledger = binned_;
  std::uint64_t known = std::max(input_.total, taken_ + recorded_shed_);
  if (known > binned_.total()) ledger.add(store::Bin::pending, known - binned_.total());
  writer_.set_ledger(ledger);
  for (compare::Side side : {compare::Side::reference, compare::Side::target}) {
    auto count = comparer_.questions(side);
    info_.questions[std::string(compare::to_string(side))] = {count.n, count.time_us};
  }
  info_.target_follows = comparer_.target_follows();
  writer_.set_info(info_);
  writer_.flush();
}

Progress Engine::make_progress() {
  auto now = steady_clock::now();
  Progress progress;
  progress.elapsed = now - started_;
  progress.total = input_.total;
  progress.ledger = binned_;
  progress.mismatches = mismatches_;
  progress.open_cases = comparer_.open_cases();
  progress.questions = comparer_.questions(compare::Side::reference).n + comparer_.questions(compare::Side::target).n;
  std::uint64_t sent = replayer_.counters().sent;
  std::chrono::duration<double> since = now - last_progress_;
  if (since.count() > 0) progress.sent_per_second = static_cast<double>(sent - last_sent_) / since.count();
  last_sent_ = sent;
  progress.lateness_p99_us = replayer_.lateness().quantile(0.99);
  return progress;
}

std::string Engine::file_of(const Provenance& provenance) const {
  return provenance.file < input_.files.size() ? input_.files[provenance.file] : std::string();
}

}  // namespace darktap::run
