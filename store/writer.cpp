// One run into the store. Everything between two flushes is held as differences (counts to add, examples to put), so that
// memory is bounded by what happens in a second and a flush is one short transaction.
#include <algorithm>
#include <array>
#include <unordered_map>

#include "base/json.h"
#include "latency_tables.h"
#include "limit.h"
#include "opening.h"
#include "smallest.h"
#include "staleness_table.h"
#include "store/store.h"

namespace darktap::store {

namespace {

constexpr std::size_t buffered_bytes_limit = 8 << 20;  // of texts waiting for a flush
constexpr std::size_t buffered_series_limit = 4096;    // latency histograms waiting for a flush

const std::string rest_text = "(all statements beyond the first " + std::to_string(fingerprint_cap) + " distinct ones)";

std::int64_t nanoseconds(CaptureTime time) { return time.time_since_epoch().count(); }

// Text, cut at a character's end; the mark says that it was.
std::string limited_text(const std::string& text, std::size_t limit) {
  if (text.size() <= limit) return text;
  std::size_t end = limit;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end) + " … (cut: " + std::to_string(text.size()) + " bytes in all)";
}

// JSON can't be cut anywhere, so what is too long is replaced by its size.
std::string limited_json(const std::string& json, const char* instead_of_nothing) {
  if (json.empty()) return instead_of_nothing;
  if (json.size() <= example_field_limit) return json;
  return JsonWriter().begin_object().member("too_long_to_keep", true).member("bytes", json.size()).end_object().take();
}

std::string limited_array(const std::string& json) {
  std::string limited = limited_json(json, "[]");
  return limited.starts_with('[') ? limited : "[" + limited + "]";
}

}  // namespace

struct RunWriter::State {
  struct Execution {
    std::uint64_t seen = 0, compared = 0;
  };
  struct FindingDelta {
    std::uint64_t fingerprint = 0;
    compare::Difference difference{};
    compare::Cause cause{};
    compare::Level level = compare::Level::proved;
    std::uint64_t events = 0, examined = 0;
    CaptureTime first_time = CaptureTime::max(), last_time = CaptureTime::min();
  };
  Database database;
  RunInfo info;
  std::optional<Ledger> ledger;
  std::optional<std::uint64_t> server_questions;
  std::vector<SessionProgress> progress;
  std::function<void()> before_flush;
  bool info_changed = false;

  enum class Text : std::uint8_t { missing, given };
  std::unordered_map<std::uint64_t, Text> known;  // the run's fingerprints, at most fingerprint_cap, and the rest bin
  std::unordered_map<std::string, SmallestExamples> smallest;

  std::map<std::uint64_t, std::string> new_texts;
  std::map<std::uint64_t, Execution> executions;
  std::map<std::string, FindingDelta> findings;
  std::map<std::pair<std::string, int>, Example> examples;
  std::map<LatencyTables::Series, WindowedHistogram> latency;
  // Where the figures of the statements that come again and again stand in the maps above; the next flush moves them all.
  struct Shortcut {
    std::optional<std::uint64_t> fingerprint;
    Execution* execution = nullptr;               // none: not looked up yet
    std::array<WindowedHistogram*, 6> latency{};  // the same, by side and vantage
  };
  std::array<Shortcut, 256> shortcuts;
  LatencyTables latency_tables;
  StalenessTable staleness;
  StoreLimit limit;
  std::function<void(const std::string&)> tell;
  std::uint64_t examples_left_out = 0;  // since the last flush
  std::optional<std::vector<LatencyFinding>> latency_findings;
  std::map<std::uint64_t, std::string> plans;
  std::size_t buffered_bytes = 0;

  explicit State(const std::string& path) : database(open_or_create(path)) {}

