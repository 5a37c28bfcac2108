#include "distinct_order.h"

#include <algorithm>
#include <map>

#include "evidence.h"
#include "heard_rows.h"
#include "question_sql.h"
#include "sql/same_rows.h"

namespace darktap::compare {

namespace {

using Finding = InquiryResult::Finding;

// Each row's ranks among the keys, ascending.
using Ranks = std::map<std::string, std::vector<std::size_t>>;

Ranks ranks_of(const Table& keyed, ColumnPlans columns) {
  Ranks ranks;
  std::size_t rank = 0;
  for (std::size_t row = 0; row < keyed.rows.size(); ++row) {
    bool tied = row == 0 || std::equal(keyed.rows[row].begin() + static_cast<std::ptrdiff_t>(columns.size()), keyed.rows[row].end(), keyed.rows[row - 1].begin() + static_cast<std::ptrdiff_t>(columns.size()));
    if (!tied) ++rank;
    std::vector<std::size_t>& of_row = ranks[row_key(keyed, row, columns)];
    if (of_row.empty() || of_row.back() != rank) of_row.push_back(rank);
  }
  return ranks;
}

// Greedily the lowest rank that is not before the one in front.
bool can_stand_so(const Table& answer, const Ranks& ranks, ColumnPlans columns) {
  std::size_t current = 0;
  for (std::size_t row = 0; row < answer.rows.size(); ++row) {
    auto found = ranks.find(row_key(answer, row, columns));
    if (found == ranks.end()) return false;
    auto place = std::lower_bound(found->second.begin(), found->second.end(), current);
    if (place == found->second.end()) return false;
    current = *place;
  }
  return true;
}

}  // namespace

Task<InquiryResult> ask_order_of_distinct(const Examination& open, const Plan& plan, const mysql::Command& original, Interview& interview, CaptureTime now) {
  InquiryResult result{Finding::unknown, Cause::unexamined, {}, "the rows that were made one can't be asked for with their keys"};
  const sql::QueryShape& shape = plan.shape;
  bool plain = shape.kind == sql::ShapeKind::select && shape.group_by.empty() && !shape.aggregate_without_group && !shape.has_window && !shape.items.empty();
  if (!plain || plan.has_limit || plan.rows_hang_on_order || !open.a || !open.b || !open.match.complete() || !open.match.rules.empty()) co_return result;
  std::string asked(std::string_view(plan.sql).substr(shape.items.front().span.begin, shape.items.back().span.end - shape.items.front().span.begin));
  for (const sql::SortKey& key : shape.order_by) asked += ", " + (key.item ? shape.items[*key.item].text : key.text);
  auto sql = sql::over_same_rows(plan.sql, asked, "", " " + std::string(sql::text_at(plan.sql, shape.order_clause)) + " LIMIT " + std::to_string(max_question_rows), plan.dialect);
  auto question = sql ? rewritten(original, plan, std::move(*sql)) : std::nullopt;
  if (!question) co_return result;
  std::vector<Ask> asks;
  asks.push_back({Side::reference, *question});
  std::vector<Heard> heard = co_await interview.ask(std::move(asks), now);
  auto keyed = rows_heard(heard[0]);
  if (!keyed || keyed->rows.size() >= max_question_rows || keyed->columns.size() != plan.columns.size() + shape.order_by.size()) co_return result;
  Ranks ranks = ranks_of(*keyed, plan.columns);
  if (!can_stand_so(*open.a, ranks, plan.columns) || !can_stand_so(*open.b, ranks, plan.columns)) {
    result.reason = "no row's key puts it where it stands";
    co_return result;
  }
  Evidence evidence;
  evidence.json().member("key_question", quoted_sql(question->text, plan.collation)).member("reference_rows", keyed->rows.size());
  evidence.json().member("rule", "any_row_gives_the_key").member("advice", "order by what is selected");
  co_return InquiryResult{Finding::excused, Cause::order_undefined, evidence.take_members(), {}};
}

}  // namespace darktap::compare
