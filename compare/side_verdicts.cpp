#include "side_verdicts.h"

#include <algorithm>
#include <set>

#include "cells.h"
#include "evidence.h"
#include "text.h"

namespace darktap::compare {

namespace {

// vtgate names an unnamed literal's column after its own bind variable: ":vtg1", ":vtg1 /* INT64 */", "lower(:vtg1 /* VARCHAR */)".
bool is_vitess_header(std::string_view name) { return name.starts_with(":v1") || name.starts_with(":v2") || name.find(":vtg") != std::string_view::npos; }

// A column that no AS names bears its expression, as the server prints it: vtgate writes "count(*)" for COUNT( * ).
bool same_expression(std::string_view a, std::string_view b) {
  auto folded = [](std::string_view text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text.substr(i, 5) == " asc " || text.substr(i, 5) == " asc)") i += 4;  // ORDER BY says it or leaves it out
      if (std::string_view(" \t\r\n`").find(text[i]) == std::string_view::npos) result += lower(text[i]);
    }
    return result;
  };
  return folded(a) == folded(b);
}

bool is_unnamed_expression(const Plan* plan, std::size_t column) {
  if (plan == nullptr || column >= plan->columns.size() || !plan->columns[column].item) return false;
  const sql::SelectItem& item = plan->shape.items[*plan->columns[column].item];
  return item.alias.empty() && item.column.empty();
}

// MariaDB names a JSON column's type only to clients that ask for extended metadata: silence is no other type.
TypeFamily family_without_extension(const mysql::Column& column) {
  if (column.extended_type.empty()) return family_of(column);
  mysql::Column plain = column;
  plain.extended_type.clear();
  return family_of(plain);
}

std::string_view what_differs(const mysql::Column& a, const mysql::Column& b) {
  if (a.name != b.name) return "name";
  bool both_told = !a.extended_type.empty() && !b.extended_type.empty();
  TypeFamily family = both_told ? family_of(a) : family_without_extension(a);
  TypeFamily other = both_told ? family_of(b) : family_without_extension(b);
  // A column that is NULL throughout has any type.
  if (family == TypeFamily::null || other == TypeFamily::null) return "";
  if (family != other && family_of(a) != family_of(b)) return "type";
  bool numeric = family == TypeFamily::integer || family == TypeFamily::decimal || family == TypeFamily::floating;
  if (numeric && ((a.flags ^ b.flags) & mysql::column_flag::unsigned_) != 0) return "sign";
  return "";
}

// The rule under which a difference of two columns is known to be the products' and not the data's; empty where there is none.
std::string_view rule_of(const mysql::Column& source, const mysql::Column& target, std::string_view what, bool is_unnamed) {
  if (what == "name") {
    if (is_vitess_header(target.name)) return rule::vitess_literal_header;
    return is_unnamed && same_expression(source.name, target.name) ? rule::expression_header : std::string_view();
  }
  TypeFamily a = family_of(source), b = family_of(target);
  bool is_computed = source.org_name.empty() && target.org_name.empty();
  auto numeric = [](TypeFamily family) { return family == TypeFamily::integer || family == TypeFamily::decimal || family == TypeFamily::floating; };
  if (is_computed && numeric(a) && numeric(b)) return rule::computed_number;
  // MIN and MAX of an ENUM or a SET are one or a text, as the server's plan groups.
  bool member = a == TypeFamily::enum_ || a == TypeFamily::set || b == TypeFamily::enum_ || b == TypeFamily::set;
  if ((source.org_name.empty() || target.org_name.empty()) && member && is_text(a) && is_text(b)) return rule::computed_text;
  if ((a == TypeFamily::bit && b == TypeFamily::integer) || (a == TypeFamily::integer && b == TypeFamily::bit)) return rule::bit_as_number;
  if ((a == TypeFamily::json && b == TypeFamily::text) || (a == TypeFamily::text && b == TypeFamily::json)) return rule::json_as_text;
  return {};
}

void write_column(JsonWriter& json, std::string_view side, const mysql::Column& column) {
  json.key(side).begin_object().member("name", column.name).member("type", to_string(family_of(column)));
  json.member("unsigned", (column.flags & mysql::column_flag::unsigned_) != 0).end_object();
}

}  // namespace

std::optional<Verdict> column_verdict(const mysql::Answer& source, const mysql::Answer& target, const Plan* plan, const std::vector<std::string>& accepted,
                                      std::vector<std::string>* used) {
  const mysql::ResultSet *a = source.first_rows(), *b = target.first_rows();
  if (a == nullptr || b == nullptr || a->columns.size() != b->columns.size()) return std::nullopt;
  auto same = [](const mysql::Column& left, const mysql::Column& right) { return what_differs(left, right).empty(); };
  if (std::equal(a->columns.begin(), a->columns.end(), b->columns.begin(), same)) return std::nullopt;
  std::size_t differing = 0;
  bool has_defect = false;
  std::set<std::string_view> rules;
  Evidence evidence;
  evidence.json().key("columns").begin_array();
  for (std::size_t c = 0; c < a->columns.size(); ++c) {
    std::string_view what = what_differs(a->columns[c], b->columns[c]);
    if (what.empty()) continue;
    std::string_view rule = rule_of(a->columns[c], b->columns[c], what, is_unnamed_expression(plan, c));
    if (rule.empty()) has_defect = true;
    else rules.insert(rule);
    if (++differing > max_evidence_rows) continue;
    evidence.json().begin_object().member("column", c).member("differs_in", what);
    write_column(evidence.json(), "source", a->columns[c]);
    write_column(evidence.json(), "target", b->columns[c]);
    evidence.json().end_object();
  }
  evidence.json().end_array().member("differing_columns", differing);
  if (has_defect) return Verdict{Difference::column_metadata, Cause::defect, Level::proved, object_of(evidence.take_members())};
  auto is_accepted = [&](std::string_view rule) { return std::find(accepted.begin(), accepted.end(), rule) != accepted.end(); };
  if (std::all_of(rules.begin(), rules.end(), is_accepted)) {
    if (used != nullptr) used->insert(used->end(), rules.begin(), rules.end());
    return std::nullopt;
  }
  evidence.json().key("normalization_rules").begin_array();
  for (std::string_view rule : rules) evidence.json().string(rule);
  evidence.json().end_array();
  return Verdict{Difference::column_metadata, Cause::normalization, Level::proved, object_of(evidence.take_members())};
}

std::optional<Verdict> warning_verdict(const mysql::Answer& source, const mysql::Answer& target, Evaluated rows) {
  if (source.error() != nullptr || target.error() != nullptr || source.warnings() == target.warnings()) return std::nullopt;
  Evidence evidence;
  evidence.json().member("source_warnings", source.warnings()).member("target_warnings", target.warnings());
  if (rows == Evaluated::until_a_limit || (rows == Evaluated::by_plan && source.warnings() > 0 && target.warnings() > 0)) {
    evidence.json().member("unexamined_because", "how many rows a server looks at, how often, and so warns of, is up to its plan");
    return Verdict{Difference::warnings, Cause::unexamined, Level::assumed, object_of(evidence.take_members())};
  }
  return Verdict{Difference::warnings, Cause::defect, Level::proved, object_of(evidence.take_members())};
}

}  // namespace darktap::compare
