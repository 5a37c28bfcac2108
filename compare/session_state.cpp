#include "session_state.h"

#include <algorithm>
#include <set>

#include "evidence.h"

namespace darktap::compare {

bool schema_is_unknown(const session::Exchange& exchange, const sql::Meaning& meaning) {
  auto is_bare = [](const sql::TableName& table) { return table.schema.empty(); };
  return exchange.schema.empty() && exchange.answer.error() == nullptr &&
         (std::any_of(meaning.tables_read.begin(), meaning.tables_read.end(), is_bare) || std::any_of(meaning.tables_written.begin(), meaning.tables_written.end(), is_bare));
}

StateJudgement judge_session_state(const Plan& plan, const SessionHistory& history, JsonWriter& evidence) {
  std::set<std::string> functions;
  for (const ColumnPlan& column : plan.columns) functions.insert(column.session_state.begin(), column.session_state.end());
  evidence.key("functions").begin_array();
  for (const std::string& name : functions) evidence.string(name);
  evidence.end_array();
  bool about_ids = !functions.empty() && std::all_of(functions.begin(), functions.end(), [](const std::string& name) {
    return name == "last_insert_id" || name == "@@last_insert_id" || name == "@@identity";
  });
  const std::optional<Replayed>& replayed = about_ids ? history.insert : history.previous;
  std::string statement = about_ids ? history.insert_sql : quoted_sql(history.previous_sql, history.previous_collation);
  if (!replayed) {
    evidence.member("reason", "the statement that set this value was before the capture's begin");
    return {Cause::replay_artifact, Level::proved};
  }
  evidence.member("depends_on", statement);
  if (*replayed == Replayed::not_sent || *replayed == Replayed::rolled_back) {
    evidence.member("reason", "the run did not send the statement that set this value");
    return {Cause::skipped_write, Level::proved};
  }
  if (about_ids) {
    evidence.member("reason", "each server generates its own ids, and this one was not pinned");
    return {Cause::replay_artifact, Level::assumed};
  }
  evidence.member("unexamined_because", "the value belongs to the session: it can't be asked for again");
  return {};
}

}  // namespace darktap::compare