  std::uint64_t admit(std::uint64_t fingerprint);
  Shortcut& shortcut(std::uint64_t fingerprint) {
    Shortcut& found = shortcuts[fingerprint % shortcuts.size()];
    if (found.fingerprint != fingerprint) found = {.fingerprint = fingerprint};
    return found;
  }
  std::uint64_t admit(std::uint64_t fingerprint, const std::string& normalized);
  void put_example(const std::string& id, const compare::Judgement& judgement, const compare::Verdict& verdict, const std::string& file);
  void flush_if_full();
  void flush();
  void write_run();
  void write_ledger();
  void write_progress();
  void load(std::int64_t run);
  void write_counts();
  void write_findings();
  void write_examples();
  void write_latency_findings();
};

std::uint64_t RunWriter::State::admit(std::uint64_t fingerprint) {
  if (known.contains(fingerprint)) return fingerprint;
  std::uint64_t admitted = known.size() < fingerprint_cap ? fingerprint : rest_fingerprint;
  known.try_emplace(admitted, Text::missing);
  return admitted;
}

std::uint64_t RunWriter::State::admit(std::uint64_t fingerprint, const std::string& normalized) {
  std::uint64_t admitted = admit(fingerprint);
  if (Text& text = known[admitted]; text == Text::missing) {
    text = Text::given;
    std::string& added = new_texts[admitted];
    added = admitted == rest_fingerprint ? rest_text : limited_text(normalized, normalized_limit);
    buffered_bytes += added.size();
  }
  return admitted;
}

void RunWriter::State::put_example(const std::string& id, const compare::Judgement& judgement, const compare::Verdict& verdict,
                                   const std::string& file) {
  if (limit.details() == StoreLimit::Details::left_out) {
    ++examples_left_out;
    return;
  }
  std::optional<int> slot = smallest[id].admit(rank_of(judgement.exchange), values_of(judgement.sql, judgement.parameters));
  if (!slot) return;
  Example& example = examples[{id, *slot}];
  example = {.exchange = judgement.exchange,
             .time = judgement.time,
             .sql = limited_text(judgement.sql, example_field_limit),
             .parameters = limited_array(judgement.parameters),
             .source_answer = limited_json(judgement.source_answer, "{}"),
             .target_answer = limited_json(judgement.target_answer, "{}"),
             .evidence = limited_json(verdict.evidence, "{}"),
             .file = file,
             .packet = judgement.provenance.packet.value,
             .before = limited_array(judgement.before)};
  buffered_bytes += example.sql.size() + example.parameters.size() + example.source_answer.size() + example.target_answer.size() +
                    example.evidence.size() + example.before.size();
}

void RunWriter::State::flush_if_full() {
  // A small store must not grow past its limit between two looks at it.
  std::size_t most = limit.bytes() == 0 ? buffered_bytes_limit : std::min<std::size_t>(buffered_bytes_limit, static_cast<std::size_t>(limit.bytes() / 20));
  if (buffered_bytes > most || latency.size() > buffered_series_limit) flush();
}

void RunWriter::State::flush() {
  if (before_flush) before_flush();
  Transaction transaction(database);
  write_run();
  write_ledger();
  write_progress();
  write_counts();
  write_findings();
  write_examples();
  latency_tables.add(database, info.id, latency, limit.details() == StoreLimit::Details::kept ? LatencyTables::Windows::kept : LatencyTables::Windows::left_out);
  staleness.write(database, info.id);
  write_latency_findings();
  for (const auto& [fingerprint, json] : plans)
    database.prepare("INSERT OR REPLACE INTO plans (run, fingerprint, plans) VALUES (?, ?, ?)").run(info.id, to_hex(fingerprint), json);
  if (examples_left_out > 0) database.prepare("UPDATE runs SET examples_left_out = examples_left_out + ? WHERE id = ?").run(examples_left_out, info.id);
  limit.enforce(database, info.id, tell);
  transaction.commit();
  info_changed = false;
  ledger.reset();
  progress.clear();
  new_texts.clear();
  executions.clear();
  findings.clear();
  examples.clear();
  latency.clear();
  shortcuts.fill({});
  latency_findings.reset();
  plans.clear();
  examples_left_out = 0;
  buffered_bytes = 0;
}

