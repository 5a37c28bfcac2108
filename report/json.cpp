// The JSON report: every key of the contract, always, in its order.
#include "report/json_parts.h"
#include "report/report.h"
#include "staleness.h"

namespace darktap::report {

namespace {

void write_text_or_null(JsonWriter& json, const char* key, const std::string& text) {
  json.key(key);
  if (text.empty()) json.null();
  else json.string(text);
}

// What the store holds as JSON; the store's reader has checked that it is.
void write_stored(JsonWriter& json, const char* key, const std::string& stored, std::string_view instead_of_nothing) {
  json.key(key).raw(stored.empty() ? instead_of_nothing : stored);
}

void write_round_trips(JsonWriter& json, const store::RoundTripFigures& found) {
  auto write = [&](const char* key, const std::optional<std::uint64_t>& microseconds) {
    json.key(key);
    if (microseconds) json.number(*microseconds);
    else json.null();
  };
  json.key("round_trips").begin_object().key("capture");
  if (found.tap_to_server || found.tap_to_client) {
    json.begin_object();
    write("tap_to_server_us", found.tap_to_server);
    write("tap_to_client_us", found.tap_to_client);
    json.member("handshakes", found.handshakes).member("acknowledgements", found.acknowledgements).end_object();
  } else {
    json.null();
  }
  write("target_us", found.target);
  json.end_object();
}

void write_example(JsonWriter& json, const store::Example& example, const std::string& plans) {
  json.begin_object().member("session", example.exchange.session.value).member("seq", example.exchange.seq);
  json.member("time", to_rfc3339(example.time)).member("sql", example.sql);
  write_stored(json, "params", example.parameters, "[]");
  write_stored(json, "source", example.source_answer, "{}");
  write_stored(json, "target", example.target_answer, "{}");
  write_stored(json, "evidence", example.evidence, "{}");
  write_stored(json, "session_strip", example.before, "[]");
  write_stored(json, "explain", plans, "null");
  json.key("provenance").begin_object().member("file", example.file).member("packet", example.packet).end_object();
  json.end_object();
}

}  // namespace

void write_run_members(JsonWriter& json, const store::RunInfo& run) {
  json.member("id", run.id).member("mode", run.mode).member("pace", run.pace).member("order", run.order);
  json.member("started", to_rfc3339(run.started));
  json.key("finished");
  if (run.finished) json.string(to_rfc3339(*run.finished));
  else json.null();
  write_text_or_null(json, "source", run.source);
  write_text_or_null(json, "target", run.target);
  write_text_or_null(json, "reference", run.reference);
  json.member("target_follows", run.target_follows).member("build", run.build);
  json.key("questions").begin_object();
  for (compare::Side side : {compare::Side::source, compare::Side::target, compare::Side::reference}) {
    auto asked = run.questions.find(std::string(to_string(side)));
    auto [n, time_us] = asked == run.questions.end() ? std::pair<std::uint64_t, std::uint64_t>{} : asked->second;
    json.key(to_string(side)).begin_object().member("n", n).member("time_us", time_us).end_object();
  }
  json.end_object();
  write_round_trips(json, run.round_trips);
  json.member("examples_left_out", run.examples_left_out);
}

void write_ledger_members(JsonWriter& json, const store::Ledger& ledger) {
  json.key("ledger").begin_object();
  for (std::size_t i = 0; i < store::bin_count; ++i) json.member(to_string(static_cast<store::Bin>(i)), ledger.of(static_cast<store::Bin>(i)));
  json.end_object().key("ledger_reasons").begin_object();
  for (const auto& [bin, counts] : ledger.reasons()) {
    json.key(to_string(bin)).begin_object();
    for (const auto& [reason, n] : counts) json.member(reason, n);
    json.end_object();
  }
  json.end_object();
}

void write_coverage_member(JsonWriter& json, const store::Coverage& coverage) {
  json.key("coverage").begin_object();
  json.member("exchanges", coverage.exchanges).member("compared", coverage.compared);
  json.member("fingerprints", coverage.fingerprints).member("fingerprints_compared", coverage.fingerprints_compared);
  json.key("server_questions");
  if (coverage.server_questions) json.number(*coverage.server_questions);
  else json.null();
  json.end_object();
}

void write_latency_member(JsonWriter& json, const std::vector<store::LatencyRow>& rows) {
  json.key("latency").begin_array();
  for (const store::LatencyRow& row : rows) {
    const Histogram& h = row.histogram;
    json.begin_object().member("fingerprint", to_hex(row.fingerprint)).member("side", to_string(row.side));
    json.member("vantage", to_string(row.vantage)).member("n", h.count());
    json.member("p50_us", h.quantile(0.5)).member("p95_us", h.quantile(0.95)).member("p99_us", h.quantile(0.99));
    json.member("p999_us", h.quantile(0.999)).member("max_us", h.max()).end_object();
  }
  json.end_array();
}

void write_staleness_member(JsonWriter& json, const std::vector<store::StalenessRow>& rows) {
  auto figures = [&](const char* key, const Histogram& h) {
    json.key(key);
    if (h.count() == 0) {
      json.null();
      return;
    }
    json.begin_object().member("n", h.count()).member("p50_us", h.quantile(0.5)).member("p95_us", h.quantile(0.95));
    json.member("p99_us", h.quantile(0.99)).member("max_us", h.max()).end_object();
  };
  json.key("staleness").begin_array();
  for (const store::StalenessRow& row : rows) {
    json.begin_object().member("table", row.table).member("cause", to_string(row.cause)).member("n", row.events);
    json.member("measured_from", row.cause == compare::Cause::read_after_write ? "write_ok" : "source_answer");
    figures("age", row.age);
    figures("stale_for_at_least", row.stale);
    figures("agreed_within", row.agreed);
    json.key("bins").begin_array();
    for (const DelayBin& bin : delay_bins(row)) {
      json.begin_object().key("up_to_us");
      if (bin.up_to_us) json.number(*bin.up_to_us);
      else json.null();
      json.member("age", bin.age).member("stale_for_at_least", bin.stale).member("agreed_within", bin.agreed).end_object();
    }
    json.end_array().end_object();
  }
  json.end_array();
}

void write_finding_members(JsonWriter& json, const store::Finding& finding) {
  json.member("id", finding.id).member("fingerprint", to_hex(finding.fingerprint));
  json.member("normalized", finding.normalized).member("difference", to_string(finding.difference));
  json.member("cause", to_string(finding.cause)).member("level", to_string(finding.level));
  json.member("events", finding.events).member("executions", finding.executions).member("examined", finding.examined);
  json.member("first_time", to_rfc3339(finding.first_time)).member("last_time", to_rfc3339(finding.last_time));
  json.member("status", to_string(finding.status));
}

void write_examples_members(JsonWriter& json, const store::Finding& finding) {
  write_stored(json, "evidence", finding.evidence, "{}");
  json.key("examples").begin_array();
  for (const store::Example& example : finding.examples) write_example(json, example, finding.plans);
  json.end_array();
}

std::string to_json(const store::RunReport& report) {
  JsonWriter json;
  json.begin_object().key("run").begin_object();
  write_run_members(json, report.run);
  json.end_object();
  write_ledger_members(json, report.ledger);
  write_coverage_member(json, report.coverage);
  write_latency_member(json, report.latency);
  json.key("findings").begin_array();
  for (const store::Finding& finding : report.findings) {
    json.begin_object();
    write_finding_members(json, finding);
    write_examples_members(json, finding);
    json.end_object();
  }
  json.end_array();
  write_staleness_member(json, report.staleness);
  json.end_object();
  return json.take();
}

}  // namespace darktap::report
