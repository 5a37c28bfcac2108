#include "examine.h"

#include <algorithm>

#include "error_class.h"
#include "evidence.h"
#include "order_check.h"
#include "pairing.h"
#include "representatives.h"
#include "text.h"

namespace darktap::compare {

namespace {

using mysql::Ok;
using mysql::ResultSet;
using mysql::ServerError;

Examination different(Difference difference, Cause cause, Evidence& evidence) {
  Examination result;
  result.relation = Relation::different;
  result.difference = difference;
  result.cause = cause;
  result.evidence = evidence.take_members();
  return result;
}

void write_error(JsonWriter& json, std::string_view name, const ServerError& error) {
  json.key(name).begin_object().member("code", error.code).member("class", to_string(classify(error))).member("message", error.message).end_object();
}

Examination examine_errors(const ServerError* a, const ServerError* b) {
  Evidence evidence;
  if (a != nullptr) write_error(evidence.json(), "source_error", *a);
  if (b != nullptr) write_error(evidence.json(), "target_error", *b);
  if (a != nullptr && b != nullptr) return different(Difference::error_differs, Cause::defect, evidence);
  if (a != nullptr) return different(Difference::error_only_source, Cause::defect, evidence);
  ErrorClass error_class = classify(*b);
  // What the source accepted can't be bad syntax: the target doesn't know it.
  bool refused = error_class == ErrorClass::unsupported || error_class == ErrorClass::syntax;
  return different(Difference::error_only_target, refused ? Cause::unsupported : Cause::defect, evidence);
}

Examination examine_oks(const Ok& a, const Ok& b) {
  Examination result;
  Evidence evidence;
  if (a.affected_rows != b.affected_rows) {
    evidence.json().member("source_affected_rows", a.affected_rows).member("target_affected_rows", b.affected_rows);
    return different(Difference::affected_rows, Cause::defect, evidence);
  }
  if (a.last_insert_id != b.last_insert_id) {
    evidence.json().member("source_last_insert_id", a.last_insert_id).member("target_last_insert_id", b.last_insert_id);
    evidence.json().member("reason", "each server generates its own ids, and this one was not pinned");
    return different(Difference::last_insert_id, Cause::replay_artifact, evidence);
  }
  return result;
}

Difference difference_of(std::uint64_t only_a, std::uint64_t only_b, bool same_count) {
  if (only_b == 0) return Difference::missing_rows;
  if (only_a == 0) return Difference::extra_rows;
  return same_count ? Difference::row_values : Difference::row_count;
}

// Digests are all there is: they prove equality and order, never an excuse for other rows.
Examination examine_digests(const ResultSet& a, const ResultSet& b, const Plan& plan) {
  Examination result;
  Evidence evidence;
  evidence.json().member("source_rows", a.digests.rows).member("target_rows", b.digests.rows).member("compared_by", "digests");
  bool comparable = a.format == b.format;
  if (comparable && a.digests.same_multiset(b.digests)) {
    result.difference = Difference::row_order;
    result.relation = Relation::excused;
    result.cause = Cause::order_undefined;
    if (!plan.shape.understood || plan.has_order) {
      result.relation = Relation::different;
      result.cause = Cause::unexamined;
      evidence.json().member("reason", "more rows than were kept: the ties can't be checked");
    } else {
      evidence.json().member("rule", "no_order_by");
    }
    result.evidence = evidence.take_members();
    return result;
  }
  bool noisy = std::any_of(plan.columns.begin(), plan.columns.end(), [](const ColumnPlan& c) { return !c.noise.empty() || c.builder != nullptr; });
  bool excusable = !comparable || noisy || (plan.has_limit && a.digests.rows == b.digests.rows);
  if (excusable) evidence.json().member("reason", "more rows than were kept: cells can't be compared");
  Difference kind = a.digests.rows > b.digests.rows ? Difference::missing_rows
                    : a.digests.rows < b.digests.rows ? Difference::extra_rows : Difference::row_values;
  return different(kind, excusable ? Cause::unexamined : Cause::defect, evidence);
}

// Are the leftovers the same once lists with an ORDER BY of their own, or cells that hang on an order that can't be checked,
// are left out? Then the difference is one of order: violated where the list sorts its own values, unknown elsewhere.
std::vector<std::string_view> split_list(std::string_view value, std::string_view separator) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0;;) {
    std::size_t end = value.find(separator, begin);
    parts.push_back(value.substr(begin, end - begin));
    if (end == std::string_view::npos) return parts;
    begin = end + separator.size();
  }
}

