#include "sql/same_rows.h"

#include <algorithm>
#include <set>
#include <vector>

#include "base/text.h"
#include "editable.h"
#include "order.h"
#include "words.h"

namespace darktap::sql {
namespace {

bool is_name(const Editable& source, std::uint32_t token) {
  TokenKind kind = source.lexed.tokens[token].kind;
  return source.parsed.roles[token] == Role::name && (kind == TokenKind::word || kind == TokenKind::quoted_name);
}

std::optional<Editable> one_block(std::string_view text, const Dialect& dialect) {
  std::optional<Editable> source = editable(text, dialect);
  if (!source || !is_plain_read(source->statement()) || source->statement().set_operation) return std::nullopt;
  if (!source->block().has_from || source->block().from.empty() || source->block().items.empty()) return std::nullopt;
  return source;
}

bool holds_select(const Editable& source, TokenRange range) {
  for (std::uint32_t i = range.begin; i < range.end; ++i) {
    const Token& token = source.lexed.tokens[i];
    if (token.kind == TokenKind::word && static_cast<W>(token.word) == W::select_) return true;
  }
  return false;
}

bool names_in(std::string_view text, const Editable& source, TokenRange range, const std::string& name) {
  for (std::uint32_t i = range.begin; i < range.end; ++i)
    if (is_name(source, i) && lower(name_of(text, source.lexed.tokens[i])) == name) return true;
  return false;
}

// Collects the column names of one range. False where they can't be told.
class Columns {
 public:
  Columns(std::string_view text, const Editable& source) : text_(text), source_(source) {
    for (const ItemRef& item : source.block().items)
      if (item.alias != no_token) aliases_.insert(lower(name_of(text, source.lexed.tokens[item.alias])));
  }

  bool add(TokenRange range, bool aliases_count) {
    if (holds_select(source_, range)) return false;
    for (std::uint32_t i = range.begin; i < range.end;) {
      if (!is_name(source_, i)) {
        if (source_.lexed.tokens[i].kind == TokenKind::placeholder) return false;
        ++i;
        continue;
      }
      std::uint32_t end = i + 1;
      while (end + 1 < range.end && is_symbol(source_, end, '.') && is_name(source_, end + 1)) end += 2;
      if (end < range.end && (is_symbol(source_, end, '.') || is_symbol(source_, end, '('))) return false;
      if (!(end == i + 1 && aliases_count && is_alias(i))) found_.insert(std::string(slice(text_, source_, {i, end})));
      i = end;
    }
    return true;
  }

  std::string list() const {
    std::string result;
    for (const std::string& name : found_) result += (result.empty() ? "" : ", ") + name;
    return result.empty() ? "1" : result;
  }

 private:
  // An alias stands for its item, whose columns are counted there.
  bool is_alias(std::uint32_t token) const { return aliases_.contains(lower(name_of(text_, source_.lexed.tokens[token]))); }

