#include "hidden_keys.h"

#include <algorithm>
#include <map>
#include <set>

#include "evidence.h"
#include "leeway.h"
#include "order_check.h"
#include "question_sql.h"
#include "same_input.h"
#include "session/render.h"
#include "spellings.h"
#include "sql/lexer.h"
#include "sql/rewrite.h"
#include "tie_containment.h"

namespace darktap::compare {

namespace {

using Finding = InquiryResult::Finding;

// The reference's rows with their keys: tie groups are numbered in the order in which the reference sorts them.
struct RankedRows {
  Table table;                                         // the statement's columns, then the keys
  std::size_t width = 0;                               // of the statement's columns
  std::vector<std::size_t> rank;                       // of each row
  std::map<std::string, std::vector<std::size_t>> ranks;  // row -> the ranks at which it stands, ascending
};

// Texts by their bytes, numbers by their values: 0 and -0 tie.
bool same_cell(const Table& table, std::size_t row, const Table& other, std::size_t other_row, std::size_t c) {
  const mysql::Cell &x = table.rows[row][c], &y = other.rows[other_row][c];
  if (x == y) return true;
  TypeFamily family = family_of(table.columns[c]);
  bool number = family == TypeFamily::integer || family == TypeFamily::decimal || family == TypeFamily::floating;
  return number && canonical(x, table.columns[c], {}) == canonical(y, other.columns[c], {});
}

bool same_hidden_key(const Table& table, std::size_t row, const Table& other, std::size_t other_row, std::size_t width) {
  for (std::size_t c = width; c < table.columns.size(); ++c)
    if (!same_cell(table, row, other, other_row, c)) return false;
  return true;
}

Table without_keys(const Table& table, std::size_t width) {
  Table result;
  result.columns.assign(table.columns.begin(), table.columns.begin() + static_cast<std::ptrdiff_t>(width));
  for (const auto& row : table.rows) result.rows.emplace_back(row.begin(), row.begin() + static_cast<std::ptrdiff_t>(width));
  return result;
}

// The rank of each row of an answer; a row that the ranking doesn't hold has none. Of equal rows the first takes the lowest.
std::vector<std::optional<std::size_t>> ranks_of(const Table& answer, const RankedRows& ranked, ColumnPlans columns) {
  std::vector<std::optional<std::size_t>> result;
  std::map<std::string, std::size_t> used;
  for (std::size_t row = 0; row < answer.rows.size(); ++row) {
    std::string key = row_key(answer, row, columns);
    auto found = ranked.ranks.find(key);
    std::size_t nth = used[key]++;
    bool held = found != ranked.ranks.end() && nth < found->second.size();
    result.push_back(held ? std::optional(found->second[nth]) : std::nullopt);
  }
  return result;
}

// The keys that tell two rows apart, where they are texts that a collation might hold equal; nothing where it can't.
std::optional<std::vector<Spellings>> differing_spellings(const Table& table, std::size_t row, std::size_t other, std::size_t width) {
  std::vector<Spellings> result;
  for (std::size_t c = width; c < table.columns.size(); ++c) {
    const mysql::Cell &x = table.rows[row][c], &y = table.rows[other][c];
    if (same_cell(table, row, table, other, c)) continue;
    if (x.is_null || y.is_null || !is_text(family_of(table.columns[c])) || !may_sort_alike(x.text, y.text)) return std::nullopt;
    result.push_back({c - width, x.text, y.text});
  }
  return result;
}

// equal: spellings that are taken for equal, and so tie, are put there; without it they don't.
RankedRows rank_rows(Table table, ColumnPlans columns, std::set<Spellings>* equal = nullptr) {
  RankedRows result;
  result.width = columns.size();
  Table shown = without_keys(table, result.width);
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    bool tied = row > 0 && same_hidden_key(table, row, table, row - 1, result.width);
    auto spelled = row > 0 && !tied && equal != nullptr ? differing_spellings(table, row - 1, row, result.width) : std::nullopt;
    if (spelled) {
      equal->insert(spelled->begin(), spelled->end());
      tied = true;
    }
    result.rank.push_back(row == 0 ? 0 : result.rank.back() + (tied ? 0 : 1));
    result.ranks[row_key(shown, row, columns)].push_back(result.rank.back());
  }
  result.table = std::move(table);
  return result;
}

std::optional<Table> table_heard(const Heard& heard, std::size_t columns, InquiryResult& result) {
  const mysql::Answer* answer = heard.answer();
  const mysql::ResultSet* rows = answer != nullptr ? answer->first_rows() : nullptr;
  auto table = rows != nullptr ? table_of(*rows) : std::nullopt;
  if (answer == nullptr) result.reason = heard.why_not();
  else if (!table || table->columns.size() != columns) result.reason = "the keys could not be read from the " + std::string(to_string(heard.side));
  else return table;
  return std::nullopt;
}

void write_hidden_key(JsonWriter& json, const Table& table, std::size_t row, const Plan& plan) {
  json.begin_array();
  for (std::size_t c = plan.columns.size(); c < table.columns.size(); ++c)
    session::write_cell(json, table.rows[row][c], table.columns[c], plan.collation);
  json.end_array();
}

struct RankComparison {
  Finding finding = Finding::excused;
  std::string reason;
  std::set<Spellings> spellings;  // excused only if these are equal
};

// Row for row the same ranks: then the target's order differs inside ties only.
RankComparison compare_ranks(const std::vector<std::optional<std::size_t>>& source, const std::vector<std::optional<std::size_t>>& target,
                             const RankedRows& ranked, Evidence& evidence, const Plan& plan) {
  RankComparison result;
  auto first_row_of = [&](std::size_t rank) {
    return static_cast<std::size_t>(std::lower_bound(ranked.rank.begin(), ranked.rank.end(), rank) - ranked.rank.begin());
  };
  for (std::size_t row = 0; row < source.size(); ++row) {
    if (!source[row] || !target[row]) return {Finding::unknown, "the data moved while the keys were asked for", {}};
    if (*target[row] == *source[row]) continue;
    std::size_t is = first_row_of(*target[row]), should_be = first_row_of(*source[row]);
    if (auto pairs = differing_spellings(ranked.table, should_be, is, plan.columns.size())) {
      result.spellings.insert(pairs->begin(), pairs->end());
      continue;
    }
    JsonWriter& json = evidence.json();
    json.key("first_violation").begin_object().member("row", row).key("source_keys");
    write_hidden_key(json, ranked.table, should_be, plan);
    json.key("target_keys");
    write_hidden_key(json, ranked.table, is, plan);
    json.end_object();
    return {Finding::refuted, {}, {}};
  }
  return result;
}

// The target's rows walk up the ranks: shifted perhaps, but sorted.
bool ascends(const std::vector<std::optional<std::size_t>>& ranks) {
  return std::is_sorted(ranks.begin(), ranks.end(), [](const auto& x, const auto& y) { return x && y && *x < *y; });
}

// A row that the ranking doesn't hold stands in one of the ties that LIMIT cut: the last one, or with an OFFSET the first.
void place_in_cuts(std::vector<std::optional<std::size_t>>& ranks, const Table& answer, const Choices& choices, std::size_t last, const Plan& plan) {
  for (std::size_t row = 0; row < ranks.size(); ++row) {
    if (ranks[row]) continue;
    std::string key = row_key(answer, row, plan.columns);
    if (choices.reference[0].contains(key)) ranks[row] = last;
    else if (choices.reference.size() > 1 && choices.reference[1].contains(key)) ranks[row] = 0;
  }
}

// The window's keys, row for row, as each side holds them. Nothing where they are the same or may be under a collation.
std::optional<std::size_t> window_differs(const Table& reference, const Table& target, std::size_t width) {
  for (std::size_t row = 0; row < reference.rows.size(); ++row) {
    for (std::size_t c = width; c < reference.columns.size(); ++c) {
      const mysql::Cell &x = reference.rows[row][c], &y = target.rows[row][c];
      if (compare_cells(x, reference.columns[c], y, target.columns[c], {}).match != CellMatch::different) continue;
      bool text = !x.is_null && !y.is_null && is_text(family_of(reference.columns[c]));
      if (!text || !may_sort_alike(x.text, y.text)) return row;
    }
  }
  return std::nullopt;
}

// The window's rows that are in none of the ties that were asked for, whatever the collation.
Table strictly_inside(const Table& window, const Plan& plan) {
  std::size_t width = plan.columns.size(), last = window.rows.size() - 1;
  Table result = without_keys(window, width);
  result.rows.clear();
  for (std::size_t row = 0; row < window.rows.size(); ++row) {
    bool in_tie = differing_spellings(window, row, last, width).has_value() || (plan.offset > 0 && differing_spellings(window, row, 0, width));
    if (!in_tie) result.rows.emplace_back(window.rows[row].begin(), window.rows[row].begin() + static_cast<std::ptrdiff_t>(width));
  }
  return result;
}

// Commands for the whole ties at the window's ends: the last one first. Empty where they can't be asked for.
std::vector<mysql::Command> tie_questions(const mysql::Command& original, const Plan& plan, const Table& window) {
  std::vector<std::size_t> hidden;
  for (std::size_t c = plan.columns.size(); c < window.columns.size(); ++c) hidden.push_back(c);
  std::vector<mysql::Command> questions;
  std::size_t last = window.rows.size() - 1;
  // Texts that are only sorted by their beginnings tie with others than their like.
  auto is_long = [&](std::size_t row) { return std::any_of(hidden.begin(), hidden.end(), [&](std::size_t c) { return window.rows[row][c].text.size() >= long_beginning; }); };
  if (is_long(last) || is_long(0)) return {};
  auto tail = whole_tie(original, plan, window, last, hidden);
  if (!tail) return {};
  questions.push_back(std::move(*tail));
  if (plan.offset == 0 || same_hidden_key(window, 0, window, last, plan.columns.size())) return questions;
  auto head = whole_tie(original, plan, window, 0, hidden);
  if (!head) return {};
  questions.push_back(std::move(*head));
  return questions;
}

// Where a key can't be put into WHERE (an aggregate, a window function, a number without an exact literal): the whole lists with
// their keys, of which the rows of the ties at the window's ends are taken.
Task<Choices> choices_in_list(const Plan& plan, const Table& window, const mysql::Command& original, Interview& interview, CaptureTime now) {
  Choices choices;
  auto question = whole_list_with_keys(original, plan, max_question_rows);
  if (!question) {
    choices.reason = "the tie at the cut can't be asked for: its key has no exact literal or the statement can't be rewritten";
    co_return choices;
  }
  Evidence evidence;
  evidence.json().key("re_queries").begin_array().string(quoted_sql(question->text, plan.collation)).end_array();
  std::vector<Ask> asks;
  asks.push_back({Side::reference, *question});
  asks.push_back({Side::target, std::move(*question)});
  std::vector<Heard> heard = co_await interview.ask(std::move(asks), now);
  const std::size_t width = plan.columns.size(), last = window.rows.size() - 1;
  std::vector<std::size_t> ends{last};
  if (plan.offset > 0 && !same_hidden_key(window, 0, window, last, width)) ends.push_back(0);
  std::vector<Table> lists;
  for (const Heard& one : heard) {
    InquiryResult failed;
    auto list = table_heard(one, window.columns.size(), failed);
    if (!list) {
      choices.reason = failed.reason;
      co_return choices;
    }
    choices.whole = choices.whole && list->rows.size() < max_question_rows;
    lists.push_back(std::move(*list));
  }
  for (std::size_t end : ends) {
    for (std::size_t side = 0; side < 2; ++side) {
      Table tie = without_keys(lists[side], width);
      tie.rows.clear();
      for (const auto& row : lists[side].rows) {
        Table both{window.columns, {window.rows[end], row}, false};
        if (differing_spellings(both, 0, 1, width)) tie.rows.emplace_back(row.begin(), row.begin() + static_cast<std::ptrdiff_t>(width));
      }
      (side == 0 ? choices.reference_rows : choices.target_rows) += tie.rows.size();
      (side == 0 ? choices.reference : choices.target).push_back(count_rows(tie, plan.columns));
      (side == 0 ? choices.reference_tables : choices.target_tables).push_back(std::make_shared<const Table>(std::move(tie)));
    }
  }
  evidence.json().member("reference_rows_to_choose_from", choices.reference_rows).member("target_rows_to_choose_from", choices.target_rows);
  choices.evidence = evidence.take_members();
  co_return choices;
}

// Row for row, is there a row of that look at the place's key? The reference's ties at the cuts count whole.
bool can_stand(const Table& answer, const RankedRows& ranked, const Choices& choices, const Plan& plan) {
  if (answer.rows.size() != ranked.rank.size()) return false;
  std::map<std::pair<std::string, std::size_t>, std::size_t> held, needed;
  for (const auto& [key, ranks] : ranked.ranks)
    for (std::size_t rank : ranks) ++held[{key, rank}];
  auto take = [&](const RowCounts& tie, std::size_t rank) {
    for (const auto& [key, count] : tie) held[{key, rank}] = std::max(held[{key, rank}], count);
  };
  take(choices.reference[0], ranked.rank.back());
  if (choices.reference.size() > 1) take(choices.reference[1], 0);
  for (std::size_t row = 0; row < answer.rows.size(); ++row) ++needed[{row_key(answer, row, plan.columns), ranked.rank[row]}];
  return std::all_of(needed.begin(), needed.end(), [&](const auto& one) {
    auto found = held.find(one.first);
    return found != held.end() && found->second >= one.second;
  });
}

// The same, if keys that are spelled in several ways are equal: they are all one tie then.
RankComparison stand_spelled(const Table& a, const Table& b, const RankedRows& ranked, const Choices& choices, const Plan& plan) {
  RankComparison result{Finding::unknown, {}, {}};
  if (choices.reference.empty()) return result;
  RankedRows merged = rank_rows(ranked.table, plan.columns, &result.spellings);
  if (!result.spellings.empty() && can_stand(a, merged, choices, plan) && can_stand(b, merged, choices, plan)) result.finding = Finding::excused;
  return result;
}

Task<InquiryResult> ask_with_keys(const Examination& open, const Plan& plan, ColumnPlans columns, const mysql::Command& original,
                                    Interview& interview, CaptureTime now) {
  InquiryResult result;
  const Table &a = *open.a, &b = *open.b;
  std::size_t shown = plan.columns.size();
  bool cut = plan.has_limit && !open.hidden_order;  // then the reference may have chosen other rows of a tie
  auto projected = sql::project_order_keys(plan.sql, plan.dialect);
  auto question = projected ? rewritten(original, plan, projected->sql) : std::nullopt;
  if (!question) {
    result.reason = "the ORDER BY keys are not in the output, and the statement can't be asked with them";
    co_return result;
  }
  Evidence evidence;
  evidence.json().member("key_question", quoted_sql(question->text, plan.collation));
  std::vector<Ask> asks;
  asks.push_back({Side::reference, *question});
  if (cut) asks.push_back({Side::target, *question});
  std::vector<Heard> heard = co_await interview.ask(std::move(asks), now);
  auto from_reference = table_heard(heard[0], shown + projected->count, result);
  if (!from_reference) co_return result;

  Choices choices;
  if (cut) {
    auto from_target = table_heard(heard[1], shown + projected->count, result);
    if (!from_target) co_return result;
    if (from_reference->rows.empty() || from_reference->rows.size() != a.rows.size() || from_target->rows.size() != b.rows.size()) {
      result.reason = "the data moved while the keys were asked for";
      co_return result;
    }
    // The target still gives its rows, and they stand at other keys than the window's: no tie excuses that.
    bool target_stands = match_rows(without_keys(*from_target, shown), b, plan.columns).complete();
    if (auto row = window_differs(*from_reference, *from_target, shown); row && target_stands) {
      result.finding = Finding::refuted;
      if (out_of_order(*from_target, columns_from(shown, *from_target), plan)) result.cause = Cause::order_violated;
      else result.by_window = true;
      evidence.json().key("first_violation").begin_object().member("row", *row).key("source_keys");
      write_hidden_key(evidence.json(), *from_reference, *row, plan);
      evidence.json().key("target_keys");
      write_hidden_key(evidence.json(), *from_target, *row, plan);
      evidence.json().end_object();
      result.evidence = evidence.take_members();
      co_return result;
    }
    std::vector<mysql::Command> questions = tie_questions(original, plan, *from_reference);
    Task<Choices> asking = questions.empty() ? choices_in_list(plan, *from_reference, original, interview, now)
                                             : ask_choices(plan, std::move(questions), interview, now);
    choices = co_await asking;
    choices.reference_window = count_rows(without_keys(*from_reference, shown), plan.columns);
    choices.reference_inside = count_rows(strictly_inside(*from_reference, plan), plan.columns);
    choices.target_inside = count_rows(strictly_inside(*from_target, plan), plan.columns);
    choices.target_window = count_rows(without_keys(*from_target, shown), plan.columns);
    result = check_containment(open, plan, plan.columns, choices);
    // A group that is spelled otherwise over there: the rows that it stands for decide.
    if (result.finding == Finding::refuted && !plan.shape.group_by.empty() && held_within(open, plan, choices)) {
      Task<InquiryResult> below = ask_same_input(open, {}, plan, original, interview, now);
      co_return co_await below;
    }
    evidence.append(result.evidence);
  }
  if (!cut || result.finding == Finding::excused) {
    RankedRows ranked = rank_rows(std::move(*from_reference), columns);
    auto source_ranks = ranks_of(a, ranked, columns), target_ranks = ranks_of(b, ranked, columns);
    if (cut) {
      place_in_cuts(source_ranks, a, choices, ranked.rank.back(), plan);
      place_in_cuts(target_ranks, b, choices, ranked.rank.back(), plan);
    }
    // Rows that look alike may stand at several keys.
    bool stand = cut && can_stand(a, ranked, choices, plan) && can_stand(b, ranked, choices, plan);
    RankComparison ranks = stand ? RankComparison{} : stand_spelled(a, b, ranked, choices, plan);
    if (!stand && (!cut || ranks.finding != Finding::excused)) ranks = compare_ranks(source_ranks, target_ranks, ranked, evidence, plan);
    result.finding = ranks.finding;
    result.reason = ranks.reason;
    // A window that is sorted and yet stands at other keys lies over other rows: some before it are wrong.
    if (ranks.finding == Finding::refuted) result.cause = cut && ascends(target_ranks) ? Cause::defect : Cause::order_violated;
    result.by_window = ranks.finding == Finding::refuted && result.cause == Cause::defect;
    if (ranks.finding == Finding::excused && !ranks.spellings.empty()) {
      Task<InquiryResult> task = ask_spellings({ranks.spellings.begin(), ranks.spellings.end()}, plan, interview, now);
      InquiryResult spelled = co_await task;
      evidence.append(spelled.evidence);
      result.finding = spelled.finding;
      result.reason = spelled.reason;
    }
    if (result.finding == Finding::excused) evidence.json().member("rule", "ties").member("advice", "add a unique last key to ORDER BY");
  }
  result.evidence = evidence.take_members();
  co_return result;
}

}  // namespace

