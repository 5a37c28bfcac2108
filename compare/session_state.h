// FOUND_ROWS(), ROW_COUNT(), LAST_INSERT_ID(): their value is what the session did before, so that they can't be asked again,
// and differ where the run left that out.
#pragma once

#include "base/json.h"
#include "compare/verdict.h"
#include "plan.h"
#include "session/exchange.h"
#include "sql/meaning.h"
#include "write_index.h"

namespace darktap::compare {

struct StateJudgement {
  Cause cause = Cause::unexamined;
  Level level = Level::assumed;
};
StateJudgement judge_session_state(const Plan& plan, const SessionHistory& history, JsonWriter& evidence);

// It found tables that it names without a schema, and no schema of its session was seen.
bool schema_is_unknown(const session::Exchange& exchange, const sql::Meaning& meaning);

}  // namespace darktap::compare