  std::string_view text_;
  const Editable& source_;
  std::set<std::string> aliases_;
  std::set<std::string> found_;
};

}  // namespace

std::optional<std::string> over_same_rows(std::string_view text, std::string_view items, std::string_view condition, std::string_view tail,
                                          const Dialect& dialect) {
  std::optional<Editable> source = one_block(text, dialect);
  if (!source) return std::nullopt;
  const Block& block = source->block();
  std::string sql;
  // WITH … stays in front.
  std::size_t first = begin_of(*source, source->statement().begin), select = begin_of(*source, block.select.begin);
  if (source->statement().has_cte) sql += text.substr(first, select - first);
  else if (first != select) return std::nullopt;
  sql += "SELECT ";
  sql += items;
  sql += " FROM ";
  sql += slice(text, *source, block.from);
  if (!block.where.empty()) {
    sql += " WHERE (";
    sql += slice(text, *source, block.where);
    sql += ")";
  }
  if (!condition.empty()) {
    sql += block.where.empty() ? " WHERE " : " AND ";
    sql += condition;
  }
  sql += tail;
  return still_read(std::move(sql), dialect);
}

std::optional<std::string> columns_used(std::string_view text, const Dialect& dialect) {
  std::optional<Editable> source = one_block(text, dialect);
  if (!source) return std::nullopt;
  const Block& block = source->block();
  if (block.named_windows) return "*";
  Columns columns(text, *source);
  for (const ItemRef& item : block.items) {
    const Token& last = source->lexed.tokens[item.expression.end - 1];
    bool star = last.kind == TokenKind::symbol && last.symbol == '*';
    if (star || !columns.add(item.expression, false)) return "*";
  }
  // GROUP BY and HAVING look for a column before an alias: where an alias's own expression doesn't hold that column, it may
  // be another one.
  for (const std::vector<KeyRef>* keys : {&block.group_by, &block.order_by}) {
    for (const KeyRef& key : *keys) {
      if (!columns.add(key.expression, true)) return "*";
      for (const ItemRef& item : block.items) {
        if (keys != &block.group_by || item.alias == no_token) continue;
        std::string alias = lower(name_of(text, source->lexed.tokens[item.alias]));
        std::uint32_t column = 0, qualifier = 0;
        bool bare = bare_column(source->lexed, key.expression, column, qualifier);
        if (!bare && names_in(text, *source, key.expression, alias) && !names_in(text, *source, item.expression, alias)) return "*";
      }
    }
  }
  if (!block.having.empty() && !columns.add(block.having, true)) return "*";
  return columns.list();
}

std::string columns_of_items(std::string_view text, const std::vector<std::size_t>& items, const Dialect& dialect) {
  std::optional<Editable> source = one_block(text, dialect);
  if (!source || source->block().named_windows) return "*";
  Columns columns(text, *source);
  for (std::size_t item : items) {
    if (item >= source->block().items.size()) return "*";
    TokenRange range = source->block().items[item].expression;
    const Token& last = source->lexed.tokens[range.end - 1];
    bool star = last.kind == TokenKind::symbol && last.symbol == '*';
    if (star || !columns.add(range, false)) return "*";
  }
  return columns.list();
}

std::optional<std::string> group_key_over_rows(std::string_view text, std::size_t key, const Dialect& dialect) {
  std::optional<Editable> source = one_block(text, dialect);
  if (!source || key >= source->block().group_by.size()) return std::nullopt;
  TokenRange range = source->block().group_by[key].expression;
  std::size_t item = named_item(text, source->lexed, source->block(), range);
  if (item != std::string::npos) range = source->block().items[item].expression;
  if (holds_select(*source, range) || has_aggregate(source->statement(), range)) return std::nullopt;
  for (std::uint32_t i = range.begin; i < range.end; ++i)
    if (source->lexed.tokens[i].kind == TokenKind::placeholder) return std::nullopt;
  if (range.end == range.begin + 1 && source->lexed.tokens[range.begin].kind == TokenKind::number) return std::nullopt;
  return std::string(slice(text, *source, range));
}

namespace {

// What makes a UNION ALL of each operator that stands in the range outside of parentheses. False where EXCEPT or INTERSECT is among them
// and only UNIONs are wanted.
bool unite_all(const Editable& source, TokenRange range, Operators operators, std::vector<Edit>& edits) {
  int depth = 0;
  for (std::uint32_t i = range.begin; i < range.end; ++i) {
    const Token& token = source.lexed.tokens[i];
    if (is_symbol(source, i, '(')) ++depth;
    if (is_symbol(source, i, ')')) --depth;
    if (depth > 0 || token.kind != TokenKind::word) continue;
    W word = static_cast<W>(token.word);
    bool takes_away = word == W::except_ || word == W::intersect_ || word == W::minus_;
    if (takes_away && operators == Operators::unions) return false;
    if (word != W::union_ && !takes_away) continue;
    if (takes_away) edits.push_back({token.offset, token.length, "UNION"});
    const Token& next = source.lexed.tokens[i + 1];
    W after = next.kind == TokenKind::word ? static_cast<W>(next.word) : W::none;
    if (after == W::distinct_) edits.push_back({next.offset, next.length, "ALL"});
    else if (after != W::all_) edits.push_back({static_cast<std::size_t>(token.offset) + token.length, 0, " ALL"});
  }
  return true;
}

}  // namespace

std::optional<std::string> all_of_union(std::string_view text, Operators operators, const Dialect& dialect) {
  std::optional<Editable> source = editable(text, dialect);
  if (!source || !is_plain_read(source->statement()) || !source->statement().set_operation) return std::nullopt;
  if (source->statement().subquery_with_limit) return std::nullopt;
  const Block& block = source->block();
  std::vector<Edit> edits;
  if (!unite_all(*source, {source->statement().begin, source->statement().end}, operators, edits)) return std::nullopt;
  std::size_t tail = text.size();
  for (TokenRange clause : {block.order_clause, block.limit_clause})
    if (!clause.empty()) tail = std::min<std::size_t>(tail, begin_of(*source, clause.begin));
  if (tail < text.size()) edits.push_back({tail, end_of(*source, source->statement().end - 1) - tail, ""});
  return edited(text, std::move(edits), dialect);
}

std::optional<std::string> over_all_of_union(std::string_view text, Operators operators, const Dialect& dialect) {
  std::optional<Editable> source = one_block(text, dialect);
  if (!source || source->statement().subquery_with_limit || source->statement().has_cte) return std::nullopt;
  const TokenRange from = source->block().from;
  // (SELECT … UNION …) name, and no other table beside it.
  const std::uint32_t close = closing_parenthesis(*source, from.begin, from.end);
  if (!is_symbol(*source, from.begin, '(') || close >= from.end || from.end - close > 3) return std::nullopt;
  std::vector<Edit> edits;
  if (!unite_all(*source, {from.begin + 1, close}, operators, edits) || edits.empty()) return std::nullopt;
  return edited(text, std::move(edits), dialect);
}

}  // namespace darktap::sql