void RunWriter::State::write_run() {
  database.prepare("UPDATE runs SET flushed = ? WHERE id = ?").run(nanoseconds(CaptureClock::now()), info.id);
  if (!info_changed) return;
  database
      .prepare("UPDATE runs SET mode = ?2, pace = ?3, statement_order = ?4, finished = ?5, source = ?6, target = ?7, reference = ?8,"
               " target_follows = ?9, build = ?10, server_questions = ?11,"
               " tap_to_server_us = ?12, tap_to_client_us = ?13, target_round_trip_us = ?14, handshakes = ?15, acknowledgements = ?16 WHERE id = ?1")
      .run(info.id, info.mode, info.pace, info.order, info.finished ? std::optional(nanoseconds(*info.finished)) : std::nullopt,
           info.source, info.target, info.reference, info.target_follows, info.build, server_questions, info.round_trips.tap_to_server,
           info.round_trips.tap_to_client, info.round_trips.target, info.round_trips.handshakes, info.round_trips.acknowledgements);
  Statement questions = database.prepare("INSERT OR REPLACE INTO questions (run, side, n, time_us) VALUES (?, ?, ?, ?)");
  for (const auto& [side, asked] : info.questions) questions.run(info.id, side, asked.first, asked.second);
}

void RunWriter::State::write_ledger() {
  if (!ledger) return;
  Statement bins = database.prepare("INSERT OR REPLACE INTO ledger (run, bin, n) VALUES (?, ?, ?)");
  for (std::size_t i = 0; i < bin_count; ++i) bins.run(info.id, to_string(static_cast<Bin>(i)), ledger->of(static_cast<Bin>(i)));
  database.prepare("DELETE FROM ledger_reasons WHERE run = ?").run(info.id);
  Statement reasons = database.prepare("INSERT INTO ledger_reasons (run, bin, reason, n) VALUES (?, ?, ?, ?)");
  for (const auto& [bin, counts] : ledger->reasons()) {
    for (const auto& [reason, n] : counts) reasons.run(info.id, to_string(bin), reason, n);
  }
}

void RunWriter::State::write_counts() {
  Statement texts = database.prepare("INSERT OR IGNORE INTO fingerprints (fingerprint, normalized) VALUES (?, ?)");
  for (const auto& [fingerprint, text] : new_texts) texts.run(to_hex(fingerprint), text);
  Statement counts = database.prepare(
      "INSERT INTO run_fingerprints (run, fingerprint, executions, compared) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
      " executions = executions + excluded.executions, compared = compared + excluded.compared");
  for (const auto& [fingerprint, n] : executions) counts.run(info.id, to_hex(fingerprint), n.seen, n.compared);
}

void RunWriter::State::write_findings() {
  Statement upsert = database.prepare(
      "INSERT INTO findings (run, id, fingerprint, difference, cause, level, events, examined, first_time, last_time)"
      " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
      " level = CASE WHEN 'assumed' IN (level, excluded.level) THEN 'assumed'"
      " WHEN 'confirmed' IN (level, excluded.level) THEN 'confirmed' ELSE 'proved' END,"
      " events = events + excluded.events, examined = examined + excluded.examined,"
      " first_time = min(first_time, excluded.first_time), last_time = max(last_time, excluded.last_time)");
  for (const auto& [id, delta] : findings) {
    upsert.run(info.id, id, to_hex(delta.fingerprint), compare::to_string(delta.difference), compare::to_string(delta.cause),
               compare::to_string(delta.level), delta.events, delta.examined, nanoseconds(delta.first_time),
               nanoseconds(delta.last_time));
  }
}

void RunWriter::State::write_examples() {
  Statement replace = database.prepare(
      "INSERT OR REPLACE INTO examples (run, finding, slot, rank, session, seq, time, sql, parameters, source_answer,"
      " target_answer, evidence, file, packet, session_strip) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  for (const auto& [place, example] : examples) {
    replace.run(info.id, place.first, place.second, to_hex(rank_of(example.exchange)), example.exchange.session.value,
                std::int64_t{example.exchange.seq}, nanoseconds(example.time), example.sql, example.parameters,
                example.source_answer, example.target_answer, example.evidence, example.file, example.packet, example.before);
  }
}

