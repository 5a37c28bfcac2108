// A run's rows back into values. A store may come from anywhere, so names are parsed again and JSON is checked.
#include "names.h"
#include "opening.h"
#include "staleness_table.h"
#include "store/store.h"

#include <sstream>

namespace darktap::store {

namespace {

CaptureTime time_of(std::int64_t nanoseconds) { return CaptureTime(std::chrono::nanoseconds(nanoseconds)); }

constexpr const char* finding_columns =
    "SELECT f.id, f.fingerprint, coalesce(p.normalized, ''), f.difference, f.cause, f.level, f.events, f.examined, f.first_time,"
    " f.last_time, coalesce(c.compared, 0), coalesce(t.status, 'open'), coalesce(t.note, ''), coalesce(t.author, ''),"
    " CASE WHEN json_valid(f.evidence) THEN f.evidence ELSE '{}' END"
    " FROM findings f LEFT JOIN fingerprints p ON p.fingerprint = f.fingerprint"
    " LEFT JOIN run_fingerprints c ON c.run = f.run AND c.fingerprint = f.fingerprint"
    " LEFT JOIN triage t ON t.finding = f.id WHERE f.run = ?1";

// nullopt where a name is none of ours.
std::optional<Finding> read_finding(const Statement& row) {
  auto difference = compare::parse_difference(row.text(3));
  auto cause = compare::parse_cause(row.text(4));
  auto level = compare::parse_level(row.text(5));
  if (!difference || !cause || !level) return std::nullopt;
  Finding finding;
  finding.id = row.text(0);
  finding.fingerprint = parse_fingerprint(row.text(1));
  finding.normalized = row.text(2);
  finding.difference = *difference;
  finding.cause = *cause;
  finding.level = *level;
  finding.events = row.count(6);
  finding.examined = row.count(7);
  finding.first_time = time_of(row.integer(8));
  finding.last_time = time_of(row.integer(9));
  finding.executions = row.count(10);
  finding.status = parse_triage_status(row.text(11)).value_or(TriageStatus::open);
  finding.note = row.text(12);
  finding.author = row.text(13);
  finding.evidence = row.text(14);
  return finding;
}

RunInfo read_run(const Statement& row) {
  RunInfo run;
  run.id = row.integer(0);
  run.mode = row.text(1);
  run.pace = row.text(2);
  run.order = row.text(3);
  run.started = time_of(row.integer(4));
  if (!row.is_null(5)) run.finished = time_of(row.integer(5));
  run.source = row.text(6);
  run.target = row.text(7);
  run.reference = row.text(8);
  run.target_follows = row.text(9);
  run.build = row.text(10);
  run.flushed = time_of(row.integer(12));
  if (!row.is_null(13)) run.round_trips.tap_to_server = row.count(13);
  if (!row.is_null(14)) run.round_trips.tap_to_client = row.count(14);
  if (!row.is_null(15)) run.round_trips.target = row.count(15);
  run.round_trips.handshakes = row.count(16);
  run.round_trips.acknowledgements = row.count(17);
  run.examples_left_out = row.count(18);
  return run;
}

constexpr const char* run_columns =
    "SELECT id, mode, pace, statement_order, started, finished, source, target, reference, target_follows, build, server_questions, flushed,"
    " tap_to_server_us, tap_to_client_us, target_round_trip_us, handshakes, acknowledgements, examples_left_out"
    " FROM runs";

}  // namespace

struct StoreReader::State {
  explicit State(const std::string& path) : database(open_for_reading(path)) {}
  Database database;

