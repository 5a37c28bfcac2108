#include "list_order.h"

#include <algorithm>
#include <map>

#include "evidence.h"
#include "heard_rows.h"
#include "leeway.h"
#include "order_check.h"
#include "question_sql.h"
#include "same_input.h"
#include "sql/lexer.h"
#include "sql/same_rows.h"
#include "text.h"

namespace darktap::compare {

namespace {

using Finding = InquiryResult::Finding;

constexpr std::size_t max_asked_lists = 100;

// The pieces of GROUP_CONCAT([DISTINCT] value ORDER BY key [ASC|DESC], … [SEPARATOR s]).
struct OrderedList {
  std::string value, order, keys;  // keys: without their directions
};
std::optional<OrderedList> pieces_of(std::string_view item, const sql::Dialect& dialect) {
  sql::Lexed lexed = sql::lex(item, dialect);
  if (!lexed.clean || !lexed.comments.empty()) return std::nullopt;
  auto text = [&](std::size_t token) { return lower(item.substr(lexed.tokens[token].offset, lexed.tokens[token].length)); };
  auto between = [&](std::size_t begin, std::size_t end) {  // tokens [begin, end)
    const sql::Token& last = lexed.tokens[end - 1];
    return std::string(item.substr(lexed.tokens[begin].offset, last.offset + last.length - lexed.tokens[begin].offset));
  };
  std::size_t count = lexed.tokens.size() - 1, begin = 2, order = 0, end = count - 1;
  if (count < 6 || text(count - 1) != ")") return std::nullopt;
  if (text(begin) == "distinct") ++begin;
  bool several = false;  // values that make one element, set together; of which none may be NULL
  int depth = 0;
  for (std::size_t i = begin; i + 1 < count; ++i) {
    std::string word = text(i);
    if (word == "(") ++depth;
    if (word == ")") --depth;
    if (depth > 0) continue;
    if (order == 0 && word == ",") several = true;
    if (word == "order" && text(i + 1) == "by" && order == 0) order = i;
    if (order > 0 && (word == "separator" || word == "limit")) {
      if (word == "limit") return std::nullopt;
      end = i;
      break;
    }
  }
  if (order <= begin || order + 2 >= end) return std::nullopt;
  OrderedList list{between(begin, order), between(order, end), {}};
  if (several) list.value = "CONCAT(" + list.value + ")";
  depth = 0;
  std::size_t from = order + 2;
  for (std::size_t i = from; i <= end; ++i) {
    std::string word = i < end ? text(i) : ",";
    if (word == "(") ++depth;
    if (word == ")") --depth;
    if (depth > 0 || word != ",") continue;
    std::size_t to = i;
    if (std::string last = text(to - 1); last == "asc" || last == "desc") --to;
    if (to <= from || (to == from + 1 && lexed.tokens[from].kind == sql::TokenKind::number)) return std::nullopt;
    list.keys += ", " + between(from, to);
    from = i + 1;
  }
  return list;
}

// Greedily the lowest place that is left and not before the one in front. The last element of a list that may be cut off says nothing.
bool in_order(std::string_view list, std::string_view separator, std::map<std::string, std::vector<std::size_t>, std::less<>> ranks, bool distinct, bool may_be_cut) {
  std::size_t current = 0;
  for (std::size_t begin = 0;;) {
    std::size_t end = list.find(separator, begin);
    if (end == std::string_view::npos && may_be_cut) return true;
    auto found = ranks.find(list.substr(begin, end - begin));
    if (found == ranks.end()) return false;
    auto place = std::lower_bound(found->second.begin(), found->second.end(), current);
    if (place == found->second.end()) return false;
    current = *place;
    if (!distinct) found->second.erase(place);
    if (end == std::string_view::npos) return true;
    begin = end + separator.size();
  }
}

}  // namespace

Task<InquiryResult> ask_list_order(const Examination& open, std::vector<std::pair<std::size_t, std::size_t>> pairs, std::size_t column, const Plan& plan,
                                   const mysql::Command& original, Interview& interview, CaptureTime now) {
  InquiryResult result{Finding::unknown, Cause::unexamined, {}, "the keys of the list's own ORDER BY can't be asked for"};
  const sql::SelectItem& item = plan.shape.items[*plan.columns[column].item];
  auto list = pieces_of(item.text, plan.dialect);
  if (!list || pairs.size() > max_asked_lists || plan.from_inner_query) co_return result;
  std::vector<Ask> asks;
  for (auto [row, other] : pairs) {
    auto group = plan.shape.group_by.empty() ? std::optional<std::string>("") : group_condition(plan, *open.a, row);
    auto sql = group ? sql::over_same_rows(plan.sql, list->value + list->keys, *group, " " + list->order + " LIMIT " + std::to_string(max_question_rows), plan.dialect)
                     : std::nullopt;
    auto question = sql ? rewritten(original, plan, std::move(*sql)) : std::nullopt;
    if (!question) co_return result;
    asks.push_back({Side::reference, std::move(*question)});
  }
  std::string first_question = quoted_sql(asks.front().command.text, plan.collation);
  std::vector<Heard> heard = co_await interview.ask(std::move(asks), now);
  bool distinct = lower(item.text).find("distinct") != std::string::npos;
  std::string_view separator = plan.columns[column].ordered_builder->separator;
  for (std::size_t i = 0; i < heard.size(); ++i) {
    auto table = rows_heard(heard[i]);
    if (!table || table->rows.size() >= max_question_rows || table->columns.size() < 2) co_return result;
    std::map<std::string, std::vector<std::size_t>, std::less<>> ranks;
    std::size_t rank = 0;
    for (std::size_t row = 0; row < table->rows.size(); ++row) {
      for (std::size_t c = 1; row > 0 && c < table->columns.size(); ++c) {
        const mysql::Cell &x = table->rows[row - 1][c], &y = table->rows[row][c];
        bool tied = x == y || (!x.is_null && !y.is_null && is_text(family_of(table->columns[c])) && may_be_equal(x.text, y.text));
        if (tied) continue;
        ++rank;
        break;
      }
      if (!table->rows[row][0].is_null) ranks[table->rows[row][0].text].push_back(rank);
    }
    const std::string &source = open.a->rows[pairs[i].first][column].text, &target = open.b->rows[pairs[i].second][column].text;
    bool cut = may_be_cut(source, both_warned(*open.a, *open.b));
    if (!in_order(source, separator, ranks, distinct, cut)) {
      result.reason = "the data moved while the list's keys were asked for";
      co_return result;
    }
    if (in_order(target, separator, ranks, distinct, cut)) continue;
    Evidence evidence;
    evidence.json().member("list_question", first_question).member("list_column", open.a->columns[column].name);
    co_return InquiryResult{Finding::refuted, Cause::order_violated, evidence.take_members(), {}};
  }
  Evidence evidence;
  evidence.json().member("list_question", first_question).member("list_in_order", true);
  co_return InquiryResult{Finding::excused, Cause::order_undefined, evidence.take_members(), {}};
}

}  // namespace darktap::compare
