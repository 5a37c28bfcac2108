#include "session_strip.h"

#include "base/json.h"
#include "session/render.h"

namespace darktap::compare {

void SessionStrips::drop_first(Strip& strip) {
  bytes_ -= sizeof(Statement) + strip.front().sql.size();
  strip.pop_front();
}

void SessionStrips::observe(const session::Exchange& exchange, const sql::Meaning& meaning) {
  if (exchange.command.text.empty() || exchange.command.code == mysql::CommandCode::stmt_prepare) return;
  auto [entry, fresh] = strips_.try_emplace(exchange.id.session);
  if (fresh) order_.push_back(exchange.id.session);
  Strip& strip = entry->second;
  Statement statement{exchange.id.seq, exchange.collation, meaning.statement_class, meaning.tables_written.empty() ? Statement::Writes::no : Statement::Writes::yes,
                      exchange.command.text.substr(0, strip_sql_bytes)};
  bytes_ += sizeof(Statement) + statement.sql.size();
  strip.push_back(std::move(statement));
  if (strip.size() > max_strip_of_session) drop_first(strip);
  while (bytes_ > max_strip_bytes && order_.size() > 1) {
    auto oldest = strips_.find(order_.front());
    order_.pop_front();
    while (!oldest->second.empty()) drop_first(oldest->second);
    strips_.erase(oldest);
  }
}

std::string SessionStrips::before(session::ExchangeId exchange) {
  passed(exchange);
  JsonWriter json;
  json.begin_array();
  if (auto entry = strips_.find(exchange.session); entry != strips_.end()) {
    for (const Statement& statement : entry->second) {
      if (statement.seq >= exchange.seq) break;
      json.begin_object().member("seq", statement.seq).member("sql", session::to_utf8(statement.sql, statement.collation).text);
      json.member("class", sql::to_string(statement.statement_class)).member("write", statement.writes == Statement::Writes::yes).end_object();
    }
  }
  json.end_array();
  return json.take();
}

void SessionStrips::passed(session::ExchangeId exchange) {
  auto entry = strips_.find(exchange.session);
  if (entry == strips_.end()) return;
  Strip& strip = entry->second;
  while (strip.size() > shown_before && strip[shown_before].seq < exchange.seq) drop_first(strip);
}

}  // namespace darktap::compare
