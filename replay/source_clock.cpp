#include "replay/source_clock.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <deque>
#include <map>
#include <memory>
#include <tuple>

#include "base/text.h"
#include "replay/pinning.h"
#include "session/printed_time.h"
#include "touched_keys.h"

namespace darktap::replay {
namespace {

using session::clock_skew;
using session::zone_step;

constexpr std::uint16_t primary_key_flag = 2, unique_key_flag = 4, auto_increment_flag = 512;
// Text may hold a time too: CONCAT('…', NOW(6)) does not, but a VARCHAR that NOW(6) was put into does.
constexpr std::uint32_t longest_text = 4 * 64;
bool may_be_a_time(const mysql::Column& column) {
  using enum mysql::ColumnType;
  mysql::ColumnType type = column.type;
  if (type == datetime || type == timestamp || type == datetime2 || type == timestamp2) return true;
  return (type == varchar || type == var_string || type == string) && column.length <= longest_text;
}

// A write whose time is looked for, and what tells its rows from others.
struct Watch {
  session::ExchangeId id;
  CaptureTime request, answer;
  TouchedKeys named;                   // values that its rows have, as far as its text shows them
  std::uint64_t first_id = 0, ids = 0;  // that the server made

  bool made(std::string_view cell) const {
    std::uint64_t number = 0;
    auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), number);
    return error == std::errc() && end == cell.data() + cell.size() && number >= first_id && number - first_id < ids;
  }
};

// A column of a shown row, of the table that was written.
struct ShownCell {
  std::string column, value;  // both in the spelling of touched_keys.h
  bool makes_ids = false;
  bool is_of_key = false;  // then no later write gave it another value
};

// How many of the row's columns say that the write wrote it; nothing where one says that it did not.
std::optional<int> likeness(const Watch& watch, const std::vector<ShownCell>& row) {
  int alike = 0;
  for (const ShownCell& cell : row) {
    if (cell.makes_ids && watch.ids > 0) {
      if (!watch.made(cell.value)) return std::nullopt;
      alike += 2;
      continue;
    }
    auto named = watch.named.find(cell.column);
    if (named == watch.named.end()) continue;
    if (named->second.contains(cell.value)) ++alike;
    else if (cell.is_of_key) return std::nullopt;
  }
  bool is_nameless = watch.named.empty() && watch.ids == 0;
  return alike > 0 || is_nameless ? std::optional(alike) : std::nullopt;
}

// The writes to one table by when they were asked for within a quarter of an hour, since the zone of a shown time isn't known;
// apart by how long they took, so that a few slow ones don't make each look into all.
struct Watched {
  using ByRequest = std::multimap<CaptureClock::duration, std::shared_ptr<const Watch>>;
  static constexpr std::array lengths{CaptureClock::duration(std::chrono::milliseconds(5)), CaptureClock::duration(std::chrono::milliseconds(100)),
                                      CaptureClock::duration(std::chrono::seconds(2)), CaptureClock::duration(zone_step / 2)};
  std::array<ByRequest, lengths.size()> writes;
  ByRequest over_a_second;  // of the same, those that a time without a fraction tells something of
  std::size_t count = 0;
  std::string id_column;  // that makes ids, where an answer has shown it
};

CaptureClock::duration in_zone_step(CaptureTime time) {
  auto away = time.time_since_epoch() % CaptureClock::duration(zone_step);
  return away < CaptureClock::duration::zero() ? away + zone_step : away;
}

bool is_over_a_second(const Watch& watch) {
  return std::chrono::floor<std::chrono::seconds>(watch.request) != std::chrono::floor<std::chrono::seconds>(watch.answer + clock_skew);
}

}  // namespace

