#include "sql/rewrite.h"

#include <algorithm>

#include "base/text.h"
#include "editable.h"
#include "order.h"
#include "sql/query_shape.h"
#include "words.h"

namespace darktap::sql {
namespace {

bool holds_placeholder(const Editable& source, TokenRange range) {
  for (std::uint32_t i = range.begin; i < range.end; ++i) {
    if (source.lexed.tokens[i].kind == TokenKind::placeholder) return true;
  }
  return false;
}

// A comment inside a piece that is copied to another place might swallow what follows it there.
bool holds_comment(const Editable& source, TokenRange range) {
  std::size_t begin = begin_of(source, range.begin), end = end_of(source, range.end - 1);
  return std::any_of(source.lexed.comments.begin(), source.lexed.comments.end(),
                     [&](const Comment& comment) { return comment.offset >= begin && comment.offset < end; });
}

// The key as an expression that means the same in the select list or in WHERE, where aliases and positions don't.
std::optional<std::string> key_expression(std::string_view text, const Editable& source, const KeyRef& key) {
  const Block& block = source.block();
  TokenRange range = key.expression;
  std::size_t item = named_item(text, source.lexed, block, range);
  if (item != std::string::npos) {
    range = block.items[item].expression;
  } else {
    if (range.end == range.begin + 1 && source.lexed.tokens[range.begin].kind == TokenKind::number) return std::nullopt;
    // An alias inside a larger expression can't be told from a column of that name.
    for (std::uint32_t i = range.begin; i < range.end; ++i) {
      const Token& token = source.lexed.tokens[i];
      if (token.kind != TokenKind::word && token.kind != TokenKind::quoted_name) continue;
      for (const ItemRef& ref : block.items) {
        if (ref.alias != no_token && same_name(name_of(text, token), name_of(text, source.lexed.tokens[ref.alias]))) return std::nullopt;
      }
    }
  }
  const Token& last = source.lexed.tokens[range.end - 1];
  if (last.kind == TokenKind::symbol && last.symbol == '*') return std::nullopt;
  if (holds_placeholder(source, range) || holds_comment(source, range)) return std::nullopt;
  for (const FunctionUse& use : source.statement().functions) {
    if (use.varies && range.contains(use.token)) return std::nullopt;
  }
  return std::string(slice(text, source, range));
}

bool is_one_literal(std::string_view value, const Dialect& dialect) {
  Lexed lexed = lex(value, dialect);
  if (!lexed.clean || !lexed.comments.empty() || lexed.undecided > 0) return false;
  std::size_t count = lexed.tokens.size() - 1, i = 0;
  auto sign = [&](std::size_t at) {
    return lexed.tokens[at].kind == TokenKind::symbol && (lexed.tokens[at].symbol == '-' || lexed.tokens[at].symbol == '+');
  };
  if (count == 2 && sign(0)) return lexed.tokens[1].kind == TokenKind::number;
  if (count != 1) return false;
  switch (lexed.tokens[i].kind) {
    case TokenKind::string: case TokenKind::number: case TokenKind::hex: case TokenKind::bit: return true;
    case TokenKind::word: {
      W found = static_cast<W>(lexed.tokens[i].word);
      return found == W::null_ || found == W::true_ || found == W::false_;
    }
    default: return false;
  }
}

bool has_limit(const Block& block) { return block.limit.count != no_token; }

}  // namespace

std::optional<ProjectedKeys> project_order_keys(std::string_view text, const Dialect& dialect) {
  std::optional<Editable> source = editable(text, dialect);
  if (!source || !is_plain_read(source->statement()) || source->statement().set_operation) return std::nullopt;
  const Block& block = source->block();
  if (block.items.empty() || block.order_by.empty() || block.distinct) return std::nullopt;
  const ItemRef& last = block.items.back();
  std::string added;
  std::size_t count = 0;
  for (const KeyRef& key : block.order_by) {
    std::optional<std::string> expression = key_expression(text, *source, key);
    if (!expression) return std::nullopt;
    added += ", " + *expression + " AS `__dt_k" + std::to_string(++count) + "`";
  }
  std::string sql(text);
  sql.insert(end_of(*source, last.alias != no_token ? last.alias : last.expression.end - 1), added);
  std::optional<std::string> checked = still_read(std::move(sql), dialect);
  if (!checked) return std::nullopt;
  return ProjectedKeys{std::move(*checked), count};
}

std::optional<std::string> tie_scoped(std::string_view text, const std::vector<std::string>& key_values, const Dialect& dialect) {
  std::optional<Editable> source = editable(text, dialect);
  if (!source || !is_plain_read(source->statement()) || source->statement().set_operation) return std::nullopt;
  const Block& block = source->block();
  if (key_values.empty() || key_values.size() > block.order_by.size() || !block.has_from || block.items.empty()) return std::nullopt;
  if (block.distinct || block.grouped || !block.having.empty() || block.named_windows) return std::nullopt;
  if (has_aggregate(source->statement(), {source->statement().begin, source->statement().end})) return std::nullopt;
  for (const FunctionUse& use : source->statement().functions) {
    if (use.windowed && use.block == 0) return std::nullopt;
  }
  if (has_limit(block) && holds_placeholder(*source, block.limit_clause)) return std::nullopt;
  std::string condition;
  for (std::size_t i = 0; i < key_values.size(); ++i) {
    std::optional<std::string> expression = key_expression(text, *source, block.order_by[i]);
    if (!expression || !is_one_literal(key_values[i], dialect)) return std::nullopt;
    if (!condition.empty()) condition += " AND ";
    condition += "(" + *expression + ") <=> " + key_values[i];
  }
  // From the back, so that the offsets in front stay true.
  std::string sql(text);
  if (has_limit(block)) {
    std::size_t begin = begin_of(*source, block.limit_clause.begin);
    sql.erase(begin, end_of(*source, block.limit_clause.end - 1) - begin);
  }
  if (block.where.empty()) {
    sql.insert(end_of(*source, block.where_at - 1), " WHERE " + condition);
  } else {
    sql.insert(end_of(*source, block.where.end - 1), ") AND " + condition);
    sql.insert(begin_of(*source, block.where.begin), "(");
  }
  return still_read(std::move(sql), dialect);
}

std::optional<std::string> drop_limit(std::string_view text, const Dialect& dialect) {
  std::optional<Editable> source = editable(text, dialect);
  if (!source || !is_plain_read(source->statement()) || source->block().limit.unusual) return std::nullopt;
  const Block& block = source->block();
  std::string sql(text);
  if (has_limit(block)) {
    if (holds_placeholder(*source, block.limit_clause)) return std::nullopt;
    std::size_t begin = begin_of(*source, block.limit_clause.begin);
    sql.erase(begin, end_of(*source, block.limit_clause.end - 1) - begin);
  }
  return still_read(std::move(sql), dialect);
}

std::string open_ended(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n", ends = " \t\r\n;";
  const std::size_t begin = text.find_first_not_of(blanks), last = text.find_last_not_of(ends);
  return begin == std::string_view::npos || last == std::string_view::npos || last < begin ? "" : std::string(text.substr(begin, last + 1 - begin));
}

std::optional<std::string> with_limit(std::string_view text, std::uint64_t rows, const Dialect& dialect) {
  std::string cut = open_ended(text) + "\nLIMIT " + std::to_string(rows);
  QueryShape shape = shape_of(cut, dialect);
  if (!shape.understood || !shape.limit || shape.limit->number != rows) return std::nullopt;
  return cut;
}

std::optional<std::string> select_touched_rows(std::string_view text, const Dialect& dialect) {
  std::optional<Editable> source = editable(text, dialect);
  if (!source) return std::nullopt;
  const Statement& statement = source->statement();
  const Block& block = statement.top;
  bool known = statement.verb == Verb::update || statement.verb == Verb::remove;
  if (!known || statement.multi_table || statement.has_cte || block.from.empty() || block.limit.unusual) return std::nullopt;
  if (holds_comment(*source, {statement.begin, statement.end}) || holds_placeholder(*source, {statement.begin, statement.end})) return std::nullopt;
  std::string sql = "SELECT * FROM " + std::string(slice(text, *source, block.from));
  if (!block.where.empty()) sql += " WHERE " + std::string(slice(text, *source, block.where));
  if (!block.order_clause.empty()) sql += " " + std::string(slice(text, *source, block.order_clause));
  if (has_limit(block)) sql += " " + std::string(slice(text, *source, block.limit_clause));
  return still_read(std::move(sql), dialect);
}

std::optional<std::string> with_query_as_table(std::string_view text, const Dialect& dialect) {
  Editable source;
  source.lexed = lex(text, dialect);
  if (!source.lexed.clean || source.lexed.undecided > 0) return std::nullopt;
  source.parsed = parse(text, source.lexed, dialect);
  if (source.parsed.statements.size() != 1) return std::nullopt;
  const Statement& statement = source.statement();
  if (!statement.understood || !statement.parenthesized_with_tail || !is_plain_read(statement) || statement.has_cte) return std::nullopt;
  const std::uint32_t close = closing_parenthesis(source, statement.begin, statement.end);
  if (!is_symbol(source, statement.begin, '(') || close + 1 >= statement.end) return std::nullopt;
  std::string sql(text);
  sql.insert(end_of(source, close), " AS `__dt_query`");
  sql.insert(begin_of(source, statement.begin), "SELECT * FROM ");
  return still_read(std::move(sql), dialect);
}

std::vector<std::string> single_statements(std::string_view text, const Dialect& dialect) {
  Lexed lexed = lex(text, dialect);
  if (!lexed.clean || lexed.undecided > 0) return {};
  std::vector<std::string> result;
  for (const Statement& statement : parse(text, lexed, dialect).statements) {
    if (!statement.understood) return {};
    if (statement.end <= statement.begin) continue;
    const Token &first = lexed.tokens[statement.begin], &last = lexed.tokens[statement.end - 1];
    result.emplace_back(text.substr(first.offset, last.offset + last.length - first.offset));
  }
  return result;
}

std::optional<std::string> with_parameters(std::string_view text, const std::vector<std::string>& literals, const Dialect& dialect) {
  Lexed lexed = lex(text, dialect);
  if (!lexed.clean || lexed.undecided > 0 || lexed.parameters != literals.size()) return std::nullopt;
  std::string sql;
  std::size_t done = 0;
  for (const Token& token : lexed.tokens) {
    if (token.kind != TokenKind::placeholder) continue;
    const std::string& literal = literals[token.symbol];
    if (!is_one_literal(literal, dialect)) return std::nullopt;
    sql += text.substr(done, token.offset - done);
    sql += ' ' + literal + ' ';  // so that it can't grow together with its neighbours
    done = token.offset + token.length;
  }
  sql += text.substr(done);
  return sql;
}

}  // namespace darktap::sql
