#include "tie_containment.h"

#include <algorithm>

#include "evidence.h"
#include "leeway.h"

namespace darktap::compare {

namespace {

using Finding = InquiryResult::Finding;

// What stands strictly inside and the ties add up; the window shows some of their rows again.
RowCounts all_rows(const std::vector<RowCounts>& ties, const RowCounts& inside, const RowCounts& window) {
  RowCounts total = inside;
  for (const RowCounts& tie : ties)
    for (const auto& [key, count] : tie) total[key] += count;
  for (const auto& [key, count] : window) total[key] = std::max(total[key], count);
  return total;
}

bool holds(const RowCounts& choice, const std::string& key, std::size_t times) {
  auto held = choice.find(key);
  return held != choice.end() && held->second >= times;
}

// Leftovers of one answer against what both sides hold.
struct Leftovers {
  std::optional<std::size_t> alone;  // a row that its own side still holds, and the other doesn't
  bool all_shared = true;            // the other side holds every one
};
Leftovers look_up(const Table& answer, const std::vector<std::size_t>& rows, const RowCounts& own, const RowCounts& other, ColumnPlans plan) {
  Leftovers result;
  RowCounts in_answer = count_rows(answer, plan);
  for (std::size_t row : rows) {
    std::string key = row_key(answer, row, plan);
    std::size_t times = in_answer.at(key);
    if (holds(other, key, times)) continue;
    result.all_shared = false;
    // A row that its own side doesn't hold any more has moved: nothing follows from it.
    if (!result.alone && holds(own, key, times)) result.alone = row;
  }
  return result;
}

}  // namespace

RowCounts count_rows(const Table& table, ColumnPlans plan) {
  RowCounts counts;
  for (std::size_t i = 0; i < table.rows.size(); ++i) ++counts[row_key(table, i, plan)];
  return counts;
}

Task<Choices> ask_choices(const Plan& plan, std::vector<mysql::Command> questions, Interview& interview, CaptureTime now) {
  std::vector<Ask> asks;
  for (Side side : {Side::reference, Side::target})
    for (const mysql::Command& question : questions) asks.push_back({side, question});
  std::vector<Heard> heard = co_await interview.ask(std::move(asks), now);
  Choices choices;
  for (const Heard& one : heard) {
    const mysql::Answer* answer = one.answer();
    const mysql::ResultSet* rows = answer != nullptr ? answer->first_rows() : nullptr;
    auto table = rows != nullptr ? table_of(*rows) : std::nullopt;
    if (answer == nullptr) choices.reason = one.why_not();
    else if (rows == nullptr) choices.reason = "the re-query failed on the " + std::string(to_string(one.side));
    else if (!table || table->columns.size() != plan.columns.size()) choices.reason = "the rows to choose from are more than are kept";
    if (!choices.reason.empty()) co_return choices;
    choices.whole = choices.whole && table->rows.size() < max_question_rows;
    bool on_reference = one.side == Side::reference;
    (on_reference ? choices.reference_rows : choices.target_rows) += table->rows.size();
    (on_reference ? choices.reference : choices.target).push_back(count_rows(*table, plan.columns));
    (on_reference ? choices.reference_tables : choices.target_tables).push_back(std::make_shared<const Table>(std::move(*table)));
  }
  Evidence evidence;
  evidence.json().key("re_queries").begin_array();
  for (const mysql::Command& question : questions) evidence.json().string(quoted_sql(question.text, plan.collation));
  evidence.json().end_array();
  evidence.json().member("reference_rows_to_choose_from", choices.reference_rows).member("target_rows_to_choose_from", choices.target_rows);
  choices.evidence = evidence.take_members();
  co_return choices;
}

InquiryResult check_containment(const Examination& open, const Plan& plan, ColumnPlans columns, const Choices& choices) {
  InquiryResult result;
  result.reason = choices.reason;
  if (!result.reason.empty()) return result;
  Evidence evidence;
  evidence.append(choices.evidence);
  JsonWriter& json = evidence.json();
  const Table &a = *open.a, &b = *open.b;
  bool as_planned = columns.data() == plan.columns.data();
  auto counted = [&](const auto& tables) {
    std::vector<RowCounts> counts;
    for (const auto& table : tables) counts.push_back(count_rows(*table, columns));
    return counts;
  };
  RowCounts reference = as_planned ? all_rows(choices.reference, choices.reference_inside, choices.reference_window) : all_rows(counted(choices.reference_tables), {}, {});
  RowCounts target = as_planned ? all_rows(choices.target, choices.target_inside, choices.target_window) : all_rows(counted(choices.target_tables), {}, {});
  Leftovers source = look_up(a, open.match.only_a, reference, target, columns);
  Leftovers of_target = look_up(b, open.match.only_b, target, reference, columns);
  if (source.all_shared && of_target.all_shared) {
    result.finding = Finding::excused;
    json.member("every_differing_row_on_both_sides", true);
  } else if (!choices.whole) {
    result.reason = "the list without its LIMIT is longer than " + std::to_string(max_question_rows) + " rows";
  } else if (!source.alone && !of_target.alone) {
    result.reason = "the data moved while it was asked for";
  } else {
    result.finding = Finding::refuted;
    if (source.alone) {
      json.key("source_row_not_on_target");
      write_row(json, a, *source.alone, plan.collation);
    }
    if (of_target.alone) {
      json.key("target_row_not_on_reference");
      write_row(json, b, *of_target.alone, plan.collation);
    }
  }
  result.evidence = evidence.take_members();
  return result;
}

bool held_within(const Examination& open, const Plan& plan, const Choices& choices) {
  auto held = [&](const Table& answer, const std::vector<std::size_t>& rows, const std::vector<std::shared_ptr<const Table>>& lists) {
    return std::all_of(rows.begin(), rows.end(), [&](std::size_t row) {
      return std::any_of(lists.begin(), lists.end(), [&](const auto& list) { return holds_within(*list, answer, row, plan); });
    });
  };
  return held(*open.a, open.match.only_a, choices.target_tables) && held(*open.b, open.match.only_b, choices.reference_tables);
}

}  // namespace darktap::compare
