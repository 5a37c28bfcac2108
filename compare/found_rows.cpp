#include "found_rows.h"

#include "base/text.h"
#include "question_sql.h"
#include "sql/rewrite.h"

namespace darktap::compare {

bool ask_as_count(CaseFile& file) {
  const std::shared_ptr<const CountedRead>& counted = file.history.counted;
  const std::vector<sql::SelectItem>& items = file.plan.shape.items;
  bool nothing_else = items.size() == 1 && same_name(items.front().text, "found_rows()") && file.plan.columns.size() == 1 && file.meaning.tables_read.empty();
  if (!counted || !nothing_else || file.history.previous != Replayed::sent) return false;
  Plan below = make_plan(counted->command, counted->collation, {}, {}, nullptr, counted->schema, counted->mode);
  auto sql = sql::count_found_rows(below.sql, file.plan.columns.front().name, below.dialect);
  auto command = sql ? rewritten(counted->command, below, std::move(*sql)) : std::nullopt;
  if (!command) return false;
  session::Exchange& exchange = file.exchange;
  file.captured = {std::move(exchange.command), exchange.request_first, file.meaning.fingerprint, std::move(file.meaning.normalized)};
  file.meaning = sql::understand(command->text, below.dialect);
  exchange.command = std::move(*command);
  exchange.schema = counted->schema;
  exchange.collation = counted->collation;
  exchange.request_first = counted->request;
  exchange.response_last = counted->response;
  file.older.reset();
  return true;
}

}  // namespace darktap::compare