// Without the order of their own elements; a list with one keeps it, equal spellings aside.
bool lists_may_be_equal(std::string_view x, std::string_view y, const ColumnPlan& column) {
  const sql::ValueBuilder& builder = column.builder != nullptr ? *column.builder : *column.ordered_builder;
  if (builder.function != "group_concat") return false;
  if (builder.separator.empty()) {
    std::string p(x), q(y);
    std::sort(p.begin(), p.end());
    std::sort(q.begin(), q.end());
    return column.builder != nullptr && p == q;
  }
  std::vector<std::string_view> p = split_list(x, builder.separator), q = split_list(y, builder.separator);
  if (p.size() != q.size()) return false;
  if (column.builder == nullptr) return std::equal(p.begin(), p.end(), q.begin(), may_be_equal);
  return p.size() <= max_pairing_rows && pair_greedily(p, q, {same_name, may_be_equal}).has_value();
}

// Which spelling stands for a value is nobody's promise here, and no question settles it: lists over a text that a collation
// sorts or makes distinct, a set operation's rows, MIN and MAX in a subquery. Row for row, as the match left them over.
bool only_unasked_spellings_differ(const Table& a, const Table& b, const RowMatch& match, const Plan& plan) {
  if (!plan.shape.understood || match.only_a.size() != match.only_b.size() || match.only_a.size() > max_pairing_rows) return false;
  std::vector<ColumnPlan> relaxed = plan.columns;
  std::vector<std::size_t> columns;
  bool one_block = plan.shape.kind == sql::ShapeKind::select;
  bool makes_distinct = !one_block && plan.shape.set_operation != "union all";
  for (std::size_t c = 0; c < relaxed.size(); ++c) {
    bool list = relaxed[c].builder != nullptr || relaxed[c].ordered_builder != nullptr, chosen = false;
    if (one_block && relaxed[c].item) {
      const sql::SelectItem& item = plan.shape.items[*relaxed[c].item];
      if (list) list = relaxed[c].builder == nullptr || relaxed[c].builder->separator.empty() || lower(item.text).find("distinct") != std::string::npos;
      std::string text = lower(item.text);
      chosen = item.subquery && (text.find("min(") != std::string::npos || text.find("max(") != std::string::npos);
    }
    if (!list && !chosen && !(makes_distinct && is_text(family_of(a.columns[c])))) continue;
    relaxed[c].noise.push_back("spelling");
    columns.push_back(c);
  }
  if (columns.empty()) return false;
  auto same = [&](std::size_t row_a, std::size_t row_b) {
    return rows_agree(a, row_a, b, row_b, relaxed) && std::all_of(columns.begin(), columns.end(), [&](std::size_t c) {
      const mysql::Cell &x = a.rows[row_a][c], &y = b.rows[row_b][c];
      if (x == y) return true;
      if (x.is_null || y.is_null) return false;
      bool list = plan.columns[c].builder != nullptr || plan.columns[c].ordered_builder != nullptr;
      return list ? lists_may_be_equal(x.text, y.text, plan.columns[c]) : may_be_equal(x.text, y.text);
    });
  };
  return pair_greedily(match.only_a, match.only_b, {same}).has_value();
}

Cause cause_inside_values(const Table& a, const Table& b, const RowMatch& match, const Plan& plan) {
  if (!plan.shape.understood) return Cause::defect;
  std::vector<ColumnPlan> relaxed = plan.columns;
  for (ColumnPlan& column : relaxed)
    if (column.ordered_builder != nullptr) column.builder = column.ordered_builder;
  if (only_unasked_spellings_differ(a, b, match, plan)) return Cause::unexamined;
  RowMatch lists = match_rows(a, b, relaxed);
  if (lists.complete()) {
    bool provable = std::all_of(lists.reordered_columns.begin(), lists.reordered_columns.end(), [&](std::size_t c) {
      return plan.columns[c].list_order != ColumnPlan::ListOrder::by_other;
    });
    return provable ? Cause::order_violated : Cause::unexamined;
  }
  bool any = false;
  for (ColumnPlan& column : relaxed) {
    if (!column.order_sensitive) continue;
    column.noise.push_back("order");
    any = true;
  }
  return any && a.rows.size() == b.rows.size() && match_rows(a, b, relaxed).complete() ? Cause::unexamined : Cause::defect;
}

