// A count, a sum, a group, a DISTINCT value may come to agree although the rows that it is made of don't: a later write makes up for a
// row that is missing for good, a reference that is a replica lags itself. Where the data moved since the read, or the reference did, what the target once answered is no proof that it was behind.
#include <algorithm>

#include "explained_rows.h"
#include "investigator.h"
#include "question_sql.h"
#include "same_input.h"
#include "sql/rewrite.h"
#include "sql/same_rows.h"
#include "text.h"

namespace darktap::compare {

namespace {

// The query of SELECT EXISTS (…).
std::optional<std::string> inside_exists(const Plan& plan) {
  const sql::QueryShape& shape = plan.shape;
  if (shape.kind != sql::ShapeKind::select || !shape.tables.empty() || shape.items.size() != 1) return std::nullopt;
  std::string_view text = trimmed(shape.items.front().text);
  if (lower(text.substr(0, 3)) == "not") text = trimmed(text.substr(3));
  if (lower(text.substr(0, 6)) != "exists") return std::nullopt;
  text = trimmed(text.substr(6));
  if (!text.starts_with('(') || !text.ends_with(')')) return std::nullopt;
  return std::string(text.substr(1, text.size() - 2));
}

// What the statement uses of its rows, and which rows they are: their primary keys, where those are known.
std::string columns_that_tell_rows(const Plan& plan, const sql::Catalogue& catalogue, const std::string& schema) {
  std::string used = sql::columns_used(plan.sql, plan.dialect).value_or("*"), keys;
  for (const sql::ShapeTable& table : plan.shape.tables) {
    const sql::Table* known = table.derived ? nullptr : catalogue.table(table.table.schema.empty() ? schema : table.table.schema, table.table.name);
    if (known == nullptr) return "*";
    auto primary = std::find_if(known->unique_keys.begin(), known->unique_keys.end(), [](const sql::UniqueKey& key) { return key.name == "PRIMARY"; });
    if (primary == known->unique_keys.end()) return "*";
    for (const std::string& column : primary->columns) keys += ", " + sql::quote_name(table.alias.empty() ? table.table.name : table.alias) + "." + sql::quote_name(column);
  }
  return keys.empty() ? "*" : used + keys;
}

}  // namespace

bool Investigator::may_agree_by_chance() const {
  bool made_of_rows = plan_.shape.distinct || !shows_rows_as_they_are(plan_);
  if (!made_of_rows || plan_.has_limit || !has_reference() || first_.a == nullptr) return false;
  return reference_differed_ || world_.writes.written_since(file_.scope, file_.exchange.request_first);
}

// Both servers at the same time: do they give the same value, and from the same rows?
Task<bool> Investigator::values_still_apart(CaptureTime now) {
  if (now < next_list_question_) co_return true;
  next_list_question_ = now + inquiry_pause;
  bool still_written = world_.writes.written_since(file_.scope, file_.opened);
  const std::string apart = still_written ? "the values came to agree after a later write, the servers' own did not" : "";
  std::vector<Ask> asks;
  asks.push_back({Side::reference, file_.exchange.command});
  asks.push_back({Side::target, file_.exchange.command});
  std::vector<Heard> heard = co_await interview_.ask(std::move(asks), now);
  if (heard[0].answer() == nullptr || heard[1].answer() == nullptr) co_return false;
  apart_ = apart;
  if (examine(*heard[0].answer(), *heard[1].answer(), whole_).relation == Relation::different) co_return true;
  auto inside = inside_exists(plan_);
  auto query = inside ? rewritten(file_.exchange.command, plan_, std::move(*inside)) : std::nullopt;
  std::optional<Plan> of_query;
  if (query) of_query = make_plan(*query, plan_.collation, {}, {}, nullptr, {}, plan_.dialect.mode);
  const Plan& below = query ? *of_query : plan_;
  Task<std::optional<bool>> asking =
      ask_whether_rows_agree(first_, below, query ? *query : file_.exchange.command, columns_that_tell_rows(below, world_.catalogue, file_.exchange.schema), interview_, now);
  std::optional<bool> agree = co_await asking;
  if (agree == false) co_return true;
  apart_.clear();
  co_return false;
}

}  // namespace darktap::compare
