#include "tie_containment.h"

#include <map>

#include "evidence.h"

namespace darktap::compare {

namespace {

using Finding = InquiryResult::Finding;

using RowCounts = std::map<std::string, std::size_t>;

RowCounts count_rows(const Table& table, ColumnPlans plan) {
  RowCounts counts;
  for (std::size_t i = 0; i < table.rows.size(); ++i) ++counts[row_key(table, i, plan)];
  return counts;
}

// The first of the rows that the choice does not hold as often as the answer does.
std::optional<std::size_t> missing_from(const Table& table, const std::vector<std::size_t>& rows, const RowCounts& answer, const RowCounts& choice,
                                        ColumnPlans plan) {
  for (std::size_t row : rows) {
    std::string key = row_key(table, row, plan);
    auto held = choice.find(key);
    if (held == choice.end() || held->second < answer.at(key)) return row;
  }
  return std::nullopt;
}

}  // namespace

Task<InquiryResult> ask_containment(const Examination& open, const Plan& plan, std::vector<mysql::Command> questions,
                                    Interview& interview, CaptureTime now) {
  std::vector<Ask> asks;
  for (Side side : {Side::reference, Side::target})
    for (const mysql::Command& question : questions) asks.push_back({side, question});
  std::vector<Heard> heard = co_await interview.ask(std::move(asks), now);

  InquiryResult result;
  Evidence evidence;
  evidence.json().key("re_queries").begin_array();
  for (const mysql::Command& question : questions) evidence.json().string(quoted_sql(question.text, plan.collation));
  evidence.json().end_array();
  RowCounts reference, target;
  std::size_t reference_rows = 0, target_rows = 0;
  bool whole = true;
  for (const Heard& one : heard) {
    const mysql::Answer* answer = one.answer();
    const mysql::ResultSet* rows = answer != nullptr ? answer->first_rows() : nullptr;
    if (answer == nullptr || rows == nullptr) {
      result.reason = answer == nullptr ? one.why_not() : "the re-query failed on the " + std::string(to_string(one.side));
      co_return result;
    }
    auto table = table_of(*rows);
    if (!table || table->columns.size() != plan.columns.size()) {
      result.reason = "the rows to choose from are more than are kept";
      co_return result;
    }
    whole = whole && table->rows.size() < max_question_rows;
    bool on_reference = one.side == Side::reference;
    (on_reference ? reference_rows : target_rows) += table->rows.size();
    for (const auto& [key, count] : count_rows(*table, plan.columns)) (on_reference ? reference : target)[key] += count;
  }
  const Table &a = *open.a, &b = *open.b;
  RowCounts in_a = count_rows(a, plan.columns), in_b = count_rows(b, plan.columns);
  JsonWriter& json = evidence.json();
  json.member("reference_rows_to_choose_from", reference_rows).member("target_rows_to_choose_from", target_rows);
  auto not_on_target = missing_from(a, open.match.only_a, in_a, target, plan.columns);
  auto not_on_reference = missing_from(b, open.match.only_b, in_b, reference, plan.columns);
  // An answer's own rows must still be there on its own side, else the data has moved and nothing follows.
  bool moved = missing_from(a, open.match.only_a, in_a, reference, plan.columns) || missing_from(b, open.match.only_b, in_b, target, plan.columns);
  if (!not_on_target && !not_on_reference) {
    result.finding = Finding::excused;
    json.member("every_differing_row_on_both_sides", true);
  } else if (!whole) {
    result.reason = "the list without its LIMIT is longer than " + std::to_string(max_question_rows) + " rows";
  } else if (moved) {
    result.reason = "the data moved while it was asked for";
  } else {
    result.finding = Finding::refuted;
    if (not_on_target) {
      json.key("source_row_not_on_target");
      write_row(json, a, *not_on_target, plan.collation);
    }
    if (not_on_reference) {
      json.key("target_row_not_on_reference");
      write_row(json, b, *not_on_reference, plan.collation);
    }
  }
  result.evidence = evidence.take_members();
  co_return result;
}

}  // namespace darktap::compare
