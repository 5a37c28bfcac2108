// Cursors in a run: their fetches are kept back, and judged with the execute that opened them.
#include "engine.h"

namespace darktap::run {

bool Engine::follow_cursor(const session::Exchange& exchange) {
  using enum mysql::CommandCode;
  const SessionId session = exchange.id.session;
  switch (exchange.command.code) {
    case stmt_fetch: {
      bool is_known = cursors_.fetched(exchange);
      if (is_known) judge_cursors();
      return is_known;
    }
    case stmt_execute: case stmt_close: case stmt_reset: cursors_.close(session, exchange.command.statement_id); break;
    case change_user: case reset_connection: case quit: cursors_.end_session(session); break;
    default: return false;
  }
  judge_cursors();
  return false;
}

void Engine::judge_cursors() {
  while (auto judged = cursors_.next()) judge(std::move(*judged));
}

void Engine::judge(Cursors::Judged&& judged) {
  using How = Cursors::Judged::How;
  static const sql::Meaning no_statement;
  auto bin_fetches = [&](store::Bin bin_, const std::string& reason) {
    for (session::ExchangeId id : judged.fetches) {
      session::Exchange fetch;
      fetch.id = id;
      fetch.command.code = mysql::CommandCode::stmt_fetch;
      bin(bin_, reason, fetch, no_statement, store::Execution::not_compared);
    }
  };
  bin_fetches(judged.how == How::left ? judged.bin : store::Bin::compared, judged.reason);
  if (!judged.meaning) return;  // its execute has its bin already
  last_answer_ = std::chrono::steady_clock::now();
  if (judged.how == How::left) return bin(store::Bin::skipped, judged.reason, judged.exchange, *judged.meaning, store::Execution::not_compared);
  bin(store::Bin::compared, "", judged.exchange, *judged.meaning, store::Execution::compared);
  if (judged.how == How::equal) return comparer_.matched(judged.exchange.id, judged.target.last_byte + input_.shift);
  compare::Outcome outcome{std::move(judged.target.answer), judged.target.sent + input_.shift, judged.target.first_byte + input_.shift, judged.target.last_byte + input_.shift};
  comparer_.compare(std::move(judged.exchange), *judged.meaning, std::move(outcome), tap_now());
}

}  // namespace darktap::run
