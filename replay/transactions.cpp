// Captured transactions at the target: run as they were, or rolled back, and tried again whole where a lock kept them out.
#include <algorithm>

#include "mysql/server_errors.h"
#include "replay/pinning.h"
#include "replayer_state.h"

namespace darktap::replay {
namespace {

namespace server_error = mysql::server_error;
using client::EventLoop;
using client::SessionReply;
using Action = Decision::Action;

constexpr const char* read_only = "target_read_only";
// A command that answers later than this, and than twice what it took at the source, is taken to wait for a lock.
constexpr std::chrono::milliseconds stall_patience{500};
constexpr std::chrono::milliseconds stall_check{100};
constexpr std::chrono::milliseconds after_silence{200};  // what was asked while it was frozen is answered now
constexpr std::chrono::seconds longest_silence{60};  // then they go on, whether or not the target gives a sign of life

// A deadlock, a lock wait, a KILL QUERY or a target that was made read-only says nothing about its answers; nothing where it was none
// of them. One that the source's answer shows, too, is the captured one.
const char* circumstance(const mysql::ServerError* error) {
  if (error == nullptr) return nullptr;
  switch (error->code) {
    case server_error::lock_deadlock: return "lock_conflict: deadlock";
    case server_error::lock_wait_timeout: return "lock_conflict: lock_wait_timeout";
    case server_error::query_interrupted: return "interrupted: query_killed";
    // The option stands in the text alone: --read-only, --super-read-only, --innodb-read-only.
    case server_error::option_prevents_statement: return error->message.find("read-only") != std::string::npos || error->message.find("read_only") != std::string::npos ? read_only : nullptr;
    case server_error::read_only_mode: return read_only;
    default: return nullptr;
  }
}

mysql::Command query(std::string_view sql) {
  mysql::Command command;
  command.code = mysql::CommandCode::query;
  command.text = sql;
  command.text_state = mysql::Command::Text::known;
  return command;
}

// After an error nothing tells: the transaction is as it was, but for a deadlock, which ends it.
bool open_after(const mysql::Answer& answer, bool open_before) {
  if (auto status = answer.last_status()) return (*status & mysql::status_flag::in_transaction) != 0;
  const mysql::ServerError* error = answer.error();
  return open_before && (error == nullptr || error->code != server_error::lock_deadlock);
}

bool begins(const sql::Meaning& meaning) { return meaning.verb == "begin" || meaning.verb == "start transaction"; }

bool sets_autocommit(const sql::Meaning& meaning) {
  return std::any_of(meaning.effects.begin(), meaning.effects.end(), [](const sql::Effect& effect) { return effect.kind == sql::EffectKind::autocommit; });
}

bool is_execution(const session::Exchange& exchange) {
  using enum mysql::CommandCode;
  return exchange.command.code == query || exchange.command.code == stmt_execute || exchange.command.code == stmt_bulk_execute;
}

std::size_t bytes_of(const OpenTransaction::Step& step) {
  std::size_t bytes = sizeof step + step.command.text.size() + step.schema.size();
  for (const mysql::Parameter& parameter : step.command.parameters) bytes += sizeof parameter + parameter.bytes.size();
  return bytes;
}

}  // namespace

// What is sent around a command, or in its place.
void Replayer::State::shape(Lane& lane, Item& item) {
  item.is_shaped = true;
  if (!is_execution(*item.exchange)) return;
  const sql::Meaning& meaning = *item.meaning;
  // A session whose autocommit was set where the tap did not see it: each answer's status tells.
  auto status = item.exchange->answer.last_status();
  bool autocommits = status && (*status & mysql::status_flag::autocommit) != 0;
  if (status && autocommits != lane.autocommits && !sets_autocommit(meaning) && !lane.transaction.open)
    item.before.push_back(autocommits ? "SET autocommit=1" : "SET autocommit=0");
  if (options.policy.writes == Writes::rolled_back) {
    bool ends_by_itself = lane.transaction.open && (begins(meaning) || sets_autocommit(meaning));
    if (ends_by_itself) item.before.push_back("ROLLBACK");
    // Even where the captured one goes on: its BEGIN was before the capture, or was left out. No write goes out of which the
    // server itself does not say that a transaction holds it, and nothing that would commit one.
    if (item.action == Action::write && !lane.transaction.open) item.before.push_back("BEGIN"), item.before_in = client::InTransaction::no;
    if (item.action == Action::write) item.command_in = client::InTransaction::yes;
    if (begins(meaning) || sets_autocommit(meaning)) item.command_in = client::InTransaction::no;
    else if (!item.before.empty() && item.before.front().starts_with("SET autocommit")) item.before_in = client::InTransaction::no;
    if (item.action == Action::transaction && meaning.verb == "commit") {
      bool chains = meaning.normalized.find("chain") != std::string::npos && meaning.normalized.find("no chain") == std::string::npos;
      item.instead = query(chains ? "ROLLBACK AND CHAIN" : "ROLLBACK");
    }
  }
  std::string pin = pin_for(*item.exchange, meaning, options.clock != nullptr ? options.clock->time_of(item.exchange->id) : std::nullopt);
  if (pin.empty()) return;
  if (options.target_clock != TargetClock::its_own) item.before.push_back(std::move(pin));
  else if (item.time == Sent::Time::asked && item.first_id == 0) ++counters.pins_refused;
}

void Replayer::State::follow_source(Lane& lane, const session::Exchange& exchange, const sql::Meaning& meaning) {
  lane.captured_open = open_after(exchange.answer, lane.captured_open);
  bool ends = exchange.command.code == mysql::CommandCode::quit || exchange.command.code == mysql::CommandCode::reset_connection ||
              exchange.command.code == mysql::CommandCode::change_user;
  if (ends || (meaning.statement_class == sql::StatementClass::ddl && exchange.answer.error() == nullptr)) lane.captured_open = false;
}

// A write that was to be rolled back, after which the server says that no transaction is open.
bool Replayer::State::was_committed(const Item& item, const SessionReply& reply) const {
  if (options.policy.writes != Writes::rolled_back || item.action != Action::write || !is_execution(*item.exchange)) return false;
  auto status = reply.reply.answer.last_status();
  return reply.step == SessionReply::Step::command && status && (*status & mysql::status_flag::in_transaction) == 0 && (*status & mysql::status_flag::autocommit) != 0;
}

// Follows the transaction that is open at the target, and keeps what it did.
void Replayer::State::follow_transaction(Lane& lane, const Item& item, const SessionReply& reply) {
  OpenTransaction& transaction = lane.transaction;
  if (reply.before_refused != 0) ++counters.pins_refused;
  if (auto status = reply.reply.answer.last_status()) lane.autocommits = (*status & mysql::status_flag::autocommit) != 0;
  bool was_open = transaction.open;
  bool is_open = open_after(reply.reply.answer, was_open || (!item.before.empty() && item.before.front() == "BEGIN"));
  bool is_new = is_open && (!was_open || begins(*item.meaning));
  if (!is_open || is_new) transaction = {};
  transaction.open = is_open;
  if (is_open && options.order != nullptr && !lane.snapshot && options.order->snapshot_may_move(item.exchange->id)) lane.snapshot = item.exchange->id;
  if (!is_open) return;
  // A single write that is to be rolled back; or the tap lost what ended the source's transaction.
  if (!item.open_after && item.exchange->answer.last_status()) return end_transaction(lane, "COMMIT", false);
  if (options.policy.writes == Writes::rolled_back && item.action == Action::write && !was_open && !item.open_after) return end_transaction(lane, "ROLLBACK", false);

  if (item.action == Action::send || !is_execution(*item.exchange) || !transaction.is_whole) return;
  OpenTransaction::Step step{item.instead.value_or(item.exchange->command), item.schema.value_or(item.exchange->schema), item.exchange->collation, item.before, item.action, item.before_in, item.command_in};
  transaction.bytes += bytes_of(step);
  if (transaction.bytes > OpenTransaction::max_bytes) {
    transaction.is_whole = false;
    transaction.steps.clear();
  } else {
    transaction.steps.push_back(std::move(step));
  }
}

// Errands

void Replayer::State::end_transaction(Lane& lane, std::string_view how, bool redoes_after) {
  lane.errand = Lane::Errand::end_transaction;
  lane.errand_command = query(options.policy.writes == Writes::rolled_back ? "ROLLBACK" : how);
  lane.redoes_after = redoes_after;
}

void Replayer::State::begin_redo(Lane& lane) {
  lane.errand = lane.transaction.steps.empty() ? Lane::Errand::none : Lane::Errand::redo;
  lane.redone = 0;
}

void Replayer::State::start_errand(Lane& lane) {
  if (lane.errand == Lane::Errand::end_transaction) return lane.session->start({&lane.errand_command, {}, 0, {}});
  const OpenTransaction::Step& step = lane.transaction.steps[lane.redone];
  lane.session->start({&step.command, step.schema, step.collation, step.before, step.before_in, step.command_in});
}

void Replayer::State::on_errand_reply(Lane& lane, const SessionReply& reply) {
  const mysql::ServerError* error = reply.reply.answer.error();
  if (lane.errand == Lane::Errand::end_transaction) {
    lane.errand = Lane::Errand::none;
    lane.transaction.open = false;
    if (error != nullptr && options.policy.writes == Writes::rolled_back) lane.session->close(client::ServerSession::Memory::keep);  // which rolls it back
    if (lane.redoes_after) begin_redo(lane);
    else lane.transaction = {};
  } else if (circumstance(error) != nullptr) {
    if (++lane.transaction.tries <= OpenTransaction::max_tries) end_transaction(lane, "ROLLBACK", true);
    else lane.errand = Lane::Errand::none;  // the command in front meets the same lock, or finds the transaction gone
  } else {
    lane.transaction.open = true;
    if (++lane.redone == lane.transaction.steps.size()) lane.errand = Lane::Errand::none;
  }
  give_back(run_next(lane));
  wake_startable();
}

// True where the transaction is being run again, or has failed for good.
bool Replayer::State::try_transaction_again(Lane& lane, const SessionReply& reply) {
  const char* reason = circumstance(reply.reply.answer.error());
  if (reason == nullptr) return false;
  OpenTransaction& transaction = lane.transaction;
  if (transaction.is_whole && transaction.tries < OpenTransaction::max_tries) {
    ++transaction.tries;
    if (reason != read_only) ++counters.retried;
    end_transaction(lane, "ROLLBACK", true);
    start(lane);
    return true;
  }
  if (reason == read_only) ++counters.refused_read_only;
  fail_transaction(lane, reason);
  return true;
}

// The command in front, and what its transaction still does.
void Replayer::State::fail_transaction(Lane& lane, const char* reason) {
  std::vector<Item> failed;
  lane.errand = Lane::Errand::none;
  if (!lane.queue.empty()) {
    failed.push_back(pop(lane));
    fail_rest_of_transaction(lane, failed);
  }
  bool is_open = lane.session && lane.session->connection() != nullptr;
  lane.transaction = {};
  if (is_open) end_transaction(lane, "ROLLBACK", false);
  else lane.autocommits = true;
  release_snapshot(lane);
  std::vector<Item> begun_anew = run_next(lane);
  for (Item& item : failed) {
    fail(item, reason);
    reason = "replay: transaction_lost";
  }
  give_back(std::move(begun_anew));
  wake_startable();
  tell_room();
}

// What the captured transaction still does is taken from the queue; what is still to come, submit() leaves out.
void Replayer::State::fail_rest_of_transaction(Lane& lane, std::vector<Item>& failed) {
  bool goes_on = failed.back().open_after;
  while (goes_on && !lane.queue.empty()) {
    if (!continues_transaction(lane.queue.front())) goes_on = false;
    else failed.push_back(pop(lane)), goes_on = failed.back().open_after;
  }
  lane.skips_transaction = goes_on;
}

bool Replayer::State::continues_transaction(const Item& item) { return item.open_before && !begins(*item.meaning); }

// True where a transaction was open: what is left of it can't be run.
bool Replayer::State::lose_transaction(Lane& lane) {
  bool was_open = lane.transaction.open || lane.errand == Lane::Errand::redo;
  lane.autocommits = true;  // as it is set after each login
  lane.transaction = {};
  lane.errand = Lane::Errand::none;
  release_snapshot(lane);
  return was_open && options.policy.writes != Writes::left_out;
}

// Order by commit

void Replayer::State::done(session::ExchangeId id) {
  if (options.order != nullptr) options.order->ended(id);
}

void Replayer::State::wake_startable() {
  if (options.order == nullptr) return;
  for (SessionId id : options.order->take_startable()) {
    auto found = lanes.find(id);
    if (found != lanes.end() && found->second->phase == Lane::Phase::waiting_for_turn) start(*found->second);
  }
}

bool Replayer::State::has_turn(Lane& lane) {
  if (options.order == nullptr) return true;
  if (options.order->may_start(lane.turn_of.value_or(lane.queue.front().exchange->id))) {
    if (lane.turn_of && lane.transaction.open) {  // its snapshot is to be a newer one
      end_transaction(lane, "ROLLBACK", true);
    }
    lane.turn_of.reset();
    return true;
  }
  if (lane.phase != Lane::Phase::waiting_for_turn) lane.since = EventLoop::Clock::now();
  lane.phase = Lane::Phase::waiting_for_turn;
  if (options.connections != 0 && lane.has_slot && !lane.transaction.open) {
    idle.push_back(lane.id);
    if (!waiting.empty() && slot_timer.value == 0)
      slot_timer = loop.after({}, [this] {
        slot_timer = {};
        serve_waiting();
      });
  }
  if (stall_timer.value == 0) stall_timer = loop.after(stall_check, [this] { check_stall(); });
  return false;
}

// The snapshot of a transaction may move while it has only read: the read that disagrees is then asked in a newer one.
bool Replayer::State::ask_again(Lane& lane, const SessionReply& reply) {
  const Item& item = lane.queue.front();
  bool sees_commits = options.policy.writes != Writes::rolled_back;
  if (options.order == nullptr || !options.agrees || !sees_commits || item.action != Action::send || reply.step != SessionReply::Step::command) return false;
  if (options.agrees(*item.exchange, reply.reply.answer)) return false;
  bool only_read = std::all_of(lane.transaction.steps.begin(), lane.transaction.steps.end(),
                               [](const OpenTransaction::Step& step) { return step.action != Action::write; });
  if (lane.transaction.open && (!only_read || !lane.transaction.is_whole)) return false;
  session::ExchangeId id = lane.snapshot.value_or(item.exchange->id);
  if (!options.order->move_behind_next_commit(id, item.exchange->id)) return false;
  lane.transaction.open = open_after(reply.reply.answer, lane.transaction.open);  // without autocommit, the read itself may have begun it
  lane.turn_of = id;
  start(lane);
  return true;
}

void Replayer::State::release_snapshot(Lane& lane) {
  lane.turn_of.reset();
  if (lane.snapshot) done(*std::exchange(lane.snapshot, std::nullopt));
}

// True where the target is known to answer while commands are late; not asked for for ever.
bool Replayer::State::has_a_sign_of_life() {
  auto now = EventLoop::Clock::now();
  if (sign == Sign::none) stalled_since = now;
  if (!options.ask_for_a_sign || now - stalled_since > longest_silence) return true;
  if (sign == Sign::given) return now - sign_given > after_silence;
  if (sign == Sign::asked_for) return false;
  sign = Sign::asked_for;
  options.ask_for_a_sign([this] {
    if (sign == Sign::asked_for) sign = Sign::given, sign_given = EventLoop::Clock::now();
  });
  return false;
}

// Commands that answer late may wait for a lock of a session whose next command waits for them: one is let go.
void Replayer::State::check_stall() {
  stall_timer = {};
  auto now = EventLoop::Clock::now();
  std::vector<SessionId> holders, others;
  bool is_stalled = true, waits = false, is_under_way = false;
  for (auto& [id, lane] : lanes) {
    if (lane->queue.empty()) continue;
    const session::Exchange& exchange = *lane->queue.front().exchange;
    auto patience = stall_patience + std::max(CaptureClock::duration::zero(), 2 * (exchange.response_last - exchange.request_last));
    bool is_late = now - lane->since > patience;
    if (lane->phase == Lane::Phase::waiting_for_turn) {
      waits = true;
      if (is_late) (lane->transaction.open ? holders : others).push_back(id);
    } else if (lane->phase != Lane::Phase::idle && lane->phase != Lane::Phase::waiting_for_slot) {
      is_under_way = true;
      if (!is_late) is_stalled = false;
    }
  }
  if (!waits || !is_stalled) sign = Sign::none;
  if (!waits) return;
  stall_timer = loop.after(stall_check, [this] { check_stall(); });
  if (!is_stalled || (holders.empty() && others.empty()) || (is_under_way && !has_a_sign_of_life())) return;
  sign = Sign::none;
  if (!options.order->break_stall(holders)) options.order->break_stall(others);
  wake_startable();
}

}  // namespace darktap::replay
