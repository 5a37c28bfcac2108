#include "latency_watch.h"

#include <algorithm>
#include <cmath>

#include "base/json.h"

namespace darktap::run {

namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds between_controls{100};
constexpr std::chrono::seconds after_a_failure{2};
constexpr std::uint64_t least_controls = 15;
constexpr double false_regressions = 0.05;  // among those called one

client::AskerOptions one_connection(const client::ConnectOptions& target) {
  client::AskerOptions options;
  options.session.connect = target;
  options.session.connect.schema.clear();
  options.connections = 1;
  return options;
}

struct Candidate {
  std::uint64_t fingerprint = 0;
  compare::LatencyVerdict verdict;
  std::uint64_t budget_us = 0;
  unsigned round_trips = 0;
  Histogram target;
  CaptureTime first, last;
};

std::int64_t rounded(double microseconds) { return std::llround(microseconds); }

std::string evidence_of(const Candidate& candidate, std::uint64_t round_trip_us, std::uint64_t captured_us, double threshold) {
  const compare::LatencyVerdict& verdict = candidate.verdict;
  JsonWriter json;
  json.begin_object().key("vantage").begin_object().member("source", "tap").member("target", "client").end_object();
  json.member("control", "COM_PING through the same loop: round trip and our own delays, taken off the target's latency");
  json.member("round_trip_us", round_trip_us).key("captured_round_trip_us");
  if (captured_us > 0) json.number(captured_us);
  else json.null();
  json.member("budget_round_trips", candidate.round_trips).member("budget_us", candidate.budget_us);
  json.member("windows", verdict.windows).member("window_seconds", verdict.window_seconds);
  json.key("executions").begin_object().member("source", verdict.source_n).member("target", verdict.target_n).end_object();
  json.key("quantiles").begin_array();
  for (const compare::QuantileShift& shift : verdict.shifts) {
    json.begin_object().member("quantile", shift.quantile).member("source_us", shift.source_us).member("target_us", shift.target_us);
    json.member("control_us", shift.control_us).member("slower_by_us", rounded(shift.shift_us));
    json.key("interval_us").begin_array().number(rounded(shift.low_us)).number(rounded(shift.high_us)).end_array();
    json.member("allowed_us", rounded(shift.allowed_us)).member("p_value", shift.p_value);
    json.member("regression", shift.p_value <= threshold).end_object();
  }
  json.end_array().end_object();
  return json.take();
}

}  // namespace

LatencyWatch::LatencyWatch(client::EventLoop& loop, const client::ConnectOptions& target, const LatencyLimits& limits, Pace pace)
    : asker_(loop, one_connection(target)), limits_(limits), pace_(pace), next_(steady_clock::now()) {}

void LatencyWatch::turn(CaptureTime now) {
  if (pace_ == Pace::other || steady_clock::now() < next_ || asker_.waiting() > 0) return;
  next_ = steady_clock::now() + between_controls;
  mysql::Command ping;
  ping.code = mysql::CommandCode::ping;
  asker_.ask("", 0, std::move(ping), [this, now](Expected<client::Reply, std::string>&& reply) {
    if (!reply) next_ = steady_clock::now() + after_a_failure;
    else control_.record(now, static_cast<std::uint64_t>(std::max<std::int64_t>(0, to_microseconds(reply->last_byte - reply->sent))));
  });
}

void LatencyWatch::note(std::uint64_t fingerprint, sql::StatementClass statement_class) {
  if (statement_class == sql::StatementClass::write) writes_.insert(fingerprint);
}

store::RoundTripFigures LatencyWatch::round_trips(const RoundTrips& captured) const {
  store::RoundTripFigures figures;
  figures.tap_to_server = captured.tap_to_server();
  figures.tap_to_client = captured.tap_to_client();
  if (control_.count() > 0) figures.target = round_trip_us();
  figures.handshakes = std::max(captured.handshake_server.count(), captured.handshake_client.count());
  figures.acknowledgements = captured.ack_server.count() + captured.ack_client.count();
  return figures;
}

std::vector<store::LatencyFinding> LatencyWatch::judge(store::RunWriter& writer, const RoundTrips& captured) const {
  std::vector<store::LatencyFinding> findings;
  if (pace_ == Pace::other || control_.count() < least_controls) return findings;
  // A round trip is what lies between darktap and the target, or between the tap and production's server, whichever is more.
  std::uint64_t captured_us = captured.handshake_server.quantile(0.5), round_trip = std::max(round_trip_us(), captured_us);
  std::vector<Candidate> candidates;
  std::vector<double> p_values;
  writer.each_latency([&](std::uint64_t fingerprint, const store::LatencyWindows& windows) {
    if (fingerprint == store::rest_fingerprint) return;
    Candidate candidate;
    candidate.fingerprint = fingerprint;
    candidate.round_trips = writes_.contains(fingerprint) ? limits_.write_round_trips : limits_.read_round_trips;
    candidate.budget_us = std::max(candidate.round_trips * round_trip, static_cast<std::uint64_t>(to_microseconds(limits_.floor)));
    compare::LatencyPolicy policy;
    policy.budget_us = static_cast<double>(candidate.budget_us);
    candidate.verdict = compare::judge_latency({windows.source, windows.target, &control_}, policy, fingerprint);
    bool beyond = false;
    for (const compare::QuantileShift& shift : candidate.verdict.shifts) {
      p_values.push_back(shift.p_value);
      beyond = beyond || shift.p_value < false_regressions;
    }
    if (!beyond) return;
    candidate.target = windows.target.total();
    auto start_of = [&](std::int64_t number) { return CaptureTime(windows.target.window_length() * number); };
    candidate.first = start_of(windows.target.windows().begin()->first);
    candidate.last = start_of(windows.target.windows().rbegin()->first + 1);
    candidates.push_back(std::move(candidate));
  });
  double threshold = compare::threshold_of(std::move(p_values), false_regressions);
  for (const Candidate& candidate : candidates) {
    const compare::QuantileShift* worst = nullptr;  // the furthest in the tail
    for (const compare::QuantileShift& shift : candidate.verdict.shifts) {
      if (shift.p_value <= threshold) worst = &shift;
    }
    if (worst == nullptr) continue;
    auto allowed = static_cast<std::uint64_t>(std::max(0.0, static_cast<double>(worst->source_us + worst->control_us) + worst->allowed_us));
    findings.push_back({candidate.fingerprint, compare::Level::confirmed, std::max<std::uint64_t>(1, candidate.target.count_above(allowed)),
                        evidence_of(candidate, round_trip_us(), captured_us, threshold), candidate.first, candidate.last});
  }
  return findings;
}

}  // namespace darktap::run
