// A recording of digests: its rows can be compared with the target's by their key, and not read. Where they are the same, or
// the same in another order, the target's rows are the source's. Where they aren't, the reference may still have them; if
// it doesn't, nobody can tell what the difference is.
#include "base/json.h"
#include "engine.h"
#include "session/render.h"

namespace darktap::run {

namespace {

// The reference is asked no faster than the comparer's ladder would.
constexpr std::chrono::milliseconds question_interval{20};
constexpr std::size_t most_open_questions = 1000;

const mysql::ResultSet* rows_at(const mysql::Answer& answer, std::size_t i) {
  return i < answer.results.size() ? std::get_if<mysql::ResultSet>(&answer.results[i]) : nullptr;
}

}  // namespace

void Engine::compare(SealedPair&& pair) {
  auto judge = [this](SealedPair& opened) { comparer_.compare(std::move(opened.exchange), *opened.meaning, std::move(opened.outcome), tap_now()); };
  using Opened = session::RowSeal::Opened;
  // Errors and OKs aren't sealed: an answer of another kind is judged as ever.
  const bool same_kinds = pair.outcome.answer.kind() == pair.exchange.answer.kind() && pair.outcome.answer.results.size() == pair.exchange.answer.results.size();
  if (!same_kinds || input_.seal->open(pair.exchange.answer, pair.outcome.answer) == Opened::all) return judge(pair);
  if (!reference_asker_) return leave_unexamined(pair, "no reference was given");
  if (pair.meaning->statement_class != sql::StatementClass::read) return leave_unexamined(pair, "only a read can be asked again");
  const auto now = std::chrono::steady_clock::now();
  if (now - sealed_last_asked_ < question_interval || sealed_asked_ >= most_open_questions) return leave_unexamined(pair, "the budget of questions was spent");
  sealed_last_asked_ = now;
  ++sealed_asked_;
  auto waiting = std::make_shared<SealedPair>(std::move(pair));
  const session::Exchange& exchange = waiting->exchange;
  reference_asker_->ask(exchange.schema, exchange.collation, exchange.command, [this, waiting, judge](Expected<client::Reply, std::string>&& reply) {
    --sealed_asked_;
    if (!reply) return leave_unexamined(*waiting, reply.error());
    if (input_.seal->open(waiting->exchange.answer, reply->answer) == Opened::all) return judge(*waiting);
    leave_unexamined(*waiting, "the reference has other rows by now");
  });
}

// In the finding, both sides' rows stay digests.
void Engine::leave_unexamined(const SealedPair& pair, const std::string& reason) {
  const session::Exchange& exchange = pair.exchange;
  compare::Difference difference = compare::Difference::row_values;
  for (std::size_t i = 0; i < exchange.answer.results.size(); ++i) {
    const mysql::ResultSet *source = rows_at(exchange.answer, i), *target = rows_at(pair.outcome.answer, i);
    if (source == nullptr || target == nullptr || source->row_count() == target->row_count()) continue;
    difference = source->row_count() > target->row_count() ? compare::Difference::missing_rows : compare::Difference::extra_rows;
    break;
  }
  compare::Judgement judgement;
  judgement.exchange = exchange.id;
  judgement.provenance = exchange.provenance;
  judgement.time = exchange.request_first;
  judgement.fingerprint = pair.meaning->fingerprint;
  judgement.normalized = session::to_utf8(pair.meaning->normalized, exchange.collation).text;
  JsonWriter evidence, parameters, source, target;
  evidence.begin_object().member("reason", "the recording holds digests of the source's rows, and they are not the target's: " + reason).end_object();
  judgement.verdicts.push_back({difference, compare::Cause::unexamined, compare::Level::assumed, evidence.take()});
  judgement.sql = session::to_utf8(exchange.command.text, exchange.collation).text;
  session::write_parameters(parameters, exchange.command, exchange.collation);
  judgement.parameters = parameters.take();
  session::write_answer(source, exchange.answer, exchange.collation, 0);
  judgement.source_answer = source.take();
  session::write_answer(target, pair.outcome.answer, exchange.collation, 0);
  judgement.target_answer = target.take();
  on_judgement(judgement);
}

}  // namespace darktap::run
