#include <algorithm>

#include "evidence.h"
#include "heard_rows.h"
#include "hidden_keys.h"
#include "one_row.h"
#include "order_check.h"
#include "question_sql.h"
#include "same_input.h"
#include "sql/rewrite.h"
#include "text.h"

namespace darktap::compare {

namespace {

using Finding = InquiryResult::Finding;

bool is_group_key(const Plan& plan, const sql::SortKey& key) {
  return std::any_of(plan.shape.group_by.begin(), plan.shape.group_by.end(), [&](const sql::SortKey& group) {
    if (group.item && group.item == key.item) return true;
    if (!group.column.empty() && same_name(group.column, key.column)) return true;
    return same_name(group.text, key.text);
  });
}

}  // namespace

bool keys_hang_on_rows(const Plan& plan, const sql::Catalogue& catalogue, std::string_view schema) {
  const sql::QueryShape& shape = plan.shape;
  if (!shape.understood || shape.kind != sql::ShapeKind::select || shape.group_by.empty() || shape.distinct) return false;
  return std::any_of(shape.order_by.begin(), shape.order_by.end(), [&](const sql::SortKey& key) {
    bool aggregate = key.item ? shape.items[*key.item].aggregate : holds_aggregate(key.text);
    return !aggregate && !is_group_key(plan, key) && (key.column.empty() || !is_of_one_row(shape, key.column_table, catalogue, schema));
  });
}

Task<InquiryResult> ask_keys_of_groups(const Examination& open, const Plan& plan, const mysql::Command& original, Interview& interview, CaptureTime now) {
  InquiryResult result{Finding::unknown, Cause::unexamined, {}, "a key is of any row of its group, and the rows below differ"};
  const Table& b = *open.b;
  const std::size_t shown = plan.columns.size();
  Task<InquiryResult> asking = ask_same_input(open, {}, plan, original, interview, now, OtherRows::refute);
  InquiryResult below = co_await asking;
  if (below.finding == Finding::refuted) co_return below;
  if (below.finding != Finding::excused) co_return result;
  auto projected = sql::project_order_keys(plan.sql, plan.dialect);
  auto question = projected ? rewritten(original, plan, projected->sql) : std::nullopt;
  if (!question) co_return result;
  std::vector<Ask> asks;
  asks.push_back({Side::target, *question});
  std::vector<Heard> heard = co_await interview.ask(std::move(asks), now);
  auto table = rows_heard(heard[0]);
  result.reason = "which keys the target sorted its groups by can't be asked for";
  if (!table || table->columns.size() != shown + projected->count || table->rows.size() != b.rows.size()) co_return result;
  Evidence evidence;
  evidence.append(below.evidence);
  evidence.json().member("key_question", quoted_sql(question->text, plan.collation));
  if (out_of_order(*table, columns_from(shown, *table), plan)) co_return InquiryResult{Finding::refuted, Cause::order_violated, evidence.take_members(), {}};
  evidence.json().member("rule", "keys_of_any_row_of_a_group").member("target_in_order_of_its_keys", true);
  evidence.json().member("advice", "order by an aggregate (MAX(key)) or by what the rows are grouped by");
  co_return InquiryResult{Finding::excused, Cause::order_undefined, evidence.take_members(), {}, true};
}

}  // namespace darktap::compare
