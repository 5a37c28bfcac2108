// What a session is given for its statements: what it had set before its file of a series began, and the source's time where the
// target will not be told it. Which settings a run leaves out is told at its end.
#include <algorithm>
#include <limits>
#include <utility>

#include "engine.h"
#include "replay/pinning.h"
#include "replay/written_ids.h"

namespace darktap::run {

namespace {

constexpr std::size_t most_variables_told = 20;

}  // namespace

void Engine::restore_settings(session::SessionInfo& session, const session::Exchange& first, CaptureTime due) {
  std::uint32_t seq = std::numeric_limits<std::uint32_t>::max();  // none of the recording's own
  for (const std::string& text : std::exchange(session.settings, {})) {
    session::Exchange setting;
    setting.id = {first.id.session, seq--};
    setting.user = first.user;
    setting.schema = first.schema;
    setting.collation = first.collation;
    setting.command.code = mysql::CommandCode::query;
    setting.command.text = text;
    setting.command.text_state = mysql::Command::Text::known;
    setting.request_first = setting.request_last = setting.response_first = setting.response_last = first.request_first;
    const sql::Dialect dialect = understanding_.dialect(session, setting);
    auto meaning = understanding_.of(session, setting);
    variables_.note(setting, *meaning);
    replay::Decision decision = replay::decide(setting, *meaning, policy_);
    note_variables_left(decision, *meaning);
    std::string left = left_out(setting, *meaning, decision.action, due);
    if (!left.empty() || decision.action != replay::Decision::Action::send_as_state) continue;
    replay::Sent sent = under_its_names(setting, *meaning, dialect, decision, left);
    if (!left.empty()) continue;
    again_.insert(setting.id);
    stand_where_captured(session, setting, *meaning, sent);
    replayer_.submit(std::make_unique<session::Exchange>(std::move(setting)), std::move(meaning), due, std::move(sent));
  }
}

// A client that named no schema when it logged in stands in none at the target, either: there, too, it is told so. Whose login was
// not seen may have named any, and who found a table by its bare name stood somewhere all the same.
void Engine::stand_where_captured(const session::SessionInfo& session, const session::Exchange& exchange, const sql::Meaning& meaning, replay::Sent& sent) {
  auto is_bare = [](const sql::TableName& table) { return table.schema.empty(); };
  const bool names_bare = std::any_of(meaning.tables_read.begin(), meaning.tables_read.end(), is_bare) || std::any_of(meaning.tables_written.begin(), meaning.tables_written.end(), is_bare);
  const bool is_known = session.join == session::SessionInfo::Join::from_login && !exchange.user.empty() && (!names_bare || exchange.answer.error() != nullptr);
  if (is_known && exchange.schema.empty() && !sent.schema) sent.schema.emplace();
}

void Engine::write_time_in(const session::Exchange& exchange, const sql::Meaning& meaning, replay::Sent& sent) {
  using enum mysql::CommandCode;
  const mysql::CommandCode code = exchange.command.code;
  if (code != query && code != stmt_execute && code != stmt_bulk_execute) return;
  if (prepared_.clock == replay::TargetClock::its_own) write_ids_in(exchange, meaning, sent);
  if (meaning.nondeterministic.empty()) return;
  auto known = input_.clock != nullptr ? input_.clock->time_of(exchange.id) : std::nullopt;
  const sql::Dialect dialect = understanding_.dialect(sessions_[exchange.id.session], exchange);
  const mysql::Command& command = sent.command ? *sent.command : exchange.command;
  auto text = replay::with_time_written_in(command.text, meaning, dialect, known.value_or(exchange.request_last), prepared_.clock);
  if (!text) return;
  if (!sent.command) sent.command = exchange.command;
  sent.command->text = std::move(*text);
  sent.time = replay::Sent::Time::written_in;
}

void Engine::write_ids_in(const session::Exchange& exchange, const sql::Meaning& meaning, replay::Sent& sent) {
  auto first = replay::first_generated_id(exchange, meaning);
  if (!first || meaning.tables_written.size() != 1 || meaning.statements != 1) return;
  const sql::TableName& name = meaning.tables_written.front();
  const sql::Table* table = prepared_.catalogue.table(name.schema.empty() ? exchange.schema : name.schema, name.name);
  if (table == nullptr) return;
  const sql::Dialect dialect = understanding_.dialect(sessions_[exchange.id.session], exchange);
  auto text = replay::with_ids_written_in(sent.command ? sent.command->text : exchange.command.text, dialect, *table, *first);
  if (!text) return;
  if (!sent.command) sent.command = exchange.command;
  sent.command->text = std::move(*text);
  sent.first_id = *first;
  sent.time = replay::Sent::Time::written_in;
}

void Engine::note_variables_left(const replay::Decision& decision, const sql::Meaning& meaning) {
  if (decision.reason != "session_variable" && decision.sent_text.empty()) return;
  for (const sql::Effect& effect : meaning.effects) {
    if (effect.kind != sql::EffectKind::session_state || replay::is_harmless_variable(effect.subject)) continue;
    bool has_room = variables_left_.size() < most_variables_told || variables_left_.contains(effect.subject);
    ++variables_left_[has_room ? effect.subject : "others"];
  }
}

void Engine::tell_of_variables() const {
  if (options_.tell && joined_ > 0)
    options_.tell(std::to_string(joined_) + " sessions were joined in their middle: what they had set before isn't known (sql_mode, time_zone, character set, open transactions, prepared statements); begin the capture before they log in" +
                  (input_.schedule ? "" : ", or give --prime"));
  if (!options_.tell || variables_left_.empty()) return;
  std::string names;
  for (const auto& [name, count] : variables_left_) names += (names.empty() ? "" : ", ") + name + " (" + std::to_string(count) + ")";
  options_.tell("not set on the target, since they are not known to change the session's own answers alone: " + names);
}

}  // namespace darktap::run
