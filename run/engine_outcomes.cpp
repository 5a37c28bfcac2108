// The engine's other half: what came of each exchange, told to the ledger, the comparer, the store and the progress line.
#include <algorithm>

#include "engine.h"
#include "session/render.h"

namespace darktap::run {

using std::chrono::steady_clock;

namespace {
const std::string rewritten = "rewritten";  // compared, with the source's time written into the text
constexpr std::size_t most_text_told = 2000;
}

void Engine::bin(store::Bin bin, const std::string& reason, const session::Exchange& exchange, const sql::Meaning& meaning, store::Execution execution) {
  if (input_.schedule) positions_.mark(exchange.id);
  if (reason.empty()) binned_.add(bin);
  else binned_.add(bin, reason);
  if (session::carries_statement(exchange.command.code) && exchange.command.text_state == mysql::Command::Text::known)
    count_execution(meaning, exchange.collation, execution);
}

void Engine::count_execution(const sql::Meaning& meaning, std::uint16_t collation, store::Execution execution) {
  bool is_told = told_.contains(meaning.fingerprint);
  if (!is_told && told_.size() < store::fingerprint_cap) told_.insert(meaning.fingerprint);
  writer_.count_execution(meaning.fingerprint, is_told ? std::string() : session::to_utf8(meaning.normalized, collation).text, execution);
}

void Engine::record_latencies(const sql::Meaning& meaning, mysql::CommandCode code, CaptureTime request, std::chrono::nanoseconds source, std::chrono::nanoseconds target) {
  if (!session::carries_statement(code) || code == mysql::CommandCode::stmt_prepare) return;
  auto microseconds = [](std::chrono::nanoseconds d) { return static_cast<std::uint64_t>(std::max<std::int64_t>(0, to_microseconds(d))); };
  latency_.note(meaning.fingerprint, meaning.statement_class);
  writer_.record_latency(meaning.fingerprint, compare::Side::source, store::Vantage::tap, request, microseconds(source));
  writer_.record_latency(meaning.fingerprint, compare::Side::target, store::Vantage::client, request, microseconds(target));
  second_latency_.record(microseconds(target));
}

void Engine::on_match(const Match& match, const replay::MeaningPtr& meaning) {
  if (again_.erase(match.id) > 0) return;
  last_answer_ = steady_clock::now();
  if (match.time == replay::Sent::Time::written_in) binned_.add(store::Bin::compared, rewritten);
  else binned_.add(store::Bin::compared);
  if (input_.schedule) positions_.mark(match.id);
  // An equal pair was answered, so its text was known.
  if (session::carries_statement(match.code)) count_execution(*meaning, match.collation, store::Execution::compared);
  record_latencies(*meaning, match.code, match.request, match.source_latency, match.last_byte - match.sent);
  comparer_.matched(match.id, match.last_byte + input_.shift);
}

void Engine::on_outcome(session::Exchange&& exchange, const replay::MeaningPtr& meaning, replay::TargetAnswer&& target) {
  if (again_.erase(exchange.id) > 0) return;
  last_answer_ = steady_clock::now();
  if (target.answer.error() != nullptr && exchange.answer.error() == nullptr) ++errors_;
  if (opens_cursor(exchange)) {
    cursors_.answered(std::move(exchange), meaning, std::move(target));
    return judge_cursors();
  }
  bin(store::Bin::compared, target.time == replay::Sent::Time::written_in ? rewritten : "", exchange, *meaning, store::Execution::compared);
  record_latencies(*meaning, exchange.command.code, exchange.request_first, exchange.response_last - exchange.request_last, target.last_byte - target.sent);
  if (!target.sent_text.empty()) sent_texts_[exchange.id] = session::to_utf8(target.sent_text, exchange.collation).text;
  compare::Outcome outcome{std::move(target.answer), target.sent + input_.shift, target.first_byte + input_.shift, target.last_byte + input_.shift};
  if (session::is_sealed(exchange.answer)) return compare({std::move(exchange), meaning, std::move(outcome)});
  comparer_.compare(std::move(exchange), *meaning, std::move(outcome), tap_now());
}

void Engine::on_not_sent(session::Exchange&& exchange, const replay::MeaningPtr& meaning, const std::string& reason) {
  if (again_.erase(exchange.id) > 0) return;
  if (opens_cursor(exchange)) cursors_.drop(exchange, store::Bin::skipped, "cursor");
  judge_cursors();
  bin(store::Bin::skipped, reason, exchange, *meaning, store::Execution::not_compared);
}

void Engine::on_failed(session::Exchange&& exchange, const replay::MeaningPtr& meaning, const std::string& reason) {
  if (again_.erase(exchange.id) > 0) return;
  if (reason == "given_up" && stopped_ != steady_clock::time_point() && input_.schedule) return;  // the user's stop: it stays pending
  ++errors_;
  if (opens_cursor(exchange)) cursors_.drop(exchange, store::Bin::target_failed, reason);
  judge_cursors();
  bin(store::Bin::target_failed, reason, exchange, *meaning, store::Execution::not_compared);
  // What was to be kept may be missing at the target after all: what reads it differs for that.
  if (policy_.writes == replay::Writes::applied && reason != "given_up") comparer_.lost(exchange.id);
  if (reason != "timeout") return;
  compare::Judgement judgement;
  judgement.exchange = exchange.id;
  judgement.provenance = exchange.provenance;
  judgement.time = exchange.request_first;
  judgement.fingerprint = meaning->fingerprint;
  judgement.normalized = session::to_utf8(meaning->normalized, exchange.collation).text;
  JsonWriter evidence, parameters, source;
  evidence.begin_object().member("statement_timeout_us", to_microseconds(options_.limits.statement));
  evidence.member("source_latency_us", to_microseconds(exchange.response_last - exchange.request_last)).end_object();
  judgement.verdicts.push_back({compare::Difference::timeout, compare::Cause::defect, compare::Level::proved, evidence.take()});
  judgement.sql = session::to_utf8(exchange.command.text, exchange.collation).text;
  session::write_parameters(parameters, exchange.command, exchange.collation);
  judgement.parameters = parameters.take();
  session::write_answer(source, exchange.answer, exchange.collation, 20);
  judgement.source_answer = source.take();
  judgement.target_answer = R"({"outcome":"none"})";
  on_judgement(judgement);
}

void Engine::on_shed(session::Exchange&& exchange, const replay::MeaningPtr& meaning) {
  if (again_.erase(exchange.id) > 0) return;
  if (opens_cursor(exchange)) cursors_.drop(exchange, store::Bin::shed, "target_queue_full");
  judge_cursors();
  bin(store::Bin::shed, "target_queue_full", exchange, *meaning, store::Execution::not_compared);
}

void Engine::on_gave_up(const std::string& line) {
  if (stopped_ == steady_clock::time_point()) gave_up_ = line;
}

// The verdict is about what was sent, which isn't what was captured.
void Engine::tell_rewritten(compare::Judgement& judgement) {
  auto sent = sent_texts_.extract(judgement.exchange);
  if (!sent) return;
  JsonWriter told;
  told.begin_object().member("captured", std::string_view(judgement.sql).substr(0, most_text_told)).member("sent", std::string_view(sent.mapped()).substr(0, most_text_told)).end_object();
  for (compare::Verdict& verdict : judgement.verdicts) {
    std::string& evidence = verdict.evidence;
    const bool is_empty = evidence.size() <= 2;
    evidence = (is_empty ? "{" : evidence.substr(0, evidence.rfind('}')) + ",") + "\"rewritten\":" + told.take() + "}";
  }
}

void Engine::on_judgement(compare::Judgement& judgement) {
  if (!sent_texts_.empty()) tell_rewritten(judgement);
  if (!judgement.verdicts.empty()) ++mismatches_;
  for (const compare::Verdict& verdict : judgement.verdicts) {
    ++mismatches_by_[{verdict.difference, verdict.cause}];
    if (verdict.cause == compare::Cause::defect || verdict.cause == compare::Cause::order_violated) explain_.want(judgement.fingerprint);
  }
  writer_.add(judgement, file_of(judgement.provenance));
}

void Engine::judge_latency() {
  std::vector<store::LatencyFinding> slower = latency_.judge(writer_, captured_round_trips());
  for (const store::LatencyFinding& finding : slower) explain_.want(finding.fingerprint);
  writer_.set_latency_findings(std::move(slower));
  writer_.flush();
}

// At the run's end, as long as both servers answer.
void Engine::explain_findings() {
  if (replayer_.gave_up()) return;
  explain_.begin(ExplainWatch::Round::last);
  auto end = steady_clock::now() + (stopped_ != steady_clock::time_point() || !input_.schedule ? patience::plans_of_stopped : patience::plans);
  auto calibrated = stopped_ != steady_clock::time_point() || !input_.schedule ? end : steady_clock::now() + patience::calibration;
  for (auto now = steady_clock::now(); (!explain_.is_idle() && now < end) || (!calibration_.is_idle() && now < calibrated); now = steady_clock::now()) {
    explain_.turn(writer_);
    calibration_.turn(tap_now());
    loop_.run_once(std::chrono::milliseconds(10));
  }
  explain_.turn(writer_);
  writer_.flush();
}

// What the findings don't show: where the replay had to help itself.
void Engine::tell_of_writes() const {
  if (!options_.tell) return;
  const replay::Replayer::Counters counters = replayer_.counters();
  auto tell = [&](std::uint64_t count, const std::string& what) {
    if (count > 0) options_.tell(std::to_string(count) + " " + what);
  };
  tell(counters.retried, "transactions were run again after a deadlock, a lock wait or a kill");
  tell(counters.refused_read_only, "writes were refused, since the target is read-only; SET GLOBAL read_only = 0 there (super_read_only, too, where it has that), and run again");
  tell(counters.pins_refused, "statements ran without the source's time or ids: the target refuses SET timestamp or insert_id");
  if (!order_) return;
  tell(order_->counters().waited, "commands waited for what they had seen at the source");
  tell(order_->counters().reordered, "reads were asked again behind a commit that was under way at the same time");
  tell(order_->counters().broken, "commands were let go against the order, since all others waited for them");
}

// What the writer stores at a flush: all of one moment.
void Engine::tell_writer() {
  store::Ledger ledger = binned_;
  std::uint64_t known = std::max(input_.total, taken_ + recorded_shed_);
  if (known > binned_.total()) ledger.add(store::Bin::pending, known - binned_.total());
  writer_.set_ledger(ledger);
  for (compare::Side side : {compare::Side::reference, compare::Side::target}) {
    auto count = comparer_.questions(side), plans = explain_.questions(side);
    if (side == compare::Side::reference) {
      count.n += calibration_.questions().n;
      count.time_us += calibration_.questions().time_us;
    }
    info_.questions[std::string(compare::to_string(side))] = {count.n + plans.n, count.time_us + plans.time_us};
  }
  info_.target_follows = comparer_.target_follows();
  info_.round_trips = latency_.round_trips(captured_round_trips());
  writer_.set_info(info_);
  if (input_.schedule) writer_.set_progress(positions_.take_changed());
}

void Engine::flush() {
  note_own_connections();
  if (std::uint64_t shed = input_.inbox.shed_exchanges(); shed > recorded_shed_) {
    binned_.add(store::Bin::shed, "input_queue_full", shed - recorded_shed_);
    recorded_shed_ = shed;
  }
  writer_.flush();
}

Progress Engine::make_progress() {
  auto now = steady_clock::now();
  Progress progress;
  progress.elapsed = now - started_;
  progress.total = input_.total;
  progress.ledger = binned_;
  progress.mismatches = mismatches_;
  progress.open_cases = comparer_.open_cases();
  progress.questions = comparer_.questions(compare::Side::reference).n + comparer_.questions(compare::Side::target).n;
  progress.questions_per_second = options_.judging.questions_per_second;
  replay::Replayer::Counters counters = replayer_.counters();
  std::chrono::duration<double> since = now - last_progress_;
  if (since.count() > 0) progress.sent_per_second = static_cast<double>(counters.sent - last_sent_) / since.count();
  last_sent_ = progress.sent = counters.sent;
  progress.recorded_per_second = input_.recorded_per_second;
  progress.errors = errors_;
  if (now < eased_until_) progress.eased = breaker_.reason();
  progress.connections = counters.open_connections;
  progress.connections_lost = counters.lost;
  progress.connections_refused = counters.full;
  progress.lateness = replayer_.lateness();
  progress.lateness_sum_us = replayer_.lateness_sum_us();
  for (const auto& [what, count] : mismatches_by_) progress.mismatches_by[{std::string(compare::to_string(what.first)), std::string(compare::to_string(what.second))}] = count;
  return progress;
}

std::string Engine::file_of(const Provenance& provenance) const {
  return provenance.file < input_.files.size() ? input_.files[provenance.file] : std::string();
}

}  // namespace darktap::run