Task<InquiryResult> ask_hidden_keys(const Examination& open, const Plan& plan, ColumnPlans columns, const mysql::Command& original,
                                    Interview& interview, CaptureTime now) {
  Task<InquiryResult> asking = ask_with_keys(open, plan, columns, original, interview, now);
  InquiryResult found = co_await asking;
  if (found.finding == Finding::excused || !plan.has_limit || open.hidden_order) co_return found;
  // What is computed over rows may differ in itself: the rows without it, and what it is computed from. Which rows stand for a group,
  // and how they are spelled, tells them apart.
  mysql::Command asked = original;
  asked.text = plan.sql;
  if (sql::lex(plan.sql, plan.dialect).parameters == 0) asked.parameters.clear();  // filled in
  Plan relaxed = make_plan(asked, plan.collation, open.a->columns, open.b->columns, nullptr, {}, plan.dialect.mode);
  for (std::size_t c = 0; c < relaxed.columns.size() && c < plan.columns.size(); ++c) relaxed.columns[c].of_one_row = plan.columns[c].of_one_row;
  std::vector<Leeway> leeway = leeways(plan, open.a->columns);
  bool any = false;
  for (std::size_t c = 0; c < leeway.size(); ++c) {
    if (leeway[c] != Leeway::window && leeway[c] != Leeway::list && leeway[c] != Leeway::float_sum) continue;
    relaxed.columns[c].noise.push_back("leeway");
    any = true;
  }
  if (!any) co_return found;
  Task<InquiryResult> again = ask_with_keys(open, relaxed, relaxed.columns, original, interview, now);
  InquiryResult rows = co_await again;
  if (rows.finding != Finding::excused) co_return rows;
  Task<InquiryResult> computed = ask_same_input(open, {}, plan, original, interview, now);
  InquiryResult below = co_await computed;
  Evidence evidence;
  evidence.append(rows.evidence);
  evidence.append(below.evidence);
  below.evidence = evidence.take_members();
  co_return below;
}

}  // namespace darktap::compare
