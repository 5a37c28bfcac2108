#include "plan.h"

#include <algorithm>
#include <charconv>

#include "text.h"

namespace darktap::compare {

namespace {

bool is_session_function(std::string_view name) {
  return name == "found_rows" || name == "row_count" || name == "last_insert_id" || name == "@@last_insert_id" ||
         name == "@@identity" || name == "@@warning_count" || name == "@@error_count";
}

std::optional<std::uint64_t> value_of(const sql::Count& count, const mysql::Command& command) {
  if (count.number) return count.number;
  if (!count.parameter || *count.parameter >= command.parameters.size()) return std::nullopt;
  std::string text = mysql::print_parameter(command.parameters[*count.parameter]);
  std::uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// GROUP_CONCAT([DISTINCT] value ORDER BY value …): is the first key the value itself?
bool ordered_by_its_value(std::string_view item) {
  std::string text = lower(item);
  std::size_t open = text.find('('), order = text.find("order by");
  if (open == std::string::npos || order == std::string::npos || order < open) return false;
  std::string_view value = trimmed(std::string_view(text).substr(open + 1, order - open - 1));
  if (value.starts_with("distinct ")) value = trimmed(value.substr(9));
  std::string_view key = trimmed(std::string_view(text).substr(order + 8));
  if (!key.starts_with(value)) return false;
  std::string_view after = key.substr(value.size());
  return !value.empty() && !after.empty() && (after[0] == ' ' || after[0] == ')');
}

// Which output column each select item fills: items in front of a star count from the left, those behind it from the right.
std::vector<std::optional<std::size_t>> columns_to_items(const std::vector<sql::SelectItem>& items, std::size_t columns) {
  std::vector<std::optional<std::size_t>> result(columns);
  auto is_star = [](const sql::SelectItem& item) { return item.star != sql::Star::no; };
  auto first = std::find_if(items.begin(), items.end(), is_star);
  if (first == items.end()) {
    if (items.size() != columns) return result;
    for (std::size_t i = 0; i < columns; ++i) result[i] = i;
    return result;
  }
  if (items.size() > columns + 1) return result;
  auto front = static_cast<std::size_t>(first - items.begin());
  for (std::size_t i = 0; i < front && i < columns; ++i) result[i] = i;
  for (std::size_t back = 1; back <= columns - std::min(front, columns) && back <= items.size(); ++back) {
    std::size_t item = items.size() - back;
    if (is_star(items[item])) break;
    result[columns - back] = item;
  }
  return result;
}

std::optional<std::size_t> column_of_key(const sql::SortKey& key, const Plan& plan, std::span<const mysql::Column> columns) {
  if (key.item)
    for (std::size_t c = 0; c < plan.columns.size(); ++c)
      if (plan.columns[c].item == key.item) return c;
  if (key.column.empty()) return std::nullopt;
  std::optional<std::size_t> found;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    if (plan.columns[c].item) continue;  // a named item would have been found above
    if (!same_name(columns[c].org_name, key.column)) continue;
    if (!key.column_table.empty() && !same_name(columns[c].table, key.column_table)) continue;
    if (found) return std::nullopt;
    found = c;
  }
  return found;
}

}  // namespace

bool Plan::keys_projected() const {
  return std::all_of(keys.begin(), keys.end(), [](const auto& key) { return key.has_value(); });
}

bool Plan::depends_on_session() const {
  if (std::any_of(columns.begin(), columns.end(), [](const ColumnPlan& c) { return !c.session_state.empty(); })) return true;
  const auto& outside = shape.nondeterministic_outside_items;
  return std::any_of(outside.begin(), outside.end(), is_session_function);
}

sql::Dialect dialect_of(std::uint16_t collation) {
  sql::Dialect dialect;
  switch (collation) {
    case 1: case 84: dialect.charset = sql::Charset::big5; break;
    case 13: case 88: dialect.charset = sql::Charset::sjis; break;
    case 28: case 87: dialect.charset = sql::Charset::gbk; break;
    case 95: case 96: dialect.charset = sql::Charset::cp932; break;
    case 248: case 249: case 250: dialect.charset = sql::Charset::gb18030; break;
    default: break;
  }
  return dialect;
}

Plan make_plan(const mysql::Command& command, std::uint16_t collation, std::span<const mysql::Column> columns) {
  Plan plan;
  plan.sql = command.text;
  plan.collation = collation;
  plan.dialect = dialect_of(collation);
  plan.shape = sql::shape_of(plan.sql, plan.dialect);
  plan.columns.resize(columns.size());
  const sql::QueryShape& shape = plan.shape;
  if (!shape.understood) return plan;

  auto items = columns_to_items(shape.items, columns.size());
  // The items of a set operation are its first block's only: they promise nothing about the rows of the others.
  bool one_block = shape.kind == sql::ShapeKind::select;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    ColumnPlan& column = plan.columns[c];
    column.item = items[c];
    if (shape.subquery_with_limit) column.order_sensitive = true;
    if (!column.item || !one_block) continue;
    const sql::SelectItem& item = shape.items[*column.item];
    for (const std::string& name : item.nondeterministic) (is_session_function(name) ? column.session_state : column.noise).push_back(name);
    if (item.window) column.order_sensitive = true;
    if (item.builders.empty()) continue;
    const sql::ValueBuilder& builder = item.builders.front();
    if (item.builders.size() > 1 || !builder.whole_item) {
      column.order_sensitive = true;
    } else if (builder.ordered) {
      column.list_order = ordered_by_its_value(item.text) ? ColumnPlan::ListOrder::by_value : ColumnPlan::ListOrder::by_other;
      column.ordered_builder = &builder;
    } else {
      column.builder = &builder;
    }
  }
  plan.has_order = !shape.order_by.empty();
  for (const sql::SortKey& key : shape.order_by) {
    std::optional<std::size_t> column = column_of_key(key, plan, columns);
    plan.keys.push_back(column);
    if (column && !plan.columns[*column].noise.empty()) plan.random_order = true;
    for (const std::string& name : shape.nondeterministic_outside_items)
      if (lower(key.text).find(name + "(") != std::string::npos) plan.random_order = true;
  }
  plan.has_limit = shape.limit.has_value();
  if (shape.limit) plan.limit = value_of(*shape.limit, command);
  // An offset of unknown value counts as one that cuts at the head too.
  if (shape.offset) plan.offset = value_of(*shape.offset, command).value_or(1);
  return plan;
}

}  // namespace darktap::compare