bool only_representatives_differ(const Table& a, const Table& b, const RowMatch& match, const Plan& plan) {
  return !representative_columns(plan, a.columns).empty() && pair_groups(a, b, match, plan).has_value();
}

// Rows on one side only. Under a LIMIT, and only there, both may be right.
void judge_leftovers(Examination& result, const Plan& plan) {
  const Table &a = *result.a, &b = *result.b;
  std::size_t rows = a.rows.size();
  result.relation = Relation::different;
  result.difference = difference_of(result.match.only_a.size(), result.match.only_b.size(), rows == b.rows.size());
  Evidence evidence;
  evidence.append(result.evidence);
  bool cut = plan.shape.understood && plan.has_limit && rows == b.rows.size() && rows > 0 &&
             (!plan.limit || rows == *plan.limit || plan.offset > 0);
  if (!cut && only_representatives_differ(a, b, result.match, plan)) {
    result.relation = Relation::open;
    result.open = OpenQuestion::representatives;
  } else if (!cut) {
    result.cause = cause_inside_values(a, b, result.match, plan);
    if (result.cause == Cause::unexamined) evidence.json().member("reason", "the value hangs on an order of rows that the output doesn't show");
  } else if (!plan.has_order || plan.random_order) {
    result.relation = Relation::open;
    result.open = OpenQuestion::unordered_limit;
  } else if (!plan.keys_projected()) {
    result.relation = Relation::open;
    result.open = OpenQuestion::hidden_keys;
  } else {
    KeySequence keys = compare_key_sequences(a, b, plan);
    bool at_tail = !plan.limit || rows == *plan.limit;
    auto in_cut = [&](const Table& table, std::size_t row) {
      return (at_tail && may_tie(table, row, a, rows - 1, plan)) || (plan.offset > 0 && may_tie(table, row, a, 0, plan));
    };
    bool inside = keys.order != KeyOrder::violated &&
                  std::all_of(result.match.only_a.begin(), result.match.only_a.end(), [&](std::size_t r) { return in_cut(a, r); }) &&
                  std::all_of(result.match.only_b.begin(), result.match.only_b.end(), [&](std::size_t r) { return in_cut(b, r); });
    if (inside) {
      result.relation = Relation::open;
      result.open = OpenQuestion::cut_in_ties;
      result.spellings = std::move(keys.spellings);
    }
  }
  write_leftovers(evidence.json(), a, b, result.match, plan.columns, plan.collation);
  result.evidence = evidence.take_members();
}

void write_columns(JsonWriter& json, std::string_view name, const Table& table, const std::set<std::size_t>& columns) {
  json.key(name).begin_array();
  for (std::size_t c : columns) json.string(table.columns[c].name);
  json.end_array();
}

// What made paired cells count as equal; the gravest excuse names the verdict.
void judge_cells(Examination& result, const Plan& plan) {
  const RowMatch& match = result.match;
  Evidence evidence;
  evidence.append(result.evidence);
  JsonWriter& json = evidence.json();
  bool order_only = result.relation == Relation::excused;  // judge_order has spoken
  if (!match.noise_columns.empty()) {
    result.cause = Cause::nondeterministic;
    std::set<std::string> functions;
    for (std::size_t c : match.noise_columns) functions.insert(plan.columns[c].noise.begin(), plan.columns[c].noise.end());
    json.key("functions").begin_array();
    for (const std::string& name : functions) json.string(name);
    json.end_array();
    write_columns(json, "columns", *result.a, match.noise_columns);
  }
  if (!match.reordered_columns.empty()) {
    if (match.noise_columns.empty()) result.cause = Cause::order_undefined;
    json.member("value_rule", "list_built_over_unordered_rows");
    write_columns(json, "list_columns", *result.a, match.reordered_columns);
  }
  bool cells_differ = !match.noise_columns.empty() || !match.reordered_columns.empty();
  if (!match.rules.empty()) {
    json.key("normalization_rules").begin_array();
    for (std::string_view name : match.rules) json.string(name);
    json.end_array();
    if (!cells_differ && !order_only) {
      result.cause = Cause::normalization;
      cells_differ = true;
    }
  }
  if (cells_differ) {
    result.relation = Relation::excused;
    result.difference = Difference::row_values;
  }
  result.evidence = evidence.take_members();
}

