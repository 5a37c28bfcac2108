#include "latency_tables.h"

#include "base/bytes.h"
#include "names.h"

namespace darktap::store {

namespace {

constexpr std::size_t rows_before_joining = 2 * WindowedHistogram::window_limit;

// One stored window as a value of its own, ready to be merged.
WindowedHistogram window_of(std::int64_t level, std::int64_t number, const std::string& histogram) {
  return WindowedHistogram::parse(std::to_string(level) + ";" + std::to_string(number) + "=" + histogram);
}

}  // namespace

void LatencyTables::add(Database& database, std::int64_t run, const std::map<Series, WindowedHistogram>& buffered, Windows which) {
  Statement total = database.prepare("SELECT histogram FROM latency WHERE run = ? AND fingerprint = ? AND side = ? AND vantage = ?");
  Statement put_total = database.prepare("INSERT OR REPLACE INTO latency (run, fingerprint, side, vantage, histogram) VALUES (?, ?, ?, ?, ?)");
  Statement window = database.prepare(
      "SELECT histogram FROM latency_windows WHERE run = ? AND fingerprint = ? AND side = ? AND vantage = ? AND level = ? AND window = ?");
  Statement put_window = database.prepare(
      "INSERT OR REPLACE INTO latency_windows (run, fingerprint, side, vantage, level, window, histogram) VALUES (?, ?, ?, ?, ?, ?, ?)");
  for (const auto& [series, windows] : buffered) {
    auto [fingerprint, side, vantage] = series;
    Histogram sum = windows.total();
    total.bind(run, to_hex(fingerprint), compare::to_string(side), to_string(vantage));
    if (total.step()) sum.merge(Histogram::parse(total.text(0)));
    put_total.run(run, to_hex(fingerprint), compare::to_string(side), to_string(vantage), sum.serialize());
    if (which == Windows::left_out) continue;
    std::size_t& rows = rows_[series];
    for (const auto& [number, histogram] : windows.windows()) {
      Histogram merged = histogram;
      window.bind(run, to_hex(fingerprint), compare::to_string(side), to_string(vantage), std::int64_t{windows.level()}, number);
      if (window.step()) merged.merge(Histogram::parse(window.text(0)));
      else ++rows;
      put_window.run(run, to_hex(fingerprint), compare::to_string(side), to_string(vantage), std::int64_t{windows.level()}, number, merged.serialize());
    }
    if (rows > rows_before_joining) {
      join(database, run, series);
      rows = 0;
    }
  }
}

void LatencyTables::join(Database& database, std::int64_t run, const Series& series) {
  auto [fingerprint, side, vantage] = series;
  WindowedHistogram joined;
  Statement rows = database.prepare("SELECT level, window, histogram FROM latency_windows WHERE run = ? AND fingerprint = ? AND side = ? AND vantage = ?");
  rows.bind(run, to_hex(fingerprint), compare::to_string(side), to_string(vantage));
  while (rows.step()) joined.merge(window_of(rows.integer(0), rows.integer(1), rows.text(2)));
  database.prepare("DELETE FROM latency_windows WHERE run = ? AND fingerprint = ? AND side = ? AND vantage = ?")
      .run(run, to_hex(fingerprint), compare::to_string(side), to_string(vantage));
  Statement put = database.prepare("INSERT INTO latency_windows (run, fingerprint, side, vantage, level, window, histogram) VALUES (?, ?, ?, ?, ?, ?, ?)");
  for (const auto& [number, histogram] : joined.windows()) {
    put.run(run, to_hex(fingerprint), compare::to_string(side), to_string(vantage), std::int64_t{joined.level()}, number, histogram.serialize());
  }
}

void LatencyTables::each(Database& database, std::int64_t run,
                         const std::function<void(std::uint64_t fingerprint, const LatencyWindows& windows)>& visit) const {
  Statement row = database.prepare("SELECT fingerprint, side, level, window, histogram FROM latency_windows WHERE run = ? ORDER BY fingerprint");
  row.bind(run);
  std::string current;
  LatencyWindows windows;
  auto leave = [&] {
    if (!current.empty()) visit(parse_fingerprint(current), windows);
    windows = {};
  };
  while (row.step()) {
    std::string fingerprint = row.text(0);
    if (fingerprint != current) {
      leave();
      current = std::move(fingerprint);
    }
    auto side = parse_side(row.text(1));
    if (side == compare::Side::source) windows.source.merge(window_of(row.integer(2), row.integer(3), row.text(4)));
    else if (side == compare::Side::target) windows.target.merge(window_of(row.integer(2), row.integer(3), row.text(4)));
  }
  leave();
}

}  // namespace darktap::store
