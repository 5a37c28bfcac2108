#include "replay/source_clock.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <deque>
#include <map>
#include <tuple>

#include "replay/pinning.h"
#include "touched_keys.h"

namespace darktap::replay {
namespace {

constexpr std::uint16_t auto_increment_flag = 512;
constexpr auto zone_step = std::chrono::minutes(15);
constexpr auto farthest_zone = std::chrono::hours(15);
// The tap's clock and the server's are the same machine's or are kept alike; a statement's time may seem a little early.
constexpr auto clock_skew = std::chrono::milliseconds(2);

// Text may hold a time too: CONCAT('…', NOW(6)) does not, but a VARCHAR that NOW(6) was put into does.
constexpr std::uint32_t longest_text = 4 * 64;
bool may_be_a_time(const mysql::Column& column) {
  using enum mysql::ColumnType;
  mysql::ColumnType type = column.type;
  if (type == datetime || type == timestamp || type == datetime2 || type == timestamp2) return true;
  return (type == varchar || type == var_string || type == string) && column.length <= longest_text;
}

// "2026-11-21 13:33:53.254914" as if it were UTC; the digits tell how exactly it is known.
struct Written {
  CaptureTime time;
  CaptureClock::duration step;
};
std::optional<Written> parse_time(std::string_view text) {
  auto number = [&](std::size_t at, std::size_t digits) -> std::optional<int> {
    int value = 0;
    if (at + digits > text.size()) return std::nullopt;
    auto [end, error] = std::from_chars(text.data() + at, text.data() + at + digits, value);
    if (error != std::errc() || end != text.data() + at + digits) return std::nullopt;
    return value;
  };
  auto year = number(0, 4), month = number(5, 2), day = number(8, 2), hour = number(11, 2), minute = number(14, 2), second = number(17, 2);
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)), std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  auto since = std::chrono::sys_days(date).time_since_epoch() + std::chrono::hours(*hour) + std::chrono::minutes(*minute) + std::chrono::seconds(*second);
  CaptureClock::duration step = std::chrono::seconds(1), fraction{};
  if (text.size() > 20 && text[19] == '.') {
    auto digits = std::min<std::size_t>(6, text.size() - 20);
    auto value = number(20, digits);
    if (!value) return std::nullopt;
    for (std::size_t i = 0; i < digits; ++i) step /= 10;
    fraction = step * *value;
  }
  return Written{CaptureTime(since + fraction), step};
}

}  // namespace

struct SourceClock::State {
  struct Watch {
    session::ExchangeId id;
    CaptureTime request, answer;
  };
  // A row by one of its columns; an empty column stands for the one that makes ids.
  using Row = std::tuple<sql::QualifiedName, std::string, std::string>;

  void watch(const sql::QualifiedName& table, const std::string& column, const std::string& value, const Watch& watch) {
    Row row{table, column, value};
    std::deque<Watch>& list = rows[row];
    list.push_back(watch);
    ages.push_back(std::move(row));
    ++watched_tables[table];
    while (ages.size() > limits.watched_rows) forget_oldest();
  }

  void forget_oldest() {
    auto entry = rows.find(ages.front());
    if (entry != rows.end()) {
      entry->second.pop_front();
      if (entry->second.empty()) rows.erase(entry);
    }
    const sql::QualifiedName& table = std::get<0>(ages.front());
    if (--watched_tables[table] == 0) watched_tables.erase(table);
    ages.pop_front();
  }

  // The clock's time, where what was written can be the statement's own: on the zone's quarter of an hour, while it ran.
  void learn(const Watch& watch, const Written& written) {
    auto away = written.time - watch.request;
    auto zone = zone_step * ((away + (away < CaptureClock::duration::zero() ? -zone_step / 2 : zone_step / 2)) / zone_step);
    if (zone > farthest_zone || zone < -farthest_zone) return;
    CaptureTime first = written.time - zone, last = first + written.step - std::chrono::microseconds(1);
    if (last < watch.request - clock_skew || first > watch.answer + clock_skew) return;
    auto found = times.find(watch.id);
    if (found != times.end() && found->second.second <= written.step) return;
    if (found == times.end() && times.size() >= limits.known) return;
    times[watch.id] = {std::clamp(watch.request, first, last), written.step};
  }