struct SourceClock::State {
  void watch(const sql::QualifiedName& table, Watch&& write) {
    auto length = write.answer - write.request;
    std::size_t bucket = 0;
    while (bucket < Watched::lengths.size() && Watched::lengths[bucket] < length) ++bucket;
    if (bucket == Watched::lengths.size()) return;
    Watched& watched = tables[table];
    ++watched.count;
    auto shared = std::make_shared<const Watch>(std::move(write));
    auto at = in_zone_step(shared->request);
    auto entry = watched.writes[bucket].emplace(at, shared);
    std::optional<Watched::ByRequest::iterator> second;
    if (is_over_a_second(*shared)) second = watched.over_a_second.emplace(at, shared);
    ages.push_back({table, bucket, entry, second});
    while (ages.size() > limits.watched_rows) forget_oldest();
  }

  void forget_oldest() {
    Age& oldest = ages.front();
    Watched& watched = tables[oldest.table];
    watched.writes[oldest.bucket].erase(oldest.entry);
    if (oldest.second) watched.over_a_second.erase(*oldest.second);
    if (--watched.count == 0) tables.erase(oldest.table);
    ages.pop_front();
  }

  void learn(const Watch& watch, const session::PrintedTime& written) {
    auto time = session::time_within(written, watch.request, watch.answer);
    if (!time) return;
    CaptureClock::duration away = *time > watch.request ? *time - watch.request : watch.request - *time;
    auto found = times.find(watch.id);
    if (found == times.end() && times.size() >= limits.known) return;
    if (found != times.end() && std::tie(found->second.step, found->second.away) <= std::tie(written.step, away)) return;
    times[watch.id] = {*time, written.step, away};
  }

  // Of the writes that the row may be of, the one that it is most like; among alike ones the one that was asked for last before that time, since a
  // statement reads the clock when it begins, however long it then waits for a lock.
  void attribute(const Watched& watched, const session::PrintedTime& written, const std::vector<ShownCell>& row) {
    const Watch* best = nullptr;
    std::pair<int, CaptureClock::duration> best_rank;
    auto consider = [&](const Watch& watch) {
      auto time = session::time_within(written, watch.request, watch.answer);
      auto alike = time ? likeness(watch, row) : std::nullopt;
      if (!alike) return;
      std::pair rank(-*alike, *time > watch.request ? *time - watch.request : watch.request - *time);
      if (best == nullptr || rank < best_rank) best = &watch, best_rank = rank;
    };
    auto look = [&](const Watched::ByRequest& writes, CaptureClock::duration longest) {
      auto at = in_zone_step(written.time), from = at - longest - clock_skew, to = at + written.step + clock_skew;
      auto visit = [&](CaptureClock::duration begin, CaptureClock::duration end) {
        for (auto entry = writes.lower_bound(begin); entry != writes.end() && entry->first <= end; ++entry) consider(*entry->second);
      };
      visit(from, to);
      if (from < CaptureClock::duration::zero()) visit(from + zone_step, zone_step);
      if (to > zone_step) visit(CaptureClock::duration::zero(), to - zone_step);
    };
    if (written.step >= std::chrono::seconds(1)) look(watched.over_a_second, Watched::lengths.back());
    else
      for (std::size_t n = 0; n < watched.writes.size(); ++n) look(watched.writes[n], Watched::lengths[n]);
    if (best != nullptr) learn(*best, written);
  }

  void observe_write(const session::Exchange& exchange, const sql::Meaning& meaning);
  void observe_rows(const session::Exchange& exchange, const sql::Meaning& meaning, const mysql::ResultSet& rows, bool asks_time);

  struct Age {
    sql::QualifiedName table;
    std::size_t bucket;
    Watched::ByRequest::iterator entry;
    std::optional<Watched::ByRequest::iterator> second;
  };
  struct Known { CaptureTime time; CaptureClock::duration step, away; };
  const SourceClockLimits limits;
  std::map<sql::QualifiedName, Watched> tables{};
  std::deque<Age> ages{};
  std::map<session::ExchangeId, Known> times{};
};

void SourceClock::State::observe_write(const session::Exchange& exchange, const sql::Meaning& meaning) {
  if (meaning.tables_written.size() != 1 || meaning.statements != 1) return;
  const sql::TableName& name = meaning.tables_written.front();
  sql::QualifiedName table{name.schema.empty() ? exchange.schema : name.schema, name.name};
  Watch write{exchange.id, exchange.request_last, exchange.response_last, named_rows(exchange, meaning)};
  const mysql::Ok* ok = exchange.answer.last_ok();
  if (ok != nullptr && ok->last_insert_id != 0) {
    write.first_id = ok->last_insert_id;
    write.ids = std::max<std::uint64_t>(ok->affected_rows, 1);
  }
  watch(table, std::move(write));
}

