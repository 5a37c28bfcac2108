#include "plan.h"

#include <algorithm>
#include <charconv>

#include "cells.h"
#include "one_row.h"
#include "parameter_literals.h"
#include "select_limits.h"
#include "sql/lexer.h"
#include "sql/rewrite.h"
#include "sql/views.h"
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

// ORDER BY 3 behind a star is no item of the select list, but the third column that came out.
void name_key_behind_star(sql::SortKey& key, std::span<const mysql::Column> columns) {
  if (key.item || !key.column.empty()) return;
  std::size_t position = 0;
  auto [end, error] = std::from_chars(key.text.data(), key.text.data() + key.text.size(), position);
  if (error != std::errc() || end != key.text.data() + key.text.size() || position == 0 || position > columns.size()) return;
  key.column = columns[position - 1].org_name;
  key.column_table = columns[position - 1].table;
}

bool calls(std::string_view text, std::initializer_list<std::string_view> functions) {
  return std::any_of(functions.begin(), functions.end(), [&](std::string_view name) {
    for (std::size_t at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
      std::size_t behind = text.find_first_not_of(" \t\r\n", at + name.size());
      bool begins = at == 0 || ((text[at - 1] < 'a' || text[at - 1] > 'z') && text[at - 1] != '_');
      if (begins && behind != std::string_view::npos && text[behind] == '(') return true;
    }
    return false;
  });
}

// Peers count as one to RANK, to CUME_DIST and to an aggregate without a ROWS frame: ties don't show in them.
bool shows_ties(std::string_view window_item) {
  return calls(window_item, {"row_number", "ntile", "lag", "lead", "first_value", "last_value", "nth_value", "group_concat", "json_arrayagg", "json_objectagg"}) ||
         has_word(window_item, "rows");
}

// Of a list that was put together: which elements come out, or what they are turned into, hangs on their order.
bool takes_a_part(std::string_view item) {
  return calls(item, {"substring_index", "substring", "substr", "mid", "left", "right", "json_extract", "json_value", "locate", "instr", "position",
                      "find_in_set", "regexp_substr", "md5", "sha1", "sha", "sha2", "crc32", "hex", "strcmp", "json_search"});
}

// (SELECT GROUP_CONCAT(value) FROM …), or JSON_ARRAYAGG: a list that nothing orders, whichever row it stands beside.
std::optional<sql::ValueBuilder> only_a_list(std::string_view item, const sql::Dialect& dialect) {
  sql::Lexed lexed = sql::lex(item, dialect);
  if (!lexed.clean || lexed.tokens.size() < 8) return std::nullopt;
  auto word = [&](std::size_t token) { return lower(item.substr(lexed.tokens[token].offset, lexed.tokens[token].length)); };
  std::string function = word(2);
  if (word(0) != "(" || word(1) != "select" || word(3) != "(" || (function != "group_concat" && function != "json_arrayagg")) return std::nullopt;
  std::size_t i = 4;
  for (int depth = 1; depth > 0; ++i) {
    if (i + 2 >= lexed.tokens.size()) return std::nullopt;
    std::string text = word(i);
    if (text == "(") ++depth;
    if (text == ")") --depth;
    if (depth == 1 && (text == "order" || text == "separator" || text == "limit" || text == "distinct")) return std::nullopt;
  }
  if (word(i) != "from") return std::nullopt;
  for (int depth = 1; i + 1 < lexed.tokens.size(); ++i) {
    std::string text = word(i);
    if (text == "(") ++depth;
    if (text == ")") --depth;
    bool last = i + 2 == lexed.tokens.size();
    if ((depth == 0) != last || text == "limit" || text == "union" || text == "group") return std::nullopt;
  }
  return sql::ValueBuilder{function, false, true, ","};
}

// A LIMIT in a subquery of the select list decides a cell, not which rows come out.
bool limits_in_items_only(std::string_view text, const sql::QueryShape& shape) {
  if (shape.kind != sql::ShapeKind::select || shape.has_cte) return false;
  std::string rest(text);
  for (const sql::SelectItem& item : shape.items)
    if (item.subquery) std::fill(rest.begin() + item.span.begin, rest.begin() + item.span.end, ' ');
  std::fill(rest.begin() + shape.limit_clause.begin, rest.begin() + shape.limit_clause.end, ' ');
  return !has_word(lower(rest), "limit");
}

// Behind the comments in front.
std::string_view first_words(std::string_view text) {
  text = trimmed(text);
  while (text.starts_with("/*") && text.find("*/") != std::string_view::npos) text = trimmed(text.substr(text.find("*/") + 2));
  return text;
}

bool is_system_schema(std::string_view schema) {
  return same_name(schema, "information_schema") || same_name(schema, "performance_schema") || same_name(schema, "mysql") || same_name(schema, "sys");
}

}  // namespace

bool adds_floats(std::string_view text) { return calls(text, {"sum", "avg", "std", "stddev", "stddev_pop", "stddev_samp", "variance", "var_pop", "var_samp"}); }

bool holds_aggregate(std::string_view text) {
  std::string all = lower(text);
  return adds_floats(all) || calls(all, {"count", "min", "max", "any_value", "bit_and", "bit_or", "bit_xor", "group_concat", "json_arrayagg", "json_objectagg"});
}

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