void RunWriter::State::write_latency_findings() {
  if (!latency_findings) return;
  const std::string_view difference = compare::to_string(compare::Difference::latency_regression);
  const std::string_view cause = compare::to_string(compare::Cause::defect);
  database.prepare("DELETE FROM findings WHERE run = ? AND difference = ?").run(info.id, difference);
  Statement put = database.prepare(
      "INSERT INTO findings (run, id, fingerprint, difference, cause, level, events, examined, first_time, last_time, evidence)"
      " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  for (const LatencyFinding& finding : *latency_findings) {
    put.run(info.id, compare::signature(finding.fingerprint, compare::Difference::latency_regression, compare::Cause::defect),
            to_hex(finding.fingerprint), difference, cause, compare::to_string(finding.level), finding.events, finding.events,
            nanoseconds(finding.first_time), nanoseconds(finding.last_time), finding.evidence);
  }
}

RunWriter::RunWriter(const std::string& path, RunInfo& info) : state_(std::make_unique<State>(path)) {
  Transaction transaction(state_->database);
  state_->database
      .prepare("INSERT INTO runs (mode, pace, statement_order, started, flushed, source, target, reference, target_follows, build)"
               " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .run(info.mode, info.pace, info.order, nanoseconds(info.started), nanoseconds(CaptureClock::now()), info.source, info.target, info.reference,
           info.target_follows, info.build);
  info.id = state_->database.last_insert_id();
  transaction.commit();
  state_->info = info;
}

RunWriter::RunWriter(const std::string& path, RunInfo& info, std::int64_t run) : state_(std::make_unique<State>(path)) {
  {
    StoreReader reader(path);
    auto runs = reader.runs();
    auto found = std::find_if(runs.begin(), runs.end(), [&](const RunInfo& stored) { return stored.id == run; });
    if (found == runs.end()) throw Failure(FailureKind::usage, path + ": holds no run " + std::to_string(run) + "; darktap report lists what there is");
    if (found->finished) throw Failure(FailureKind::usage, path + ": run " + std::to_string(run) + " has ended, nothing of it is left to do; start a new one without --resume");
    info = *found;
  }
  state_->info = info;
  state_->load(run);
}

// What the writer remembers of a run: which texts it has, and which examples it keeps.
void RunWriter::State::load(std::int64_t run) {
  Statement fingerprints = database.prepare("SELECT fingerprint FROM run_fingerprints WHERE run = ?");
  fingerprints.bind(run);
  while (fingerprints.step()) known[std::stoull(fingerprints.text(0), nullptr, 16)] = Text::given;
  staleness.load(database, run);
  Statement kept = database.prepare("SELECT finding, session, seq, sql, parameters FROM examples WHERE run = ? ORDER BY finding, slot");
  kept.bind(run);
  while (kept.step()) {
    session::ExchangeId exchange{SessionId{kept.count(1)}, static_cast<std::uint32_t>(kept.count(2))};
    smallest[kept.text(0)].admit(rank_of(exchange), values_of(kept.text(3), kept.text(4)));
  }
}

void RunWriter::State::write_progress() {
  Statement put = database.prepare("INSERT OR REPLACE INTO progress (run, session, done, beyond) VALUES (?, ?, ?, ?)");
  for (const SessionProgress& session : progress) {
    std::string beyond;
    for (std::uint32_t seq : session.beyond) beyond += (beyond.empty() ? "" : ",") + std::to_string(seq);
    put.run(info.id, session.session.value, std::uint64_t{session.done}, beyond);
  }
}

RunWriter::RunWriter(RunWriter&&) noexcept = default;

RunWriter::~RunWriter() {
  if (!state_) return;
  try {
    state_->flush();
  } catch (const Failure&) {
    // The Failure that matters was thrown by the last flush() or finish(); a destructor has nobody to tell.
  }
}