  void read_info(RunReport& report, std::int64_t run) const;
  void read_questions(RunInfo& info) const;
  void read_ledger(RunReport& report) const;
  void read_fingerprints(RunReport& report) const;
  std::vector<LatencyRow> latency(std::int64_t run, std::optional<std::string> fingerprint) const;
  std::vector<Finding> findings(std::int64_t run, std::optional<std::string> id) const;
  void read_examples(std::int64_t run, Finding& finding) const;
  RunReport summary(std::int64_t run) const;
};

void StoreReader::State::read_info(RunReport& report, std::int64_t run) const {
  Statement row = database.prepare(std::string(run_columns) + " WHERE id = ?");
  row.bind(run);
  if (!row.step()) throw Failure(FailureKind::usage, "store " + database.name() + " has no run " + std::to_string(run) + "; report --run takes one of its runs");
  report.run = read_run(row);
  if (!row.is_null(11)) report.coverage.server_questions = row.count(11);
  read_questions(report.run);
}

void StoreReader::State::read_questions(RunInfo& info) const {
  Statement row = database.prepare("SELECT side, n, time_us FROM questions WHERE run = ?");
  row.bind(info.id);
  while (row.step()) info.questions[row.text(0)] = {row.count(1), row.count(2)};
}

void StoreReader::State::read_ledger(RunReport& report) const {
  // A reason's count is within its bin's, so reasons are read first and the remainder has none.
  std::map<Bin, std::uint64_t> reasoned;
  Statement reasons = database.prepare("SELECT bin, reason, n FROM ledger_reasons WHERE run = ?");
  reasons.bind(report.run.id);
  while (reasons.step()) {
    auto bin = parse_bin(reasons.text(0));
    if (!bin) continue;
    report.ledger.add(*bin, reasons.text(1), reasons.count(2));
    reasoned[*bin] += reasons.count(2);
  }
  Statement bins = database.prepare("SELECT bin, n FROM ledger WHERE run = ?");
  bins.bind(report.run.id);
  while (bins.step()) {
    auto bin = parse_bin(bins.text(0));
    if (bin && bins.count(1) > reasoned[*bin]) report.ledger.add(*bin, bins.count(1) - reasoned[*bin]);
  }
  report.coverage.exchanges = report.ledger.total();
  report.coverage.compared = report.ledger.of(Bin::compared);
}

void StoreReader::State::read_fingerprints(RunReport& report) const {
  Statement row = database.prepare(
      "SELECT c.fingerprint, coalesce(p.normalized, ''), c.compared FROM run_fingerprints c"
      " LEFT JOIN fingerprints p ON p.fingerprint = c.fingerprint WHERE c.run = ?");
  row.bind(report.run.id);
  while (row.step()) {
    report.fingerprints[parse_fingerprint(row.text(0))] = row.text(1);
    ++report.coverage.fingerprints;
    if (row.count(2) > 0) ++report.coverage.fingerprints_compared;
  }
}

std::vector<LatencyRow> StoreReader::State::latency(std::int64_t run, std::optional<std::string> fingerprint) const {
  Statement row = database.prepare(
      "SELECT fingerprint, side, vantage, histogram FROM latency WHERE run = ?1 AND (?2 IS NULL OR fingerprint = ?2)"
      " ORDER BY fingerprint, CASE side WHEN 'source' THEN 0 WHEN 'target' THEN 1 ELSE 2 END, vantage DESC");
  row.bind(run, fingerprint);
  std::vector<LatencyRow> rows;
  while (row.step()) {
    auto side = parse_side(row.text(1));
    auto vantage = parse_vantage(row.text(2));
    if (side && vantage) rows.push_back({parse_fingerprint(row.text(0)), *side, *vantage, Histogram::parse(row.text(3))});
  }
  return rows;
}

std::vector<Finding> StoreReader::State::findings(std::int64_t run, std::optional<std::string> id) const {
  Statement row = database.prepare(std::string(finding_columns) + " AND (?2 IS NULL OR f.id = ?2) ORDER BY f.id");
  row.bind(run, id);
  std::vector<Finding> findings;
  while (row.step()) {
    if (auto finding = read_finding(row)) findings.push_back(std::move(*finding));
  }
  return findings;
}

void StoreReader::State::read_examples(std::int64_t run, Finding& finding) const {
  // What isn't JSON is given as a JSON string, so that no store can break the report that holds it.
  auto json = [](const char* column) {
    return std::string("CASE WHEN json_valid(") + column + ") THEN " + column + " ELSE json_quote(" + column + ") END";
  };
  Statement row = database.prepare("SELECT session, seq, time, sql, " + json("parameters") + ", " + json("source_answer") + ", " +
                                   json("target_answer") + ", " + json("evidence") +
                                   ", file, packet, " + json("session_strip") + " FROM examples WHERE run = ? AND finding = ? ORDER BY rank, slot");
  row.bind(run, finding.id);
  while (row.step()) {
    finding.examples.push_back({.exchange = {SessionId{row.count(0)}, static_cast<std::uint32_t>(row.integer(1))},
                                .time = time_of(row.integer(2)),
                                .sql = row.text(3),
                                .parameters = row.text(4),
                                .source_answer = row.text(5),
                                .target_answer = row.text(6),
                                .evidence = row.text(7),
                                .file = row.text(8),
                                .packet = row.count(9),
                                .before = row.text(10)});
  }
  if (!finding.examples.empty()) finding.evidence = finding.examples.front().evidence;
  // A plan tells why a server is slow, or why its rows come in another order; of other differences it says nothing.
  bool by_plan = finding.cause == compare::Cause::defect || finding.cause == compare::Cause::order_violated;
  if (!by_plan || finding.difference == compare::Difference::column_metadata || finding.difference == compare::Difference::warnings) return;
  Statement plans = database.prepare("SELECT plans FROM plans WHERE run = ? AND fingerprint = ? AND json_valid(plans)");
  plans.bind(run, to_hex(finding.fingerprint));
  if (!plans.step()) return;
  finding.plans = plans.text(0);
  if (finding.evidence.empty() || finding.evidence == "{}") finding.evidence = "{\"explain\":" + finding.plans + "}";
  else if (finding.evidence.ends_with('}')) finding.evidence.insert(finding.evidence.size() - 1, ",\"explain\":" + finding.plans);
}

RunReport StoreReader::State::summary(std::int64_t run) const {
  RunReport report;
  read_info(report, run);
  read_ledger(report);
  read_fingerprints(report);
  report.latency = latency(run, std::nullopt);
  report.staleness = StalenessTable::read(database, run);
  report.findings = findings(run, std::nullopt);
  return report;
}

StoreReader::StoreReader(const std::string& path) : state_(std::make_unique<State>(path)) {}
StoreReader::~StoreReader() = default;
StoreReader::StoreReader(StoreReader&&) noexcept = default;

std::vector<SessionProgress> StoreReader::progress(std::int64_t run) const {
  std::vector<SessionProgress> result;
  Statement rows = state_->database.prepare("SELECT session, done, beyond FROM progress WHERE run = ? ORDER BY session");
  rows.bind(run);
  while (rows.step()) {
    SessionProgress session{SessionId{rows.count(0)}, static_cast<std::uint32_t>(rows.count(1)), {}};
    std::istringstream beyond(rows.text(2));
    for (std::string seq; std::getline(beyond, seq, ',');) session.beyond.push_back(static_cast<std::uint32_t>(std::stoul(seq)));
    result.push_back(std::move(session));
  }
  return result;
}

std::vector<RunInfo> StoreReader::runs() const {
  ReadTransaction view(state_->database);
  Statement row = state_->database.prepare(std::string(run_columns) + " ORDER BY id DESC");
  row.bind();
  std::vector<RunInfo> runs;
  while (row.step()) runs.push_back(read_run(row));
  for (RunInfo& run : runs) state_->read_questions(run);
  return runs;
}

std::optional<std::int64_t> StoreReader::latest_run() const {
  Statement row = state_->database.prepare("SELECT max(id) FROM runs");
  row.bind();
  if (!row.step() || row.is_null(0)) return std::nullopt;
  return row.integer(0);
}

RunReport StoreReader::summary(std::int64_t run) const {
  ReadTransaction view(state_->database);
  return state_->summary(run);
}

RunReport StoreReader::report(std::int64_t run) const {
  ReadTransaction view(state_->database);
  RunReport report = state_->summary(run);
  for (Finding& finding : report.findings) state_->read_examples(run, finding);
  return report;
}

std::optional<Finding> StoreReader::finding(std::int64_t run, const std::string& id) const {
  ReadTransaction view(state_->database);
  std::vector<Finding> found = state_->findings(run, id);
  if (found.empty()) return std::nullopt;
  state_->read_examples(run, found.front());
  return std::move(found.front());
}

std::vector<LatencyRow> StoreReader::latency(std::int64_t run, std::uint64_t fingerprint) const {
  return state_->latency(run, to_hex(fingerprint));
}

std::vector<AuditLine> StoreReader::history(const std::string& finding) const {
  Statement row = state_->database.prepare("SELECT time, author, note, before, after FROM audit WHERE finding = ? ORDER BY id");
  row.bind(finding);
  std::vector<AuditLine> lines;
  while (row.step()) {
    lines.push_back({time_of(row.integer(0)), row.text(1), row.text(2), parse_triage_status(row.text(3)).value_or(TriageStatus::open),
                     parse_triage_status(row.text(4)).value_or(TriageStatus::open)});
  }
  return lines;
}

}  // namespace darktap::store