  void observe_write(const session::Exchange& exchange, const sql::Meaning& meaning);
  void observe_rows(const session::Exchange& exchange, const mysql::ResultSet& rows, bool asks_time);

  const SourceClockLimits limits;
  std::map<Row, std::deque<Watch>> rows;
  std::deque<Row> ages;
  std::map<sql::QualifiedName, std::size_t> watched_tables;
  std::map<session::ExchangeId, std::pair<CaptureTime, CaptureClock::duration>> times;
};

void SourceClock::State::observe_write(const session::Exchange& exchange, const sql::Meaning& meaning) {
  if (meaning.tables_written.size() != 1 || meaning.statements != 1) return;
  const sql::TableName& name = meaning.tables_written.front();
  sql::QualifiedName table{name.schema.empty() ? exchange.schema : name.schema, name.name};
  Watch row{exchange.id, exchange.request_last, exchange.response_last};
  const mysql::Ok* ok = exchange.answer.last_ok();
  if (ok != nullptr && ok->last_insert_id != 0)
    for (std::uint64_t n = 0; n < std::clamp<std::uint64_t>(ok->affected_rows, 1, 100); ++n) watch(table, "", std::to_string(ok->last_insert_id + n), row);
  for (const auto& [column, values] : named_rows(exchange, meaning))
    for (const std::string& value : values) watch(table, column, value, row);
}

void SourceClock::State::observe_rows(const session::Exchange& exchange, const mysql::ResultSet& result, bool asks_time) {
  std::vector<std::size_t> times_at;
  for (std::size_t c = 0; c < result.columns.size(); ++c)
    if (may_be_a_time(result.columns[c])) times_at.push_back(c);
  if (times_at.empty()) return;
  bool is_watched = std::any_of(times_at.begin(), times_at.end(), [&](std::size_t c) {
    return watched_tables.contains({result.columns[c].schema, result.columns[c].org_table});
  });
  if (!asks_time && !is_watched) return;
  for (std::size_t r = 0; r < result.rows.size(); ++r) {
    auto cells = mysql::decode_row(result.rows.row(r), result.columns, result.format);
    if (!cells) return;
    for (std::size_t t : times_at) {
      const mysql::Column& shown = result.columns[t];
      auto written = (*cells)[t].is_null ? std::nullopt : parse_time((*cells)[t].text);
      if (!written) continue;
      if (shown.org_table.empty()) {
        if (asks_time) learn({exchange.id, exchange.request_last, exchange.response_first}, *written);
        continue;
      }
      for (std::size_t k = 0; k < result.columns.size(); ++k) {
        const mysql::Column& key = result.columns[k];
        if (k == t || (*cells)[k].is_null || key.table != shown.table || key.org_table != shown.org_table) continue;
        bool makes_ids = (key.flags & auto_increment_flag) != 0;
        for (const std::string& column : {key.org_name, std::string()}) {
          if (column.empty() && !makes_ids) continue;
          auto found = rows.find({{shown.schema, shown.org_table}, column, (*cells)[k].text});
          if (found == rows.end()) continue;
          for (const Watch& watch : found->second) learn(watch, *written);
        }
      }
    }
  }
}

SourceClock::SourceClock(const SourceClockLimits& limits) : state_(std::make_unique<State>(State{limits, {}, {}, {}, {}})) {}
SourceClock::~SourceClock() = default;

void SourceClock::observe(const session::Exchange& exchange, const sql::Meaning& meaning) {
  if (!exchange.is_observed() || exchange.answer.error() != nullptr) return;
  bool asks = asks_the_time(meaning);
  if (meaning.statement_class == sql::StatementClass::write) state_->observe_write(exchange, meaning);
  if (!asks && state_->watched_tables.empty()) return;
  for (const mysql::Result& result : exchange.answer.results)
    if (const auto* rows = std::get_if<mysql::ResultSet>(&result)) state_->observe_rows(exchange, *rows, asks);
}

std::optional<CaptureTime> SourceClock::time_of(session::ExchangeId id) const {
  auto found = state_->times.find(id);
  if (found == state_->times.end()) return std::nullopt;
  return found->second.first;
}

std::size_t SourceClock::known() const { return state_->times.size(); }

}  // namespace darktap::replay