void RunWriter::add(const compare::Judgement& judgement, const std::string& file) {
  if (judgement.verdicts.empty()) return;
  std::uint64_t fingerprint = state_->admit(judgement.fingerprint, judgement.normalized);
  std::vector<std::string> counted;  // a finding counts executions: two like verdicts on one are one event
  for (const compare::Verdict& verdict : judgement.verdicts) {
    std::string id = compare::signature(fingerprint, verdict.difference, verdict.cause);
    if (std::find(counted.begin(), counted.end(), id) != counted.end()) continue;
    counted.push_back(id);
    State::FindingDelta& delta = state_->findings[id];
    delta.fingerprint = fingerprint;
    delta.difference = verdict.difference;
    delta.cause = verdict.cause;
    delta.level = std::max(delta.level, verdict.level);
    ++delta.events;
    if (verdict.cause != compare::Cause::unexamined) ++delta.examined;
    delta.first_time = std::min(delta.first_time, judgement.time);
    delta.last_time = std::max(delta.last_time, judgement.time);
    if (verdict.staleness) state_->staleness.add(verdict.cause, *verdict.staleness);
    state_->put_example(id, judgement, verdict, file);
  }
  state_->flush_if_full();
}

void RunWriter::count_execution(std::uint64_t fingerprint, const std::string& normalized, Execution execution) {
  State::Execution*& known = state_->shortcut(fingerprint).execution;
  if (known == nullptr || !normalized.empty()) known = &state_->executions[state_->admit(fingerprint, normalized)];
  State::Execution& count = *known;
  ++count.seen;
  if (execution == Execution::compared) ++count.compared;
  state_->flush_if_full();
}

void RunWriter::record_latency(std::uint64_t fingerprint, compare::Side side, Vantage vantage, CaptureTime time, std::uint64_t microseconds) {
  WindowedHistogram*& series = state_->shortcut(fingerprint).latency[static_cast<std::size_t>(side) * 2 + static_cast<std::size_t>(vantage)];
  if (series == nullptr) series = &state_->latency[{state_->admit(fingerprint), side, vantage}];
  series->record(time, microseconds);
  state_->flush_if_full();
}

void RunWriter::set_ledger(const Ledger& ledger) { state_->ledger = ledger; }

void RunWriter::set_info(const RunInfo& info) {
  RunInfo& kept = state_->info;
  RunInfo next = info;
  next.id = kept.id;
  next.started = kept.started;
  next.finished = kept.finished;
  kept = std::move(next);
  state_->info_changed = true;
}

void RunWriter::set_server_questions(std::uint64_t count) {
  state_->server_questions = count;
  state_->info_changed = true;
}

void RunWriter::set_limit(std::uint64_t bytes, std::function<void(const std::string&)> tell) {
  state_->limit = StoreLimit(std::max(bytes, smallest_store_limit));
  state_->tell = std::move(tell);
}

void RunWriter::each_latency(const std::function<void(std::uint64_t, const LatencyWindows&)>& visit) {
  state_->latency_tables.each(state_->database, state_->info.id, visit);
}

void RunWriter::set_plans(std::uint64_t fingerprint, std::string plans) {
  state_->plans[state_->admit(fingerprint)] = limited_json(plans, "{}");
}
void RunWriter::set_latency_findings(std::vector<LatencyFinding> findings) { state_->latency_findings = std::move(findings); }

void RunWriter::set_progress(std::vector<SessionProgress> moved) {
  state_->progress.insert(state_->progress.end(), std::make_move_iterator(moved.begin()), std::make_move_iterator(moved.end()));
}
void RunWriter::before_flush(std::function<void()> call) { state_->before_flush = std::move(call); }

void RunWriter::flush() { state_->flush(); }

void RunWriter::finish(CaptureTime when) {
  state_->info.finished = when;
  state_->info_changed = true;
  state_->flush();
}

}  // namespace darktap::store