Examination examine_rows(const ResultSet& a, const ResultSet& b, const Plan& plan) {
  Examination result;
  if (a.columns.size() != b.columns.size()) {
    Evidence evidence;
    evidence.json().member("source_columns", a.columns.size()).member("target_columns", b.columns.size());
    return different(Difference::column_metadata, Cause::defect, evidence);
  }
  if (a.format == b.format && a.digests.same_order(b.digests)) return result;
  auto left = table_of(a), right = table_of(b);
  if (!left || !right || plan.columns.size() != a.columns.size()) return examine_digests(a, b, plan);
  result.a = std::make_shared<const Table>(std::move(*left));
  result.b = std::make_shared<const Table>(std::move(*right));
  result.match = match_rows(*result.a, *result.b, plan.columns);
  result.rules = result.match.rules;
  if (!result.match.complete()) {
    judge_leftovers(result, plan);
    return result;
  }
  if (!result.match.in_place()) {
    if (!plan.shape.understood) {
      result.relation = Relation::different;
      result.difference = Difference::row_order;
      return result;
    }
    judge_order(result, plan);
  }
  if (result.agrees()) judge_cells(result, plan);
  return result;
}

Examination examine_result(const mysql::Result& a, const mysql::Result& b, const Plan& plan) {
  const auto *error_a = std::get_if<ServerError>(&a), *error_b = std::get_if<ServerError>(&b);
  if (error_a != nullptr || error_b != nullptr) {
    if (error_a != nullptr && error_b != nullptr && same_error(*error_a, *error_b)) return {};
    return examine_errors(error_a, error_b);
  }
  const auto *rows_a = std::get_if<ResultSet>(&a), *rows_b = std::get_if<ResultSet>(&b);
  if (rows_a != nullptr && rows_b != nullptr) return examine_rows(*rows_a, *rows_b, plan);
  if (rows_a == nullptr && rows_b == nullptr) return examine_oks(std::get<Ok>(a), std::get<Ok>(b));
  Evidence evidence;
  evidence.json().member("reason", rows_a != nullptr ? "the source answered rows, the target OK" : "the source answered OK, the target rows");
  return different(rows_a != nullptr ? Difference::missing_rows : Difference::extra_rows, Cause::defect, evidence);
}

}  // namespace

bool identical(const mysql::Answer& a, const mysql::Answer& b) {
  if (a.state != b.state || a.results.size() != b.results.size()) return false;
  for (std::size_t i = 0; i < a.results.size(); ++i) {
    const mysql::Result &left = a.results[i], &right = b.results[i];
    if (left.index() != right.index()) return false;
    if (const auto* rows = std::get_if<ResultSet>(&left)) {
      const auto& other = std::get<ResultSet>(right);
      if (rows->columns.size() != other.columns.size() || rows->format != other.format || !rows->digests.same_order(other.digests)) return false;
    } else if (const auto* ok = std::get_if<Ok>(&left)) {
      const Ok& other = std::get<Ok>(right);
      if (ok->affected_rows != other.affected_rows || ok->last_insert_id != other.last_insert_id) return false;
    } else if (!same_error(std::get<ServerError>(left), std::get<ServerError>(right))) {
      return false;
    }
  }
  return true;
}

Examination examine(const mysql::Answer& a, const mysql::Answer& b, const Plan& plan) {
  if (a.error() != nullptr && b.error() == nullptr) return examine_errors(a.error(), nullptr);
  if (a.error() == nullptr && b.error() != nullptr) return examine_errors(nullptr, b.error());
  if (a.results.size() != b.results.size()) {
    Evidence evidence;
    evidence.json().member("source_results", a.results.size()).member("target_results", b.results.size());
    return different(Difference::row_count, Cause::defect, evidence);
  }
  for (std::size_t i = 0; i < a.results.size(); ++i) {
    Examination result = examine_result(a.results[i], b.results[i], plan);
    if (result.relation != Relation::same) return result;
  }
  return {};
}

}  // namespace darktap::compare
