#include "unknown_settings.h"

#include <algorithm>

#include "evidence.h"
#include "investigator.h"

namespace darktap::compare {

namespace {

constexpr const char* what_is_unknown = "the session was joined in its middle: what it had set before (sql_mode, time_zone, …) isn't known";

}  // namespace

void JoinedSessions::joined(SessionId session) {
  if (known_from_.size() < max_sessions_joined) known_from_.try_emplace(session);
}

void JoinedSessions::observe(const session::Exchange& exchange, const sql::Meaning& meaning) {
  auto entry = known_from_.empty() ? known_from_.end() : known_from_.find(exchange.id.session);
  if (entry == known_from_.end() || exchange.answer.error() != nullptr) return;
  using enum mysql::CommandCode;
  const bool begins_anew = exchange.command.code == change_user || exchange.command.code == reset_connection;
  const bool sets = exchange.is_observed() && meaning.verb == "set" && std::any_of(meaning.effects.begin(), meaning.effects.end(), [](const sql::Effect& effect) {
    return effect.kind == sql::EffectKind::session_state && effect.subject == "sql_mode" && effect.value.find('@') == std::string::npos;
  });
  if ((begins_anew || sets) && !entry->second) entry->second = exchange.id.seq;
}

bool JoinedSessions::mode_is_unknown(session::ExchangeId exchange) const {
  auto entry = known_from_.find(exchange.session);
  return entry != known_from_.end() && (!entry->second || exchange.seq < *entry->second);
}

std::vector<std::string> other_modes(const std::string& text, const sql::Dialect& dialect) {
  struct Mode {
    const char *name, *mark;
    bool is_taken;
  };
  std::vector<std::string> single;
  std::string all;
  for (const Mode& mode : {Mode{"ANSI_QUOTES", "\"", dialect.mode.ansi_quotes}, Mode{"PIPES_AS_CONCAT", "||", dialect.mode.pipes_as_concat},
                           Mode{"NO_BACKSLASH_ESCAPES", "\\", dialect.mode.no_backslash_escapes}}) {
    if (mode.is_taken || text.find(mode.mark) == std::string::npos) continue;
    single.push_back(mode.name);
    all += (all.empty() ? "" : ",") + single.back();
  }
  std::vector<std::string> modes;
  if (single.size() > 1) modes.push_back(all);
  modes.insert(modes.end(), single.begin(), single.end());
  // Read in another way it must still be a read.
  std::erase_if(modes, [&](const std::string& mode) {
    sql::Dialect other = dialect;
    other.mode = sql::parse_sql_mode(mode);
    const sql::Meaning meaning = sql::understand(text, other);
    return !meaning.understood || meaning.statement_class != sql::StatementClass::read || meaning.statements != 1;
  });
  return modes;
}

void excuse_columns(Verdict& columns, const CaseFile& file, const Conclusion& conclusion) {
  Evidence evidence;
  if (file.variables.left_out()) {
    columns.cause = judge_user_variable(*file.variables.unknown, evidence.json()).cause;
    columns.evidence = object_of(evidence.take_members());
  } else if (!conclusion.agrees_under.empty()) {
    columns.cause = Cause::replay_artifact;
    evidence.json().member("reason", what_is_unknown).member("agrees_under_sql_mode", conclusion.agrees_under);
    put_behind(columns.evidence, std::move(evidence));
  }
}

namespace {

bool hangs_on_settings(const CaseFile& file, const Conclusion& conclusion) {
  return file.settings == CaseFile::Settings::unknown && conclusion.verdict && counts_by_default(conclusion.verdict->difference, conclusion.verdict->cause);
}

// Asks the target under other modes; the conclusion stands where none makes it agree, and says what isn't known.
Task<Conclusion> under_other_modes(const CaseFile& file, Interview& interview, Conclusion conclusion) {
  std::vector<std::string> modes;
  if (file.meaning.statement_class == sql::StatementClass::read) {
    sql::Dialect dialect = dialect_of(file.exchange.collation);
    dialect.mode = file.meaning.mode;
    modes = other_modes(file.exchange.command.text, dialect);
  }
  std::vector<std::string> asked;
  for (const std::string& mode : modes) {
    std::vector<Ask> asks;
    asks.push_back({Side::target, file.exchange.command, {{"sql_mode", "'" + mode + "'"}}});
    std::vector<Heard> heard = co_await interview.ask(std::move(asks), file.opened);
    const mysql::Answer* answer = heard[0].answer();
    if (answer == nullptr) break;
    asked.push_back(mode);
    if (!examine(file.exchange.answer, *answer, file.plan).agrees()) continue;
    Evidence evidence;
    evidence.json().member("reason", what_is_unknown);
    evidence.json().member("agrees_under_sql_mode", mode);
    conclusion.agrees_under = mode;
    conclusion.verdict->cause = Cause::replay_artifact;
    conclusion.verdict->level = Level::confirmed;
    put_behind(conclusion.verdict->evidence, std::move(evidence));
    co_return conclusion;
  }
  Evidence evidence;
  evidence.json().member("settings", what_is_unknown);
  if (!asked.empty()) {
    evidence.json().key("differs_under_sql_mode").begin_array();
    for (const std::string& mode : asked) evidence.json().string(mode);
    evidence.json().end_array();
  }
  put_behind(conclusion.verdict->evidence, std::move(evidence));
  co_return conclusion;
}

}  // namespace

// The whole of a case: its story, and where that counts, what the session's settings leave open.
Task<Conclusion> investigate(const CaseFile& file, Interview& interview, World world) {
  Investigator investigator(file, interview, world);
  Task<Conclusion> story = investigator.run();
  Conclusion conclusion = co_await story;
  if (!hangs_on_settings(file, conclusion)) co_return conclusion;
  Task<Conclusion> asking = under_other_modes(file, interview, std::move(conclusion));
  co_return co_await asking;
}

}  // namespace darktap::compare