Plan make_plan(const mysql::Command& command, std::uint16_t collation, std::span<const mysql::Column> columns, std::span<const mysql::Column> of_target,
               const sql::Catalogue* catalogue, std::string_view schema, const sql::SqlMode& mode, std::optional<std::uint64_t> select_limit) {
  Plan plan;
  plan.collation = collation;
  plan.dialect = dialect_of(collation);
  plan.dialect.mode = mode;
  std::optional<std::string> filled = command.parameters.empty() ? std::nullopt : filled_in(command, plan.dialect);
  plan.sql = filled ? std::move(*filled) : command.text;
  if (catalogue != nullptr)
    if (auto written_out = sql::with_views_written_out(plan.sql, *catalogue, schema, plan.dialect)) plan.sql = std::move(*written_out);
  plan.select_limited = select_limit.has_value();
  if (select_limit && sql::shape_of(plan.sql, plan.dialect).kind == sql::ShapeKind::select)
    if (auto cut = with_select_limit(plan.sql, *select_limit, plan.dialect)) plan.sql = std::move(*cut);
  if (auto written_out = sql::with_query_as_table(plan.sql, plan.dialect)) plan.sql = std::move(*written_out);
  if (auto written_out = sql::with_windows_written_out(plan.sql, plan.dialect)) plan.sql = std::move(*written_out);
  plan.shape = sql::shape_of(plan.sql, plan.dialect);
  plan.columns.resize(columns.size());
  for (std::size_t c = 0; c < columns.size() && columns.size() == of_target.size(); ++c)
    plan.columns[c].as_json = family_of(columns[c]) == TypeFamily::json || family_of(of_target[c]) == TypeFamily::json;
  const sql::QueryShape& shape = plan.shape;
  if (!shape.understood) return plan;
  std::string all = lower(plan.sql);
  if (shape.kind == sql::ShapeKind::other) {
    std::string_view verb = first_words(all);
    plan.describes_server = verb.starts_with("show") || verb.starts_with("explain") || verb.starts_with("describe") || verb.starts_with("desc ");
  }
  plan.describes_server = plan.describes_server || (!shape.tables.empty() && std::all_of(shape.tables.begin(), shape.tables.end(), [](const sql::ShapeTable& table) {
    return is_system_schema(table.table.schema);
  }));
  plan.from_inner_query = shape.has_cte || std::any_of(shape.tables.begin(), shape.tables.end(), [](const sql::ShapeTable& table) { return table.derived; });
  bool inner_window = has_word(all, "over") && shows_ties(all) && (shape.has_subquery || shape.has_cte);
  bool limit_below = shape.subquery_with_limit && !limits_in_items_only(plan.sql, shape);
  plan.rows_hang_on_order = limit_below || shape.assigns_variable || inner_window ||
                            (shape.kind == sql::ShapeKind::set_operation && has_word(all, "limit") && all.find('(') != std::string::npos);

  auto items = columns_to_items(shape.items, columns.size());
  // The items of a set operation are its first block's only: they promise nothing about the rows of the others.
  bool one_block = shape.kind == sql::ShapeKind::select;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    ColumnPlan& column = plan.columns[c];
    column.item = items[c];
    column.name = columns[c].name;
    if (plan.rows_hang_on_order) column.order_sensitive = true;
    bool floating = family_of(columns[c]) == TypeFamily::floating;
    if (floating && shape.has_subquery && adds_floats(all)) column.float_sum = true;
    if (one_block && catalogue != nullptr && !shape.group_by.empty()) {
      const sql::SelectItem* item = column.item ? &shape.items[*column.item] : nullptr;
      bool plain = item != nullptr ? !item->column.empty() : !columns[c].org_name.empty();
      column.of_one_row = plain && is_of_one_row(shape, item != nullptr ? std::string_view(item->column_table) : std::string_view(columns[c].table), *catalogue, schema);
    }
    if (!column.item || !one_block) continue;
    const sql::SelectItem& item = shape.items[*column.item];
    if (floating && (item.aggregate || item.window) && adds_floats(lower(item.text))) column.float_sum = true;
    for (const std::string& name : item.nondeterministic) (is_session_function(name) ? column.session_state : column.noise).push_back(name);
    if (item.window && shows_ties(lower(item.text))) column.order_sensitive = true;
    if (item.subquery && shape.subquery_with_limit && has_word(lower(item.text), "limit")) column.order_sensitive = true;
    if (item.builders.empty()) {
      if (column.order_sensitive || !item.subquery || !calls(lower(item.text), {"group_concat", "json_arrayagg", "json_objectagg"})) continue;
      if (auto list = only_a_list(item.text, plan.dialect)) column.builder = &plan.inner_builders.emplace_back(std::move(*list));
      else column.order_sensitive = true;
      continue;
    }
    const sql::ValueBuilder& builder = item.builders.front();
    column.distinct_list = has_word(lower(item.text), "distinct");
    column.limited_list = has_word(lower(item.text), "limit");
    column.part_of_list = !builder.whole_item && takes_a_part(lower(item.text));
    if (item.builders.size() > 1 || !builder.whole_item || column.limited_list) {
      column.order_sensitive = true;
    } else if (builder.ordered) {
      column.list_order = ordered_by_its_value(item.text) ? ColumnPlan::ListOrder::by_value : ColumnPlan::ListOrder::by_other;
      column.ordered_builder = &builder;
    } else {
      column.builder = &builder;
    }
  }
  plan.has_order = !shape.order_by.empty();
  for (sql::SortKey& key : plan.shape.order_by) name_key_behind_star(key, columns);
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
