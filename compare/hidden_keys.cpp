#include "hidden_keys.h"

#include <map>

#include "evidence.h"
#include "question_sql.h"
#include "session/render.h"
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

bool same_hidden_key(const Table& table, std::size_t row, const Table& other, std::size_t other_row, std::size_t width) {
  for (std::size_t c = width; c < table.columns.size(); ++c)
    if (table.rows[row][c] != other.rows[other_row][c]) return false;
  return true;
}

Table without_keys(const Table& table, std::size_t width) {
  Table result;
  result.columns.assign(table.columns.begin(), table.columns.begin() + static_cast<std::ptrdiff_t>(width));
  for (const auto& row : table.rows) result.rows.emplace_back(row.begin(), row.begin() + static_cast<std::ptrdiff_t>(width));
  return result;
}

RankedRows rank_rows(Table table, const Plan& plan) {
  RankedRows result;
  result.width = plan.columns.size();
  Table shown = without_keys(table, result.width);
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    bool tied = row > 0 && same_hidden_key(table, row, table, row - 1, result.width);
    result.rank.push_back(row == 0 ? 0 : result.rank.back() + (tied ? 0 : 1));
    result.ranks[row_key(shown, row, plan.columns)].push_back(result.rank.back());
  }
  result.table = std::move(table);
  return result;
}

// The rank of each row of an answer; a row that the ranking doesn't hold has none. Of equal rows the first takes the lowest.
std::vector<std::optional<std::size_t>> ranks_of(const Table& answer, const RankedRows& ranked, const Plan& plan) {
  std::vector<std::optional<std::size_t>> result;
  std::map<std::string, std::size_t> used;
  for (std::size_t row = 0; row < answer.rows.size(); ++row) {
    std::string key = row_key(answer, row, plan.columns);
    auto found = ranked.ranks.find(key);
    std::size_t nth = used[key]++;
    bool held = found != ranked.ranks.end() && nth < found->second.size();
    result.push_back(held ? std::optional(found->second[nth]) : std::nullopt);
  }
  return result;
}

// Two rows of different tie groups may still be equal under a collation; then nothing is proved by their bytes.
bool may_be_equal_text(const Table& table, std::size_t row, std::size_t other, std::size_t width) {
  for (std::size_t c = width; c < table.columns.size(); ++c) {
    const mysql::Cell &x = table.rows[row][c], &y = table.rows[other][c];
    if (x == y) continue;
    if (x.is_null || y.is_null || !is_text(family_of(table.columns[c]))) return false;
  }
  return true;
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

struct Verdicts {
  Finding finding = Finding::excused;
  std::string reason;
};

// Row for row the same ranks: then the target's order differs inside ties only.
Verdicts compare_ranks(const std::vector<std::optional<std::size_t>>& source, const std::vector<std::optional<std::size_t>>& target,
                       const RankedRows& ranked, Evidence& evidence, const Plan& plan) {
  auto first_row_of = [&](std::size_t rank) {
    std::size_t row = 0;
    while (ranked.rank[row] != rank) ++row;
    return row;
  };
  for (std::size_t row = 0; row < source.size(); ++row) {
    if (!source[row]) return {Finding::unknown, "the data moved while the keys were asked for"};
    if (row > 0 && *source[row] < *source[row - 1]) return {Finding::unknown, "the source's own rows don't follow the reference's keys"};
  }
  for (std::size_t row = 0; row < target.size(); ++row) {
    if (target[row] == source[row]) continue;
    if (!target[row]) return {Finding::unknown, "the data moved while the keys were asked for"};
    std::size_t is = first_row_of(*target[row]), should_be = first_row_of(*source[row]);
    if (may_be_equal_text(ranked.table, is, should_be, plan.columns.size()))
      return {Finding::unknown, "text keys with different spellings: whether the collation holds them equal was not asked"};
    JsonWriter& json = evidence.json();
    json.key("first_violation").begin_object().member("row", row).key("source_keys");
    write_hidden_key(json, ranked.table, should_be, plan);
    json.key("target_keys");
    write_hidden_key(json, ranked.table, is, plan);
    json.end_object();
    return {Finding::refuted, {}};
  }
  return {};
}

// A row that the ranking doesn't hold stands in one of the ties that LIMIT cut: the last one, or with an OFFSET the first.
void place_in_cuts(std::vector<std::optional<std::size_t>>& source, std::vector<std::optional<std::size_t>>& target, std::size_t last,
                   const Plan& plan) {
  bool at_head = plan.offset > 0;
  for (std::size_t row = 0; row < source.size(); ++row) {
    at_head = at_head && source[row].value_or(0) == 0;
    if (!source[row]) source[row] = at_head ? 0 : last;
    if (!target[row]) target[row] = *source[row] == 0 && plan.offset > 0 ? 0 : last;
  }
}

}  // namespace

Task<InquiryResult> ask_hidden_keys(const Examination& open, const Plan& plan, const mysql::Command& original, Interview& interview, CaptureTime now) {
  InquiryResult result;
  const Table &a = *open.a, &b = *open.b;
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
  std::vector<Heard> heard = co_await interview.ask(std::move(asks), now);
  std::size_t width = plan.columns.size() + projected->count;
  auto from_reference = table_heard(heard[0], width, result);
  if (!from_reference) co_return result;

  bool cut = !open.match.complete();
  std::vector<std::size_t> hidden;
  for (std::size_t c = plan.columns.size(); c < width; ++c) hidden.push_back(c);
  std::vector<mysql::Command> tie_questions;
  if (cut) {
    if (from_reference->rows.empty() || from_reference->rows.size() != a.rows.size()) {
      result.reason = "the data moved while the keys were asked for";
      co_return result;
    }
    std::size_t last = from_reference->rows.size() - 1;
    auto tail = whole_tie(original, plan, *from_reference, last, hidden);
    if (tail) tie_questions.push_back(std::move(*tail));
    if (tail && plan.offset > 0 && !same_hidden_key(*from_reference, 0, *from_reference, last, plan.columns.size())) {
      auto head = whole_tie(original, plan, *from_reference, 0, hidden);
      if (head) tie_questions.push_back(std::move(*head));
      else tie_questions.clear();
    }
    if (tie_questions.empty()) {
      result.reason = "the tie at the cut can't be asked for: its key has no exact literal or the statement can't be rewritten";
      co_return result;
    }
  }
  RankedRows ranked = rank_rows(std::move(*from_reference), plan);
  auto source_ranks = ranks_of(a, ranked, plan), target_ranks = ranks_of(b, ranked, plan);
  if (cut) {
    // What the ranking doesn't hold can only belong to the tie at the cut: the tie's own rows decide that below.
    Task<InquiryResult> task = ask_containment(open, plan, tie_questions, interview, now);
    result = co_await task;
    evidence.append(result.evidence);
    place_in_cuts(source_ranks, target_ranks, ranked.rank.back(), plan);
  }
  if (!cut || result.finding == Finding::excused) {
    Verdicts ranks = compare_ranks(source_ranks, target_ranks, ranked, evidence, plan);
    result.finding = ranks.finding;
    result.reason = ranks.reason;
    if (ranks.finding == Finding::excused) evidence.json().member("rule", "ties").member("advice", "add a unique last key to ORDER BY");
  }
  result.evidence = evidence.take_members();
  co_return result;
}

}  // namespace darktap::compare
