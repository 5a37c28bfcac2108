#include "engine.h"

#include <algorithm>

#include "compare/match.h"

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
  if (options.aa) result.sides = compare::ComparerOptions::Sides::alike;
  result.questions_per_second = options.judging.questions_per_second;
  result.questions_per_fingerprint_minute = options.judging.questions_per_fingerprint_minute;
  result.accepted_rules = options.judging.accepted_rules;
  using Own = compare::ComparerOptions::OwnWrites;
  result.own_writes = options.writes.kept == replay::Writes::left_out ? Own::none : options.order == replay::Order::commit ? Own::as_committed : Own::in_any_order;
  if (prepared.isolation == replay::OrderOptions::Isolation::read_committed) result.isolation = compare::ComparerOptions::Isolation::read_committed;
  if (prepared.target_is_vtgate) result.gtids = compare::ComparerOptions::Gtids::not_asked;
  if (input.schedule) result.patience = std::chrono::minutes(10);
  return result;
}

client::AskerOptions asker_options(const client::ConnectOptions& connect) {
  client::AskerOptions options;
  options.session.connect = connect;
  options.session.connect.kept.kept_rows = kept_rows_of_questions;
  return options;
}

// Flat out, this much is read ahead for each session: they advance at different speeds, and each needs its next command.
constexpr std::size_t ahead_a_session = 8U << 10, ahead_at_least = std::size_t{1} << 20;
constexpr std::chrono::microseconds gathering_flat_out{4000};  // of results on a worker: nobody waits for them

replay::WritePolicy write_policy(const RunOptions& options, const Prepared& prepared) {
  using Reads = replay::WritePolicy::Reads;
  return {options.allowed, options.writes.kept, options.writes.reads_too ? Reads::sent : Reads::left_out, prepared.cannot_roll_back};
}

// An order is one for all sessions: they are replayed where it is kept, on the run's own loop.
WorkersOptions workers_options(const RunOptions& options, const Prepared& prepared, const EngineInput& input, replay::OrderByCommit* order) {
  WorkersOptions result;
  if (order != nullptr) result.threads = WorkersOptions::no_threads;
  result.replay.session.connect = prepared.target;
  result.replay.users = prepared.users;
  result.replay.policy = write_policy(options, prepared);
  if (options.writes.kept != replay::Writes::left_out) result.replay.session.settings = {"SET SESSION autocommit = 1"};
  result.replay.order = order;
  result.replay.clock = input.clock;
  if (input.journal != nullptr) result.replay.note_sending = [journal = input.journal](session::ExchangeId id) { journal->note(id); };
  result.replay.target_clock = prepared.clock;
  result.replay.agrees = [](const session::Exchange& exchange, const mysql::Answer& answer) { return session::is_sealed(exchange.answer) || opens_cursor(exchange) || compare::same_answer(exchange.answer, answer); };
  result.replay.give_up_after = options.limits.connect;
  result.replay.connections = options.limits.connections;
  using WhenFull = replay::ReplayerOptions::WhenFull;
  result.replay.when_full = input.schedule ? WhenFull::ask_to_wait : WhenFull::shed_session;
  result.queued_bytes = options.limits.queued_bytes;
  if (input.schedule && options.pace.kind == replay::Pace::Kind::flat_out) {
    result.busy_bytes = std::max(ahead_at_least, input.sessions * ahead_a_session);
    result.gathering = gathering_flat_out;
  }
  return result;
}