void SourceClock::State::observe_rows(const session::Exchange& exchange, const sql::Meaning& meaning, const mysql::ResultSet& result, bool asks_time) {
  std::vector<std::size_t> times_at;
  for (std::size_t c = 0; c < result.columns.size(); ++c)
    if (may_be_a_time(result.columns[c])) times_at.push_back(c);
  if (times_at.empty()) return;
  bool is_watched = std::any_of(times_at.begin(), times_at.end(), [&](std::size_t c) {
    return tables.contains({result.columns[c].schema, result.columns[c].org_table});
  });
  if (!asks_time && !is_watched) return;
  // What its condition says of every row, where that is of one table.
  const TouchedKeys pinned = is_watched && meaning.tables_read.size() == 1 ? named_rows(exchange, meaning) : TouchedKeys();
  for (std::size_t r = 0; r < result.rows.size(); ++r) {
    auto cells = mysql::decode_row(result.rows.row(r), result.columns, result.format);
    if (!cells) return;
    for (std::size_t t : times_at) {
      const mysql::Column& shown = result.columns[t];
      auto written = (*cells)[t].is_null ? std::nullopt : session::parse_printed_time((*cells)[t].text);
      if (!written) continue;
      if (shown.org_table.empty()) {
        if (asks_time) learn({exchange.id, exchange.request_last, exchange.response_first, {}}, *written);
        continue;
      }
      auto watched = tables.find({shown.schema, shown.org_table});
      if (watched == tables.end()) continue;
      std::vector<ShownCell> row;
      for (std::size_t k = 0; k < result.columns.size(); ++k) {
        const mysql::Column& key = result.columns[k];
        if (k == t || (*cells)[k].is_null || key.table != shown.table || key.org_table != shown.org_table) continue;
        bool makes_ids = (key.flags & auto_increment_flag) != 0;
        if (makes_ids) watched->second.id_column = lower(key.org_name);
        bool is_of_key = (key.flags & (primary_key_flag | unique_key_flag)) != 0;
        if (auto value = spelling((*cells)[k].text)) row.push_back({lower(key.org_name), std::move(*value), makes_ids, is_of_key});
      }
      for (const auto& [column, values] : pinned) {
        bool is_shown = std::any_of(row.begin(), row.end(), [&](const ShownCell& cell) { return cell.column == column; });
        if (values.size() == 1 && !is_shown) row.push_back({column, *values.begin(), column == watched->second.id_column, false});
      }
      attribute(watched->second, *written, row);
    }
  }
}

SourceClock::SourceClock(const SourceClockLimits& limits) : state_(std::make_unique<State>(State{limits})) {}
SourceClock::~SourceClock() = default;

void SourceClock::observe(const session::Exchange& exchange, const sql::Meaning& meaning) {
  if (!exchange.is_observed() || exchange.answer.error() != nullptr) return;
  bool asks = asks_the_time(meaning);
  if (meaning.statement_class == sql::StatementClass::write) state_->observe_write(exchange, meaning);
  if (!asks && state_->tables.empty()) return;
  for (const mysql::Result& result : exchange.answer.results)
    if (const auto* rows = std::get_if<mysql::ResultSet>(&result)) state_->observe_rows(exchange, meaning, *rows, asks);
}

std::optional<CaptureTime> SourceClock::time_of(session::ExchangeId id) const {
  auto found = state_->times.find(id);
  if (found == state_->times.end()) return std::nullopt;
  return found->second.time;
}

bool SourceClock::knows_exactly(session::ExchangeId id) const {
  auto found = state_->times.find(id);
  return found != state_->times.end() && found->second.step <= std::chrono::microseconds(1);
}

std::size_t SourceClock::known() const { return state_->times.size(); }

}  // namespace darktap::replay
