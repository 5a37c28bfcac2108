#include "explain_watch.h"

#include <algorithm>

#include "base/json.h"
#include "mysql/row.h"
#include "session/render.h"
#include "session/understanding.h"

namespace darktap::run {

namespace {

using std::chrono::steady_clock;

// A fixed mixing function (splitmix64's finaliser): the same execution on every machine.
constexpr std::uint64_t mix(std::uint64_t value) {
  value += 0x9e3779b97f4a7c15;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

// [{column: cell, …}, …]
std::string rows_of(const mysql::ResultSet& rows, std::uint16_t collation) {
  JsonWriter json;
  json.begin_array();
  for (std::size_t i = 0; i < std::min(rows.rows.size(), ExplainWatch::shown_rows); ++i) {
    auto cells = mysql::decode_row(rows.rows.row(i), rows.columns, rows.format);
    if (!cells) continue;
    json.begin_object();
    for (std::size_t c = 0; c < cells->size(); ++c) {
      json.key(rows.columns[c].name);
      session::write_cell(json, (*cells)[c], rows.columns[c], collation);
    }
    json.end_object();
  }
  json.end_array();
  return json.take();
}

}  // namespace

ExplainWatch::ExplainWatch(client::Asker& target, std::optional<client::Asker>& reference, Sides sides, double questions_per_second,
                           TargetKind kind)
    : target_(target), reference_(reference), sides_(sides), kind_(kind), pause_(std::chrono::nanoseconds(static_cast<std::int64_t>(2e9 / std::max(questions_per_second, 0.01)))) {}

void ExplainWatch::note(const session::Exchange& exchange, const sql::Meaning& meaning) {
  if (meaning.statement_class != sql::StatementClass::read || exchange.command.text_state != mysql::Command::Text::known) return;
  if (!session::carries_statement(exchange.command.code) || exchange.command.code == mysql::CommandCode::stmt_prepare || exchange.command.bulk_rows > 0) return;
  std::uint64_t rank = mix(mix(exchange.id.session.value) ^ exchange.id.seq);
  auto known = samples_.find(meaning.fingerprint);
  if (known != samples_.end() && known->second.rank <= rank) return;
  if (exchange.command.text.size() > max_statement_bytes) return;
  if (known == samples_.end()) {
    if (samples_.size() >= max_statements || bytes_ >= max_bytes) return;
    known = samples_.emplace(meaning.fingerprint, Sample{}).first;
  }
  bytes_ -= known->second.bytes();
  known->second = {rank, exchange.schema, exchange.collation, exchange.command};
  bytes_ += known->second.bytes();
}

void ExplainWatch::begin(Round round) {
  auto now = steady_clock::now();
  for (std::uint64_t fingerprint : wanted_) {
    auto last = last_asked_.find(fingerprint);
    auto sample = samples_.find(fingerprint);
    if (sample == samples_.end()) continue;
    bool known = last != last_asked_.end() && (round == Round::last ? last->second.rank == sample->second.rank : now - last->second.when < between_plans);
    if (!known && std::find(queue_.begin(), queue_.end(), fingerprint) == queue_.end()) queue_.push_back(fingerprint);
  }
}

void ExplainWatch::turn(store::RunWriter& writer) {
  for (auto& [fingerprint, plans] : done_) writer.set_plans(fingerprint, std::move(plans));
  done_.clear();
  auto now = steady_clock::now();
  if (queue_.empty() || now < next_) return;
  next_ = now + pause_;
  std::uint64_t fingerprint = queue_.front();
  queue_.pop_front();
  last_asked_[fingerprint] = {now, samples_.at(fingerprint).rank};
  bool both = reference_ && sides_ == Sides::both;
  asked_[fingerprint] = {{}, {}, both ? 2U : 1U};
  if (both) ask(fingerprint, compare::Side::reference, Tried::explain);
  ask(fingerprint, compare::Side::target, kind_ == TargetKind::vtgate ? Tried::vexplain : Tried::explain);
}

void ExplainWatch::ask(std::uint64_t fingerprint, compare::Side side, Tried tried) {
  const Sample& sample = samples_.at(fingerprint);
  mysql::Command command = sample.command;
  command.text.insert(0, tried == Tried::vexplain ? "VEXPLAIN PLAN " : "EXPLAIN ");
  ++open_;
  client::Asker& asker = side == compare::Side::target ? target_ : *reference_;
  asker.ask(sample.schema, sample.collation, std::move(command),
            [this, fingerprint, side, tried](Expected<client::Reply, std::string>&& reply) { heard(fingerprint, side, tried, std::move(reply)); });
}

void ExplainWatch::heard(std::uint64_t fingerprint, compare::Side side, Tried tried, Expected<client::Reply, std::string>&& reply) {
  --open_;
  auto entry = asked_.find(fingerprint);
  if (entry == asked_.end()) return;
  compare::Comparer::QuestionCount& count = counts_[static_cast<std::size_t>(side)];
  ++count.n;
  if (reply) count.time_us += static_cast<std::uint64_t>(std::max<std::int64_t>(0, to_microseconds(reply->last_byte - reply->sent)));
  const mysql::ResultSet* rows = reply ? reply->answer.first_rows() : nullptr;
  const Sample& sample = samples_.at(fingerprint);
  // What explains itself by neither name may do so by the other.
  if (rows == nullptr && reply && side == compare::Side::target && tried != Tried::explain_last && (tried == Tried::vexplain) == (kind_ == TargetKind::vtgate))
    return ask(fingerprint, side, tried == Tried::vexplain ? Tried::explain_last : Tried::vexplain);
  std::string plan;
  if (rows != nullptr) plan = rows_of(*rows, sample.collation);
  else if (const mysql::ServerError* error = reply ? reply->answer.error() : nullptr) plan = JsonWriter().begin_object().member("error", error->message).end_object().take();
  else plan = JsonWriter().begin_object().member("error", reply ? std::string("no rows") : reply.error()).end_object().take();
  Asked& asked = entry->second;
  (side == compare::Side::target ? asked.target : asked.reference) = std::move(plan);
  if (--asked.missing > 0) return;
  JsonWriter json;
  json.begin_object().member("sql", session::to_utf8(sample.command.text, sample.collation).text).key("reference");
  if (asked.reference) json.raw(*asked.reference);
  else json.null();
  json.key("target").raw(asked.target.value_or("null")).end_object();
  done_.emplace_back(fingerprint, json.take());
}

}  // namespace darktap::run