WorkersOptions with_sign_of_life(WorkersOptions options, client::Asker& target) {
  if (options.replay.order == nullptr) return options;
  options.replay.ask_for_a_sign = [&target](std::function<void()> given) {
    mysql::Command question;
    question.code = mysql::CommandCode::query;
    question.text = "SELECT 1";
    question.text_state = mysql::Command::Text::known;
    target.ask("", 0, std::move(question), [given = std::move(given)](Expected<client::Reply, std::string>&& reply) {
      if (reply) given();
    });
  };
  return options;
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
      policy_(write_policy(options, prepared_)),
      comparer_(*this, comparer_options(options, prepared_, input_), prepared_.catalogue),
      target_asker_(loop, asker_options(prepared_.target)),
      order_(options.order == replay::Order::commit ? std::make_unique<replay::OrderByCommit>(replay::OrderOptions{prepared_.isolation}, &prepared_.catalogue) : nullptr),
      replayer_(loop, *this, with_sign_of_life(workers_options(options, prepared_, input_, order_.get()), target_asker_)),
      latency_(loop, prepared_.target, options.latency, paced_as_production(options, input_)),
      explain_(target_asker_, reference_asker_, prepared_.reference_is_source ? ExplainWatch::Sides::target : ExplainWatch::Sides::both, options.judging.questions_per_second,
               prepared_.target_is_vtgate ? ExplainWatch::TargetKind::vtgate : ExplainWatch::TargetKind::server),
      calibration_(comparer_, reference_asker_, options.judging.calibrate),
      look_ahead_(input_.inbox, prepared_.catalogue, order_.get(), policy_),
      breaker_(options.breaker),
      vitals_(target_asker_, options.breaker) {
  understanding_.also_read_by(prepared_.servers);
  if (prepared_.reference) reference_asker_.emplace(loop, asker_options(*prepared_.reference));
  started_ = last_answer_ = last_progress_ = last_judged_ = steady_clock::now();
  began_ = CaptureClock::now();
  if (input_.resumed) {
    binned_ = input_.resumed->ledger;
    positions_ = input_.resumed->positions;
  }
  writer_.before_flush([this] { tell_writer(); });
}

Engine::~Engine() { writer_.before_flush({}); }

RunResult::End Engine::run(const std::atomic<bool>& stop, const OnProgress& progress) {
  auto last_flush = steady_clock::now();
  writer_.flush();  // how much there is to do, for whoever resumes it
  while (!is_done(stop)) {
    take_due();
    replayer_.flush();
    replayer_.drain();
    ask_what_is_due();
    latency_.turn(tap_now());
    explain_.turn(writer_);
    calibration_.turn(tap_now());
    loop_.run_once(until_due());
    auto now = steady_clock::now();
    if (now - last_flush >= patience::flush) {
      last_flush = now;
      flush();
    }
    if (now - last_judged_ >= patience::between_latency_verdicts) {
      last_judged_ = now;
      judge_latency();
      explain_.begin(ExplainWatch::Round::between);
    }
    if (now - last_progress_ >= patience::progress) {
      look_at_target();
      if (progress) progress(info_.id, make_progress());
      last_progress_ = now;
    }
  }
  flush();
  judge_latency();
  explain_findings();
  if (progress) progress(info_.id, make_progress());
  tell_of_writes();
  tell_of_variables();
  if (options_.tell && calibration_.asked() > 0)
    options_.tell("calibration: " + std::to_string(calibration_.asked()) + " reads were asked twice of the reference; " + std::to_string(calibration_.noisy()) + " statements answered differently, and are sampled closely");
  return (stop.load() || !limit_broken_.empty()) && input_.schedule && binned_.total() < input_.total ? RunResult::End::stopped : RunResult::End::whole;
}

// The end comes in steps, each with a limit: the input is over, every command has its answer, every case is judged.
bool Engine::is_done(const std::atomic<bool>& stop) {
  auto now = steady_clock::now();
  if ((stop.load() || !limit_broken_.empty()) && stopped_ == steady_clock::time_point()) {
    stopped_ = now;
    if (input_.schedule) {
      input_.inbox.abandon();
      look_ahead_.abandon();
    }
  }
  bool stopping = stopped_ != steady_clock::time_point();
  if (phase_ == Phase::running && look_ahead_.drained()) {
    phase_ = Phase::input_over;
    input_ended_ = now;
    cursors_.end();
    judge_cursors();
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
    // Nor does it wait for what the budget of a statement allows much later.
    auto allowed = over || sealed_asked_ > 0 ? std::nullopt : comparer_.next_allowed(tap_now());
    if (allowed && *allowed - tap_now() > patience::silent_questions) comparer_.finish(tap_now(), "the budget of questions was spent");
    if (open_cases == 0) phase_ = Phase::done;
  }
  return phase_ == Phase::done;
}

void Engine::look_at_target() {
  replay::Replayer::Counters counters = replayer_.counters();
  Breaker::Look look;
  look.commands = counters.sent - looked_commands_;
  look.errors = errors_ - looked_errors_;
  if (second_latency_.count() > 0) look.latency_p95 = std::chrono::microseconds(second_latency_.quantile(0.95));
  looked_commands_ = counters.sent;
  looked_errors_ = errors_;
  second_latency_ = {};
  vitals_.tell(look);
  vitals_.ask();
  auto now = steady_clock::now();
  switch (breaker_.look(look, now)) {
    case Breaker::Advice::go_on: break;
    case Breaker::Advice::ease_off: eased_until_ = now + patience::progress; break;
    case Breaker::Advice::stop: limit_broken_ = info_.target + ": " + breaker_.reason() + "; the run was eased off and is stopped"; break;
  }
}

void Engine::take_due() {
  if (steady_clock::now() < eased_until_ && !replayer_.gave_up()) return;
  for (std::size_t n = 0; n < taken_a_turn; ++n) {
    Arrival* next = look_ahead_.front();
    if (next == nullptr) return;
    const CaptureTime now = CaptureClock::now();
    CaptureTime due = now;
    if (auto* box = std::get_if<session::ExchangePtr>(next)) {
      const session::Exchange* exchange = box->get();
      if (input_.schedule && !replayer_.gave_up()) {
        bool is_wanted = options_.selection.wants_time(exchange->request_first) && !is_done_already(*exchange);
        if (is_wanted && input_.resumed && begun_ == Begun::no) {  // the run's clock goes on from the first that is missing
          begun_ = Begun::yes;
          input_.schedule->begin_at(exchange->request_first, CaptureClock::now());
          input_.shift = exchange->request_first - CaptureClock::now();
        }
        if (is_wanted) due = input_.schedule->due(exchange->request_first);
        if (due > now + replayer_.ahead() || !replayer_.has_room()) return;
        if (options_.pace.kind == replay::Pace::Kind::flat_out) due = now;  // no time was promised, so none is late
      }
      session::ExchangePtr taken = std::move(*box);
      look_ahead_.pop();
      take(std::move(taken), due);
    } else if (auto* info = std::get_if<std::unique_ptr<session::SessionInfo>>(next)) {
      take(std::move(**info));
      look_ahead_.pop();
    } else {
      SessionId ended = std::get<SessionEnded>(*next).session;
      look_ahead_.pop();
      if (our_sessions_.erase(ended) == 0) replayer_.end_session(ended);
      cursors_.end_session(ended);
      judge_cursors();
      sessions_.erase(ended);
      understanding_.forget(ended);
      variables_.end(ended);
    }
  }
}

std::chrono::nanoseconds Engine::until_due() {
  std::chrono::nanoseconds wait = std::chrono::milliseconds(50);
  if (steady_clock::now() < eased_until_ && !replayer_.gave_up()) return std::chrono::milliseconds(20);
  if (Arrival* next = look_ahead_.front()) {
    auto* box = std::get_if<session::ExchangePtr>(next);
    const session::Exchange* exchange = box != nullptr ? box->get() : nullptr;
    if (exchange == nullptr || !input_.schedule || replayer_.gave_up()) return std::chrono::nanoseconds(0);
    if (!options_.selection.wants_time(exchange->request_first) || is_done_already(*exchange)) return std::chrono::nanoseconds(0);
    if (replayer_.has_room()) wait = std::min(wait, std::max<std::chrono::nanoseconds>(input_.schedule->due(exchange->request_first) - replayer_.ahead() - CaptureClock::now(), std::chrono::nanoseconds(0)));
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
  if (!prepared_.map.is_empty()) servers_[info.id] = to_string(info.server);
  const bool is_known = info.join == session::SessionInfo::Join::from_login || !info.settings.empty();
  if (!is_known) ++joined_;
  comparer_.note_session(info.id, to_string(info.client.address), is_known ? compare::Comparer::Settings::known : compare::Comparer::Settings::unknown);
  sessions_[info.id] = std::move(info);
}

void Engine::take(session::ExchangePtr box, CaptureTime due) {
  session::Exchange& exchange = *box;
  if (our_sessions_.contains(exchange.id.session)) return;
  session::SessionInfo& session = sessions_[exchange.id.session];
  if (!session.settings.empty()) restore_settings(session, exchange, due);
  const sql::Dialect dialect = prepared_.map.is_empty() ? sql::Dialect() : understanding_.dialect(session, exchange);
  auto meaning = understanding_.of(session, exchange);
  variables_.note(exchange, *meaning);
  ++taken_;
  using Action = replay::Decision::Action;
  replay::Decision decision = replay::decide(exchange, *meaning, policy_);
  note_variables_left(decision, *meaning);
  if (is_done_already(exchange)) {
    // A read that is done is not sent again, so that FOUND_ROWS() and its like miss it; what was written is there, or was rolled back.
    bool is_state = decision.action == Action::send_as_state || decision.action == Action::begin_anew;
    comparer_.observe(exchange, *meaning, decision.action == Action::write || is_state ? replayed(exchange.id, decision, *meaning) : compare::Replayed::not_sent);
    lost_transaction(exchange, *meaning);
    if (input_.resumed->unsure.contains(exchange.id)) comparer_.lost(exchange.id);
    if (!is_state || input_.resumed->positions.is_whole(exchange.id.session, input_.resumed->exchanges[exchange.id.session])) return replayer_.pass_over(exchange.id);
    std::string left;
    replay::Sent sent = under_its_names(exchange, *meaning, dialect, decision, left);
    if (!left.empty()) return replayer_.pass_over(exchange.id);
    again_.insert(exchange.id);
    stand_where_captured(session, exchange, *meaning, sent);
    return replayer_.submit(std::move(box), std::move(meaning), due, std::move(sent));
  }
  if (follow_cursor(exchange)) return replayer_.pass_over(exchange.id);
  std::string left = left_out(exchange, *meaning, decision.action, due);
  replay::Sent sent;
  if (left.empty() && decision.is_sent() && exchange.is_observed()) sent = under_its_names(exchange, *meaning, dialect, decision, left);
  if (left.empty() && decision.action == Action::write && prepared_.clock != replay::TargetClock::told) write_time_in(exchange, *meaning, sent);
  bool is_lost = left.empty() && lost_transaction(exchange, *meaning) && decision.is_sent();
  comparer_.observe(exchange, *meaning, !left.empty() || is_lost ? compare::Replayed::not_sent : replayed(exchange.id, decision, *meaning));
  if (exchange.answer.state == mysql::Answer::State::unobserved) {
    replayer_.pass_over(exchange.id);
    bin(store::Bin::unobserved, exchange.answer.why_unobserved, exchange, *meaning, store::Execution::not_compared);
    return;
  }
  if (!left.empty() || is_lost) {
    replayer_.pass_over(exchange.id);
    if (is_lost) comparer_.lost(exchange.id);  // what its first part wrote was rolled back with the connection
    return bin(is_lost ? store::Bin::target_failed : store::Bin::skipped, is_lost ? "replay: transaction_lost" : left, exchange, *meaning, store::Execution::not_compared);
  }
  if (decision.is_sent() && opens_cursor(exchange)) cursors_.open(exchange);
  if (!sent.schema && !sent.command) explain_.note(exchange, *meaning);  // under its own names there, no plan is asked
  calibration_.note(exchange, *meaning);
  stand_where_captured(session, exchange, *meaning, sent);
  replayer_.submit(std::move(box), std::move(meaning), due, std::move(sent));
}

bool Engine::lost_transaction(const session::Exchange& exchange, const sql::Meaning& meaning) {
  if (!input_.resumed || policy_.writes == replay::Writes::left_out) return false;
  SessionId session = exchange.id.session;
  if (meaning.verb == "begin" || meaning.verb == "start transaction") open_when_stopped_.erase(session);
  bool was_open = open_when_stopped_.contains(session);
  bool is_done = is_done_already(exchange);
  if (auto status = exchange.answer.last_status()) {
    bool is_open = (*status & mysql::status_flag::in_transaction) != 0;
    if (!is_open) open_when_stopped_.erase(session);
    else if (is_done) open_when_stopped_.insert(session);
  }
  return was_open && !is_done;
}

compare::Replayed Engine::replayed(session::ExchangeId id, const replay::Decision& decision, const sql::Meaning& meaning) const {
  using compare::Replayed;
  if (!decision.is_sent()) return Replayed::not_sent;
  if (decision.action != replay::Decision::Action::write) return Replayed::sent;
  if (policy_.writes == replay::Writes::rolled_back) return Replayed::rolled_back;
  if (!compare::drawn_values(meaning).empty()) return Replayed::applied_anew;
  return input_.clock != nullptr && input_.clock->knows_exactly(id) ? Replayed::applied : Replayed::applied_about_then;
}

const char* Engine::left_out(const session::Exchange& exchange, const sql::Meaning& meaning, replay::Decision::Action action, CaptureTime due) const {
  const Selection& selection = options_.selection;
  using Action = replay::Decision::Action;
  bool is_state = action == Action::send_as_state || action == Action::begin_anew || action == Action::transaction;
  if (!selection.is_all()) {
    // A session's state comes along from before the window, and whichever statements are wanted.
    bool is_past = selection.to && exchange.request_first >= *selection.to;
    bool wanted = selection.wants_session(exchange) && !is_past;
    if (!is_state) wanted = wanted && selection.wants_time(exchange.request_first) && selection.wants_statement(meaning.fingerprint);
    if (!wanted) return "not_selected";
  }
  // Whose login was not seen is nobody's.
  if (!prepared_.users.empty() && !prepared_.users.contains(exchange.user) && !prepared_.users.contains("*")) return "user_not_mapped";
  if (options_.ramp && !options_.ramp->admits(exchange.id.session, due - began_)) return "ramp";
  return "";
}

const std::string& Engine::server_of(SessionId session) const {
  static const std::string unknown;
  auto found = servers_.find(session);
  return found == servers_.end() ? unknown : found->second;
}

replay::Sent Engine::under_its_names(const session::Exchange& exchange, const sql::Meaning& meaning, const sql::Dialect& dialect, const replay::Decision& decision, std::string& left) const {
  if (prepared_.map.is_empty() && policy_.writes != replay::Writes::redirected) return {};
  const std::string& server = server_of(exchange.id.session);
  auto sent = prepared_.map.apply(server, exchange.schema, exchange.command, meaning, dialect);
  if (!sent) left = sent.error();
  // Each write must end where it may: on a copy, or on a table that a ROLLBACK brings back.
  if (decision.action == replay::Decision::Action::write && meaning.statement_class == sql::StatementClass::write) {
    if (policy_.writes == replay::Writes::redirected && meaning.tables_written.empty()) left = "not_redirected";
    for (const sql::TableName& table : meaning.tables_written) {
      sql::QualifiedName there = prepared_.map.table(server, {table.schema.empty() ? exchange.schema : table.schema, table.name});
      if (policy_.writes == replay::Writes::redirected && !prepared_.map.is_copy(there.first)) left = "not_redirected: " + there.first;
      if (policy_.writes == replay::Writes::rolled_back && policy_.keeps(there)) left = "not_transactional: " + there.first + "." + there.second;
    }
  }
  return sent ? std::move(*sent) : replay::Sent();
}

void Engine::ask_what_is_due() {
  while (auto question = comparer_.next_question(tap_now())) {
    auto answered = [this, id = question->id](Expected<client::Reply, std::string>&& reply) {
      if (reply) last_reply_ = std::chrono::steady_clock::now();
      if (reply) comparer_.on_reply(id, compare::Reply(std::move(reply->answer)), tap_now(), reply->sent + input_.shift);
      else comparer_.on_reply(id, compare::NoReply{reply.error()}, tap_now());
    };
    client::Variables variables = variables_.of(question->about);
    variables.merge(question->variables);
    if (question->side == compare::Side::target && !prepared_.map.is_empty()) {
      const sql::Dialect dialect = session::dialect_of("", question->collation);
      auto sent = prepared_.map.apply(server_of(question->about.session), question->schema, question->command, sql::understand(question->command.text, dialect), dialect);
      if (!sent) {
        comparer_.on_reply(question->id, compare::NoReply{"the target has other names: " + sent.error()}, tap_now());
        continue;
      }
      target_asker_.ask(sent->schema.value_or(question->schema), question->collation, sent->command ? std::move(*sent->command) : std::move(question->command), answered, std::move(variables));
    } else if (question->side == compare::Side::target) target_asker_.ask(question->schema, question->collation, std::move(question->command), answered, std::move(variables));
    else if (reference_asker_) reference_asker_->ask(question->schema, question->collation, std::move(question->command), answered, std::move(variables));
    else comparer_.on_reply(question->id, compare::NoReply{"no reference was given"}, tap_now());
  }
}

}  // namespace darktap::run
