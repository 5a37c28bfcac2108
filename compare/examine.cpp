#include "examine.h"

#include <algorithm>

#include "error_class.h"
#include "evidence.h"
#include "leeway.h"
#include "order_check.h"
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
  evidence.json().member("source_rows", a.row_count()).member("target_rows", b.row_count()).member("compared_by", "digests");
  bool comparable = a.format == b.format;
  if (comparable && a.digests().same_multiset(b.digests())) {
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
  // As many rows on both sides: the difference may lie in what nothing promised.
  std::vector<Leeway> leeway = leeways(plan, a.columns);
  bool left_open = plan.has_limit || plan.rows_hang_on_order || std::any_of(leeway.begin(), leeway.end(), [](Leeway one) { return one != Leeway::none; });
  bool excusable = !comparable || noisy || (left_open && a.row_count() == b.row_count());
  if (excusable) evidence.json().member("reason", "more rows than were kept: cells can't be compared");
  Difference kind = a.row_count() > b.row_count() ? Difference::missing_rows
                    : a.row_count() < b.row_count() ? Difference::extra_rows : Difference::row_values;
  return different(kind, excusable ? Cause::unexamined : Cause::defect, evidence);
}

// Are the leftovers the same once lists with an ORDER BY of their own, or cells that hang on an order that can't be checked,
// are left out? Then the difference is one of order: violated where the list sorts its own values, unknown elsewhere.
Cause cause_inside_values(const Table& a, const Table& b, const Plan& plan) {
  if (!plan.shape.understood) return Cause::defect;
  std::vector<ColumnPlan> relaxed = plan.columns;
  for (ColumnPlan& column : relaxed)
    if (column.ordered_builder != nullptr) column.builder = column.ordered_builder;
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

// Rows that differ within their leeways are one row each: do they stand where the order wants them?
void judge_paired_order(Examination& result, const RowPairs& pairs, const Plan& plan, Evidence& evidence) {
  RowMatch whole = result.match;
  whole.pairs.insert(whole.pairs.end(), pairs.begin(), pairs.end());
  whole.only_a.clear();
  whole.only_b.clear();
  if (!plan.has_order || plan.random_order || whole.in_place()) return;
  if (!plan.keys_projected()) {
    result.hidden_order = true;
    return;
  }
  KeySequence keys = compare_key_sequences(*result.a, *result.b, plan);
  result.spellings = std::move(keys.spellings);
  if (keys.order != KeyOrder::violated) return;
  result.relation = Relation::different;
  result.open = OpenQuestion::none;
  result.cause = Cause::order_violated;
  evidence.json().member("first_violation_row", keys.first_violation);
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
  auto pairs = plan.rows_hang_on_order && rows != b.rows.size() ? std::nullopt : pair_within(a, b, result.match, plan);
  if (pairs) {
    result.relation = Relation::open;
    result.open = OpenQuestion::representatives;
    judge_paired_order(result, *pairs, plan, evidence);
  } else if (plan.shape.understood && plan.rows_hang_on_order) {
    result.relation = Relation::open;
    result.open = OpenQuestion::rows_below;
  } else if (!plan.shape.understood && rows == b.rows.size() && rows > 0) {
    result.cause = Cause::unexamined;  // a LIMIT may have cut them
    evidence.json().member("reason", "what this statement leaves open is not understood");
  } else if (!cut) {
    result.cause = cause_inside_values(a, b, plan);
    if (result.cause == Cause::unexamined) evidence.json().member("reason", "the value hangs on an order of rows that the output doesn't show");
  } else if (!plan.has_order || plan.random_order) {
    result.relation = Relation::open;
    result.open = OpenQuestion::unordered_limit;
  } else if (!plan.keys_projected()) {
    result.relation = Relation::open;
    result.open = plan.shape.distinct ? OpenQuestion::rows_below : OpenQuestion::hidden_keys;
  } else {
    KeySequence keys = compare_key_sequences(a, b, plan);
    RowMatch alone;  // what is no other face of a row on the other side
    pair_some_within(a, b, result.match, plan, alone);
    std::vector<Leeway> leeway = leeways(plan, a.columns);
    bool key_hangs = std::any_of(plan.keys.begin(), plan.keys.end(), [&](const auto& key) {
      return leeway[*key] == Leeway::window || leeway[*key] == Leeway::bare || leeway[*key] == Leeway::list;
    });
    bool at_tail = !plan.limit || rows == *plan.limit;
    auto in_cut = [&](const Table& table, std::size_t row) {
      return (at_tail && may_tie(table, row, a, rows - 1, plan)) || (plan.offset > 0 && may_tie(table, row, a, 0, plan));
    };
    bool inside = keys.order != KeyOrder::violated &&
                  std::all_of(alone.only_a.begin(), alone.only_a.end(), [&](std::size_t r) { return in_cut(a, r); }) &&
                  std::all_of(alone.only_b.begin(), alone.only_b.end(), [&](std::size_t r) { return in_cut(b, r); });
    if (key_hangs) {
      result.relation = Relation::open;
      result.open = OpenQuestion::rows_below;
    } else if (inside) {
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
  if (a.format == b.format && a.has_same_rows(b)) return result;
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
      Evidence evidence;
      evidence.json().member("reason", "what orders the rows of this statement is not understood");
      result = different(Difference::row_order, Cause::unexamined, evidence);
      return result;
    }
    judge_order(result, plan);
  }
  if (result.agrees()) judge_cells(result, plan);
  return result;
}

// Which rows came before an error hangs on the order in which the server met them. Rows that more results were announced behind
// are another statement's.
bool is_cut_by_error(const mysql::Answer& answer, std::size_t result) {
  const auto* rows = std::get_if<ResultSet>(&answer.results[result]);
  return rows != nullptr && result + 2 == answer.results.size() && answer.error() != nullptr && (rows->status & mysql::status_flag::more_results) == 0;
}

// Both end in an error of one class, and what came before it as a whole is the same. Nothing where there is no such error.
std::optional<bool> same_up_to_error(const mysql::Answer& a, const mysql::Answer& b) {
  if (a.error() == nullptr || b.error() == nullptr || !same_error(*a.error(), *b.error())) return std::nullopt;
  auto whole = [](const mysql::Answer& answer) { return answer.results.size() - (answer.results.size() > 1 && is_cut_by_error(answer, answer.results.size() - 2) ? 2 : 1); };
  if (whole(a) + 1 == a.results.size() && whole(b) + 1 == b.results.size()) return std::nullopt;  // none is cut off
  return whole(a) == 0 && whole(b) == 0;
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

// Several statements in one text: the gravest of their results stands for all of them.
Examination examine_parts(const mysql::Answer& a, const mysql::Answer& b, const Plan& plan) {
  auto gravity = [](const Examination& one) {
    bool known = one.relation == Relation::different && one.cause != Cause::unexamined;
    return known ? 4 : one.relation == Relation::different ? 3 : one.relation == Relation::open ? 2 : one.relation == Relation::excused ? 1 : 0;
  };
  Examination gravest;
  for (std::size_t i = 0; i < a.results.size(); ++i) {
    Examination result = examine_result(a.results[i], b.results[i], plan.parts[i]);
    result.part = i;
    if (result.relation != Relation::same) {
      Evidence evidence;
      evidence.json().member("statement", i + 1);
      evidence.append(result.evidence);
      result.evidence = evidence.take_members();
    }
    // What a statement in front of it set is this text's own.
    if (result.relation != Relation::same && plan.parts[i].depends_on_session()) {
      result.relation = Relation::different;
      result.cause = Cause::unexamined;
    }
    if (result.relation == Relation::open && gravest.relation == Relation::open) gravest.also_open.push_back(std::make_shared<const Examination>(std::move(result)));
    else if (gravity(result) > gravity(gravest)) gravest = std::move(result);
  }
  return gravest;
}

}  // namespace

bool identical(const mysql::Answer& a, const mysql::Answer& b) {
  if (a.state != b.state) return false;
  if (auto same = same_up_to_error(a, b); same && *same) return true;
  if (a.results.size() != b.results.size()) return false;
  for (std::size_t i = 0; i < a.results.size(); ++i) {
    const mysql::Result &left = a.results[i], &right = b.results[i];
    if (left.index() != right.index()) return false;
    if (const auto* rows = std::get_if<ResultSet>(&left)) {
      const auto& other = std::get<ResultSet>(right);
      if (rows->columns.size() != other.columns.size() || rows->format != other.format || !rows->has_same_rows(other)) return false;
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
  if (auto same = same_up_to_error(a, b); same && *same) return {};
  if (a.results.size() != b.results.size()) {
    Evidence evidence;
    evidence.json().member("source_results", a.results.size()).member("target_results", b.results.size());
    return different(Difference::row_count, Cause::defect, evidence);
  }
  if (plan.parts.size() == a.results.size()) return examine_parts(a, b, plan);
  for (std::size_t i = 0; i < a.results.size(); ++i) {
    Examination result = examine_result(a.results[i], b.results[i], plan);
    if (result.relation != Relation::same) return result;
  }
  return {};
}

}  // namespace darktap::compare
