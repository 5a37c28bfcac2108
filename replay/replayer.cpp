#include "replay/replayer.h"

#include <algorithm>
#include <array>

#include "mysql/server_errors.h"
#include "replayer_state.h"
#include "session/request_order.h"

namespace darktap::replay {
namespace {

using client::ConnectFailed;
using client::EventLoop;
using client::Lost;
using client::ServerSession;
using client::SessionReply;

// Errors by which a server says goodbye: no answer to the statement, but the end of the connection.
bool is_goodbye(const mysql::ServerError* error) {
  using namespace mysql::server_error;
  constexpr std::array codes{server_shutdown, normal_shutdown, got_signal, connection_killed, session_was_killed};
  return error != nullptr && std::find(codes.begin(), codes.end(), error->code) != codes.end();
}

bool changes_more_than_schema(const session::Exchange& exchange, const sql::Meaning& meaning) {
  if (exchange.command.code != mysql::CommandCode::query) return false;
  return std::any_of(meaning.effects.begin(), meaning.effects.end(),
                     [](const sql::Effect& effect) { return effect.kind != sql::EffectKind::default_schema; });
}

}  // namespace

// Taking exchanges

void Replayer::State::submit(session::ExchangePtr box, std::size_t bytes, MeaningPtr meaning, CaptureTime intended, Sent&& sent) {
  const session::Exchange& exchange = *box;
  Decision decision = decide(exchange, *meaning, options.policy);
  // Among writes, what is held back has its place too: it may have ended a transaction.
  bool is_held = decision.action == Decision::Action::hold;
  if (is_held && (!replays_writes() || gave_up)) {
    hold(std::move(box), bytes, meaning, decision.reason);
    return wake_startable();
  }
  if (gave_up) return refuse(std::move(box), bytes, meaning, "given_up");
  Lane& lane = lane_of(exchange.id.session);
  bool open_before = lane.captured_open;
  if (replays_writes()) follow_source(lane, exchange, *meaning);
  if (lane.skips_transaction && !is_held && open_before && meaning->verb != "begin" && meaning->verb != "start transaction") {
    done(exchange.id);
    return refuse(std::move(box), bytes, meaning, "replay: transaction_lost");
  }
  lane.skips_transaction = lane.skips_transaction && is_held;
  bool is_over = counters.queued_bytes + bytes > options.queued_bytes;
  if (is_over && options.when_full == ReplayerOptions::WhenFull::shed_session) lane.shedding = Lane::Shedding::yes;
  if (lane.shedding == Lane::Shedding::yes) {
    ++counters.shed;
    done(exchange.id);
    if (lane.phase == Lane::Phase::idle) give_back(run_next(lane));
    sink.on_shed(std::move(*box), meaning);
    return sink.on_released(std::move(box), bytes);
  }
  if (is_over) was_full = true;
  counters.queued_bytes += bytes;
  ++outstanding;
  Item item;
  item.exchange = std::move(box);
  item.meaning = std::move(meaning);
  item.intended = intended;
  item.bytes = bytes;
  item.action = decision.action;
  item.reason = std::move(decision.reason);
  item.open_before = open_before;
  item.open_after = lane.captured_open;
  item.instead = std::move(sent.command);
  if (!decision.sent_text.empty()) {
    if (!item.instead) item.instead = item.exchange->command;
    item.instead->text = std::move(decision.sent_text);
  }
  item.schema = std::move(sent.schema);
  item.time = sent.time;
  item.first_id = sent.first_id;
  lane.queue.push_back(std::move(item));
  if (lane.phase == Lane::Phase::idle) give_back(run_next(lane));
  wake_startable();
}

void Replayer::State::hold(session::ExchangePtr box, std::size_t bytes, const MeaningPtr& meaning, const std::string& reason) {
  ++counters.held;
  done(box->id);
  sink.on_not_sent(std::move(*box), meaning, reason);
  sink.on_released(std::move(box), bytes);
}

void Replayer::State::refuse(session::ExchangePtr box, std::size_t bytes, const MeaningPtr& meaning, const char* reason) {
  ++counters.failed;
  sink.on_failed(std::move(*box), meaning, reason);
  sink.on_released(std::move(box), bytes);
}

Replayer::State::Lane& Replayer::State::lane_of(SessionId id) {
  auto& lane = lanes[id];
  if (!lane) lane = std::make_unique<Lane>(*this, id);
  counters.lanes = lanes.size();
  return *lane;
}

// Running lanes

// Starts the exchange in front, if any. Returns what needed no answer on the way: sessions that begin anew, what is held back.
std::vector<Item> Replayer::State::run_next(Lane& lane) {
  std::vector<Item> begun_anew;
  while (!lane.queue.empty() && lane.errand == Lane::Errand::none) {
    Item& front = lane.queue.front();
    if (front.action == Decision::Action::begin_anew) {
      if (lane.session) lane.session->close(ServerSession::Memory::forget);
      lane.restore = Lane::Restore::possible;
      lose_transaction(lane);
    } else if (front.action != Decision::Action::hold) {
      break;
    } else if (lane.transaction.open && front.open_before && !front.open_after) {
      end_transaction(lane, front.exchange->answer.error() != nullptr || front.exchange->command.code == mysql::CommandCode::quit ? "ROLLBACK" : "COMMIT", false);
      break;
    }
    begun_anew.push_back(pop(lane));
  }
  // What is left out of the session leaves its transaction without an end.
  if (lane.queue.empty() && lane.shedding == Lane::Shedding::yes && lane.transaction.open && lane.errand == Lane::Errand::none) end_transaction(lane, "ROLLBACK", false);
  update_slot(lane);
  if (lane.queue.empty() && lane.errand != Lane::Errand::none) {
    lane.phase = Lane::Phase::running;
    lane.since = EventLoop::Clock::now();
    start_errand(lane);
  } else if (lane.queue.empty()) {
    go_idle(lane);
  } else {
    start(lane);
  }
  return begun_anew;
}

void Replayer::State::give_back(std::vector<Item> begun_anew) {
  for (Item& item : begun_anew) hold(std::move(item.exchange), item.bytes, item.meaning, item.reason);
}

void Replayer::State::start(Lane& lane) {
  open_for(lane, lane.errand == Lane::Errand::none && !lane.queue.empty() ? lane.queue.front().exchange->user : lane.user);
  stop_idling(lane);
  count_idle(lane, false);
  // Its turn before a connection: whoever waits for others must not keep from them what they need.
  if (lane.errand == Lane::Errand::none) {
    if (lane.queue.front().action != Decision::Action::send) release_snapshot(lane);
    if (!has_turn(lane)) return;
  }
  if (lane.session->connection() == nullptr && !has_slot_for(lane)) {
    lane.phase = Lane::Phase::waiting_for_slot;
    waiting.push_back(lane.id);
    return;
  }
  Item& item = lane.queue.front();
  lane.phase = Lane::Phase::running;
  lane.since = EventLoop::Clock::now();
  bool is_new = lane.session->connection() == nullptr;
  if (lane.errand != Lane::Errand::none) {
    start_errand(lane);
  } else {
    if (replays_writes() && !item.is_shaped) shape(lane, item);
    const session::Exchange& exchange = *item.exchange;
    std::string_view schema = item.schema ? *item.schema : exchange.schema.empty() ? std::string_view(session_options->connect.schema) : exchange.schema;
    if (exchange.command.code == mysql::CommandCode::init_db) schema = {};
    if (lane.queue.size() > 1) session::prefetch(*lane.queue[1].exchange);
    session::prefetch_statement(exchange);
    session::prefetch_answer(exchange);
    bool is_kept = item.action == Decision::Action::write || item.action == Decision::Action::transaction;
    if (is_kept && options.note_sending) options.note_sending(exchange.id);
    using Login = client::Request::Login;
    const Login login = item.schema && item.schema->empty() ? Login::into_none : Login::into_schema;
    lane.session->start({item.instead ? &*item.instead : &exchange.command, schema, exchange.collation, item.before, item.before_in, item.command_in, login});
  }
  if (is_new) ++counters.connects;
  update_slot(lane);
}

// The lane's session, logging in for this captured user: it may have become another one (COM_CHANGE_USER).
void Replayer::State::open_for(Lane& lane, const std::string& user) {
  bool is_other = !user_options.empty() && user != lane.user && !lane.transaction.open;
  if (lane.session && !is_other) return;
  auto found = user_options.find(user);
  if (found == user_options.end()) found = user_options.find("*");
  lane.session = std::make_unique<ServerSession>(loop, lane, found == user_options.end() ? session_options : found->second);
  lane.user = user;
  lane.autocommits = true;
  update_slot(lane);
}

void Replayer::State::go_idle(Lane& lane) {
  lane.phase = Lane::Phase::idle;
  if (lane.end == Lane::End::ended) release_snapshot(lane);
  if (lane.end == Lane::End::ended) return bury(lane);
  count_idle(lane, true);
  if (options.connections == 0 || !lane.has_slot) return;
  idle.push_back(lane.id);
  serve_waiting();
}

void Replayer::State::stop_idling(Lane& lane) {
  if (options.connections != 0) idle.remove(lane.id);
}

Item Replayer::State::pop(Lane& lane) {
  Item item = std::move(lane.queue.front());
  lane.queue.pop_front();
  counters.queued_bytes -= item.bytes;
  --outstanding;
  return item;
}

// What comes back

void Replayer::State::on_result(Lane& lane, client::SessionResult&& result) {
  if (auto* failure = std::get_if<ConnectFailed>(&result)) return on_connect_failed(lane, *failure);
  if (auto* loss = std::get_if<Lost>(&result)) return on_lost(lane, *loss);
  heard();
  lane.backoff = first_backoff;
  if (auto* refusal = std::get_if<client::NotSendable>(&result)) {
    if (refusal->why == client::NotSendable::Why::transaction || lane.errand != Lane::Errand::none) {
      // A write that would stay is not sent. What the server makes of its connection, it rolls back with it.
      lane.session->close(ServerSession::Memory::keep);
      return fail_transaction(lane, "replay: transaction_refused");
    }
    Item item = pop(lane);
    std::vector<Item> begun_anew = run_next(lane);
    hold(std::move(item.exchange), item.bytes, item.meaning, "not_sendable: " + refusal->reason);
    give_back(std::move(begun_anew));
    wake_startable();
    return tell_room();
  }
  on_reply(lane, std::move(std::get<SessionReply>(result)));
}

void Replayer::State::on_reply(Lane& lane, SessionReply&& reply) {
  const mysql::ServerError* error = reply.reply.answer.error();
  if (is_goodbye(error)) {
    lane.session->close(ServerSession::Memory::keep);
    return on_lost(lane, {Lost::Kind::closed, ""});
  }
  if (lane.errand != Lane::Errand::none) return on_errand_reply(lane, reply);
  if (replays_writes() && (try_transaction_again(lane, reply) || ask_again(lane, reply))) return wake_startable();
  Item item = pop(lane);
  bool was_kept = replays_writes() && was_committed(item, reply);
  if (replays_writes()) follow_transaction(lane, item, reply);
  bool succeeded = error == nullptr && reply.step == SessionReply::Step::command;
  if (item.action == Decision::Action::send_as_state && succeeded) {
    lane.session->adopt_state();
    if (changes_more_than_schema(*item.exchange, *item.meaning) && !lane.session->remember(item.instead ? item.instead->text : item.exchange->command.text))
      lane.restore = Lane::Restore::impossible;
  }
  if (!lane.snapshot || *lane.snapshot != item.exchange->id) done(item.exchange->id);
  std::vector<Item> begun_anew = run_next(lane);  // the target works on the next one while this one is looked at
  wake_startable();
  ++counters.sent;
  ++counters.answered;
  client::Reply& answer = reply.reply;
  // Ids that stand in the statement are the source's; servers answer with none of them, or with the last.
  if (item.first_id != 0 && succeeded)
    for (mysql::Result& result : answer.answer.results)
      if (auto* ok = std::get_if<mysql::Ok>(&result); ok != nullptr) ok->last_insert_id = item.first_id;
  const std::string statement = was_kept ? item.meaning->normalized : "";
  TargetAnswer outcome{std::move(answer.answer), item.intended, answer.sent, answer.first_byte, answer.last_byte, reply.step, item.time, reply.before_refused};
  if (item.time == Sent::Time::written_in && item.instead) outcome.sent_text = std::move(item.instead->text);
  lateness.record(static_cast<std::uint64_t>(std::max<std::int64_t>(0, to_microseconds(answer.sent - item.intended))));
  sink.on_outcome(std::move(*item.exchange), item.meaning, std::move(outcome));
  sink.on_released(std::move(item.exchange), item.bytes);
  give_back(std::move(begun_anew));
  tell_room();
  if (was_kept)
    give_up(session_options->connect.name + ": no transaction was open any more after a write, so that with --sandbox rollback it may have stayed (" + statement +
            "); nothing more is sent: restore the target's tables, and leave this statement out");
}

void Replayer::State::on_lost(Lane& lane, const Lost& loss) {
  ++counters.lost;
  update_slot(lane);
  if (lane.queue.empty()) {  // it was on an errand
    lose_transaction(lane);
    give_back(run_next(lane));
    return wake_startable();
  }
  ++counters.sent;
  std::vector<Item> failed;
  failed.push_back(pop(lane));
  bool in_transaction = lose_transaction(lane);
  if (lane.restore == Lane::Restore::impossible)
    while (!lane.queue.empty() && lane.queue.front().action != Decision::Action::begin_anew) failed.push_back(pop(lane));
  const char* rest = in_transaction ? "replay: transaction_lost" : "replay: session_state_lost";
  if (in_transaction) fail_rest_of_transaction(lane, failed);
  std::vector<Item> begun_anew = run_next(lane);
  const char* reason = loss.kind == Lost::Kind::timed_out ? "timeout" : loss.kind == Lost::Kind::closed ? "connection_lost" : "answer_unreadable";
  for (Item& item : failed) {
    fail(item, reason);
    reason = rest;
  }
  give_back(std::move(begun_anew));
  wake_startable();
  tell_room();
}

void Replayer::State::on_closed(Lane& lane) {
  stop_idling(lane);
  update_slot(lane);
  if (lose_transaction(lane)) lane.skips_transaction = lane.captured_open;
  serve_waiting();
}

void Replayer::State::fail(Item& item, const char* reason) {
  if (!item.reason.empty()) return hold(std::move(item.exchange), item.bytes, item.meaning, item.reason);
  done(item.exchange->id);
  refuse(std::move(item.exchange), item.bytes, item.meaning, reason);
}

void Replayer::State::heard() {
  options.heartbeat->last.store(EventLoop::Clock::now().time_since_epoch(), std::memory_order_relaxed);
  failing_since.reset();
}

std::optional<EventLoop::Clock::time_point> Replayer::State::last_heard() const {
  auto last = options.heartbeat->last.load(std::memory_order_relaxed);
  if (last == EventLoop::Clock::duration::zero()) return std::nullopt;
  return EventLoop::Clock::time_point(last);
}

void Replayer::State::count_idle(Lane& lane, bool is_idle) {
  if (lane.is_idle == is_idle) return;
  lane.is_idle = is_idle;
  is_idle ? ++counters.idle_lanes : --counters.idle_lanes;
}

Replayer::Replayer(EventLoop& loop, ReplaySink& sink, const ReplayerOptions& options)
    : state_(std::make_unique<State>(loop, sink, options)) {}
Replayer::~Replayer() = default;

void Replayer::submit(session::Exchange&& exchange, MeaningPtr meaning, CaptureTime intended, Sent sent) {
  std::size_t bytes = session::memory_of(exchange);
  submit(std::make_unique<session::Exchange>(std::move(exchange)), bytes, std::move(meaning), intended, std::move(sent));
}
void Replayer::submit(session::ExchangePtr exchange, std::size_t bytes, MeaningPtr meaning, CaptureTime intended, Sent sent) {
  state_->submit(std::move(exchange), bytes, std::move(meaning), intended, std::move(sent));
}
void Replayer::pass_over(session::ExchangeId id) {
  state_->done(id);
  state_->wake_startable();
}
bool Replayer::is_starved() const {
  return std::none_of(state_->lanes.begin(), state_->lanes.end(), [](const auto& entry) {
    using Phase = State::Lane::Phase;
    return entry.second->phase != Phase::idle && entry.second->phase != Phase::waiting_for_turn;
  });
}
void Replayer::end_session(SessionId session) { state_->end_session(session); }
bool Replayer::has_room() const { return !state_->was_full; }
std::size_t Replayer::outstanding() const { return state_->outstanding; }
bool Replayer::gave_up() const { return state_->gave_up; }
void Replayer::give_up(const std::string& line) { state_->give_up(line); }
const Replayer::Counters& Replayer::counters() const { return state_->counters; }
const Histogram& Replayer::lateness() const { return state_->lateness; }

bool Replayer::owns(const Endpoint& local) const {
  return std::any_of(state_->lanes.begin(), state_->lanes.end(), [&](const auto& entry) {
    const ServerSession* session = entry.second->session.get();
    return session != nullptr && session->connected() && session->connection()->local_endpoint() == local;
  });
}

}  // namespace darktap::replay
