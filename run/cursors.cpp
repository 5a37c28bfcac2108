#include "run/cursors.h"

#include <algorithm>
#include <utility>

#include "session/row_seal.h"

namespace darktap::run {

namespace {

constexpr std::uint8_t cursor_type = 0x07;  // read only, for update, scrollable; the other flags speak of parameters

const mysql::ResultSet* rows_of(const session::Exchange& exchange) {
  return exchange.answer.results.size() == 1 ? exchange.answer.first_rows() : nullptr;
}

// Are the capture's rows the first of the target's? Both come in the binary protocol, in which the same row has the same bytes.
bool is_beginning(const mysql::ResultSet& seen, bool has_all, const mysql::Answer& target) {
  const mysql::ResultSet* there = target.first_rows();
  if (!has_all || there == nullptr || target.error() != nullptr || there->format != seen.format || there->rows.size() < seen.rows.size()) return false;
  if (there->columns.size() != seen.columns.size()) return false;
  for (std::size_t i = 0; i < seen.rows.size(); ++i) {
    auto here = mysql::decode_row(seen.rows.row(i), seen.columns, seen.format), other = mysql::decode_row(there->rows.row(i), there->columns, there->format);
    if (!here || !other || *here != *other) return false;
  }
  return true;
}

}  // namespace

bool opens_cursor(const session::Exchange& exchange) {
  if (exchange.command.code != mysql::CommandCode::stmt_execute || (exchange.command.cursor_flags & cursor_type) == 0) return false;
  const mysql::ResultSet* rows = rows_of(exchange);
  return rows != nullptr && rows->row_count() == 0 && (rows->status & mysql::status_flag::cursor_exists) != 0;
}

void Cursors::open(const session::Exchange& execute) {
  close(execute.id.session, execute.command.statement_id);
  Cursor cursor;
  cursor.execute = execute.id;
  cursor.rows = *rows_of(execute);
  cursor.last = execute.response_last;
  open_.emplace(Key{execute.id.session, execute.command.statement_id}, std::move(cursor));
}

bool Cursors::fetched(const session::Exchange& fetch) {
  auto entry = open_.find({fetch.id.session, fetch.command.statement_id});
  if (entry == open_.end()) return false;
  Cursor& cursor = entry->second;
  if (kept_fetches_ >= limits_.fetches) {
    cursor.has_all_rows = false;
    return false;
  }
  cursor.fetches.push_back(fetch.id);
  ++kept_fetches_;
  const mysql::ResultSet* more = rows_of(fetch);
  if (!fetch.is_observed() || more == nullptr) {
    cursor.has_lost = true;
    return true;
  }
  if (session::is_sealed(fetch.answer)) cursor.has_all_rows = false;
  cursor.last = fetch.response_last;
  cursor.has_all_rows = cursor.has_all_rows && more->all_rows_kept();
  for (std::size_t i = 0; i < more->rows.size() && cursor.has_all_rows; ++i) {
    Bytes row = more->rows.row(i);
    const bool fits = cursor.rows.rows.size() < limits_.rows && cursor.bytes + row.size() <= limits_.bytes && kept_bytes_ + row.size() <= limits_.all_bytes;
    const bool is_kept = !cursor.rows.streamed && fits;
    cursor.rows.add(row, is_kept ? mysql::ResultSet::Keep::yes : mysql::ResultSet::Keep::no);
    if (!is_kept) continue;
    cursor.bytes += row.size();
    kept_bytes_ += row.size();
  }
  cursor.rows.warnings = more->warnings;
  if ((more->status & mysql::status_flag::last_row_sent) == 0) return true;
  cursor.is_whole = true;
  cursor.rows.status = more->status;
  shut(entry);
  return true;
}

void Cursors::close(SessionId session, std::uint32_t statement) {
  if (auto entry = open_.find({session, statement}); entry != open_.end()) shut(entry);
}

void Cursors::end_session(SessionId session) {
  for (auto entry = open_.lower_bound({session, 0}); entry != open_.end() && entry->first.first == session;) shut(entry++);
}

void Cursors::end() {
  while (!open_.empty()) shut(open_.begin());
}

// Nothing more comes of it; it is judged once the target has answered.
void Cursors::shut(Entry entry) {
  Cursor cursor = std::move(entry->second);
  open_.erase(entry);
  cursor.is_closed = true;
  if (cursor.replayed) return finish(std::move(cursor));
  session::ExchangeId execute = cursor.execute;
  closed_.emplace(execute, std::move(cursor));
}

void Cursors::answered(session::Exchange&& execute, const replay::MeaningPtr& meaning, replay::TargetAnswer&& target) {
  auto entry = open_.find({execute.id.session, execute.command.statement_id});
  if (entry != open_.end() && entry->second.execute == execute.id) {
    entry->second.replayed = Cursor::Replay{std::move(execute), meaning, std::move(target)};
    return;
  }
  auto shut = closed_.find(execute.id);
  if (shut == closed_.end()) return;
  Cursor cursor = std::move(shut->second);
  closed_.erase(shut);
  cursor.replayed = Cursor::Replay{std::move(execute), meaning, std::move(target)};
  finish(std::move(cursor));
}

void Cursors::drop(const session::Exchange& execute, store::Bin bin, const std::string& reason) {
  auto release = [&](Cursor&& cursor) {
    kept_bytes_ -= cursor.bytes;
    kept_fetches_ -= cursor.fetches.size();
    Judged judged;
    judged.how = Judged::How::left;
    judged.fetches = std::move(cursor.fetches);
    judged.reason = reason;
    judged.bin = bin;
    judged_.push_back(std::move(judged));
  };
  auto entry = open_.find({execute.id.session, execute.command.statement_id});
  if (entry != open_.end() && entry->second.execute == execute.id) {
    release(std::move(entry->second));
    open_.erase(entry);
  } else if (auto shut = closed_.find(execute.id); shut != closed_.end()) {
    release(std::move(shut->second));
    closed_.erase(shut);
  }
}

void Cursors::finish(Cursor&& cursor) {
  kept_bytes_ -= cursor.bytes;
  kept_fetches_ -= cursor.fetches.size();
  Judged judged;
  judged.exchange = std::move(cursor.replayed->exchange);
  judged.meaning = std::move(cursor.replayed->meaning);
  judged.target = std::move(cursor.replayed->target);
  judged.fetches = std::move(cursor.fetches);
  const bool all_kept = cursor.rows.all_rows_kept();
  using How = Judged::How;
  auto leave = [&](const char* reason) {
    judged.how = How::left;
    judged.bin = store::Bin::skipped;
    judged.reason = reason;
  };
  if (cursor.has_lost) leave(fetch_unobserved);
  else if (!cursor.has_all_rows) leave(not_kept);
  else if (judged.target.answer.error() != nullptr || cursor.is_whole) judged.how = How::whole;
  else if (judged.meaning->order.guarantee == sql::OrderGuarantee::total && is_beginning(cursor.rows, all_kept, judged.target.answer)) judged.how = How::equal;
  else leave(closed_early);
  judged.exchange.response_last = std::max(judged.exchange.response_last, cursor.last);
  judged.exchange.answer.results = {std::move(cursor.rows)};
  judged_.push_back(std::move(judged));
}

std::optional<Cursors::Judged> Cursors::next() {
  if (judged_.empty()) return std::nullopt;
  Judged judged = std::move(judged_.front());
  judged_.pop_front();
  return judged;
}

}  // namespace darktap::run
