#include "order.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "words.h"

namespace darktap::sql {
namespace {

std::string_view source_of(std::string_view text, const Lexed& lexed, TokenRange range) {
  if (range.empty()) return {};
  const Token& first = lexed.tokens[range.begin];
  const Token& last = lexed.tokens[range.end - 1];
  return text.substr(first.offset, last.offset + last.length - first.offset);
}

// The only table of a plain FROM; nullptr where there are more, or it is not a table of the schema.
const TableRef* only_table(const Statement& statement) {
  const TableRef* only = nullptr;
  for (const TableRef& table : statement.tables) {
    if (!table.in_top_from) continue;
    if (only != nullptr || table.derived) return nullptr;
    only = &table;
  }
  return only;
}

// Do the ORDER BY keys hold every column of a unique key without NULLs?
bool covers_unique_key(std::string_view text, const Lexed& lexed, const Statement& statement, const Catalogue& catalogue) {
  const TableRef* ref = only_table(statement);
  const Block& block = statement.top;
  if (ref == nullptr || block.grouped || block.distinct) return false;
  std::string schema = ref->schema == no_token ? std::string() : name_of(text, lexed.tokens[ref->schema]);
  const Table* table = catalogue.table(schema, name_of(text, lexed.tokens[ref->name]));
  if (table == nullptr) return false;
  std::vector<std::string> keys;
  for (const KeyRef& key : block.order_by) {
    std::uint32_t column = 0, qualifier = 0;
    TokenRange expression = key.expression;
    if (std::size_t item = named_item(text, lexed, block, expression); item != std::string::npos) {
      expression = block.items[item].expression;
    }
    if (bare_column(lexed, expression, column, qualifier)) keys.push_back(lower(name_of(text, lexed.tokens[column])));
  }
  return std::any_of(table->unique_keys.begin(), table->unique_keys.end(), [&](const UniqueKey& unique) {
    return !unique.columns.empty() && std::all_of(unique.columns.begin(), unique.columns.end(), [&](const std::string& name) {
      const Column* column = table->column(name);
      return column != nullptr && !column->nullable && std::find(keys.begin(), keys.end(), lower(name)) != keys.end();
    });
  });
}

// GROUP BY and DISTINCT leave one row a group: ordered by all that makes a group, nothing is open.
bool covers_groups(std::string_view text, const Lexed& lexed, const Statement& statement) {
  const Block& block = statement.top;
  if (block.rollup || (!block.grouped && !block.distinct)) return false;
  std::vector<std::string> keys;
  auto resolved = [&](TokenRange range) {
    std::size_t item = named_item(text, lexed, block, range);
    return folded_text(text, lexed, item == std::string::npos ? range : block.items[item].expression);
  };
  for (const KeyRef& key : block.order_by) keys.push_back(resolved(key.expression));
  std::sort(keys.begin(), keys.end());
  auto ordered_by = [&](const std::string& expression) { return std::binary_search(keys.begin(), keys.end(), expression); };
  if (block.grouped) {
    if (block.distinct) return false;
    return std::all_of(block.group_by.begin(), block.group_by.end(), [&](const KeyRef& key) { return ordered_by(resolved(key.expression)); });
  }
  return block.distinct && std::all_of(block.items.begin(), block.items.end(), [&](const ItemRef& item) {
    const Token& last = lexed.tokens[item.expression.end - 1];
    bool star = last.kind == TokenKind::symbol && last.symbol == '*';
    return !star && ordered_by(folded_text(text, lexed, item.expression));
  });
}

// A key that is the same for each row, or drawn for each, promises nothing: NULL, 'x', ?, @v, 1 + 1, NOW(), RAND(). A number alone
// is a column's position; whatever else isn't known to be without columns may hold one.
bool orders_nothing(std::string_view text, const Lexed& lexed, const Statement& statement, TokenRange key) {
  if (key.end == key.begin + 1 && lexed.tokens[key.begin].kind == TokenKind::number) return false;
  for (std::uint32_t i = key.begin; i < key.end; ++i) {
    const Token& token = lexed.tokens[i];
    switch (token.kind) {
      case TokenKind::string: case TokenKind::number: case TokenKind::hex: case TokenKind::bit: case TokenKind::placeholder:
      case TokenKind::system_variable: case TokenKind::symbol: continue;
      case TokenKind::user_variable:
        if (statement.assigns_variable) return false;
        continue;
      case TokenKind::word: break;
      default: return false;
    }
    W word = static_cast<W>(token.word);
    if (word == W::null_ || word == W::true_ || word == W::false_) continue;
    const Function* function = lexed.tokens[i + 1].kind == TokenKind::symbol && lexed.tokens[i + 1].symbol == '(' ? find_function(text_of(text, token)) : nullptr;
    if (function == nullptr || (function->trait != Trait::pure && function->trait != Trait::varying) || reserve_of(word) == Reserve::reserved) return false;
  }
  return true;
}

}  // namespace

Count count_of(std::string_view text, const Lexed& lexed, std::uint32_t token) {
  Count count;
  const Token& t = lexed.tokens[token];
  if (t.kind == TokenKind::placeholder) {
    count.parameter = t.symbol;
    return count;
  }
  std::string_view raw = text_of(text, t);
  std::uint64_t number = 0;
  auto [end, error] = std::from_chars(raw.data(), raw.data() + raw.size(), number);
  if (error == std::errc() && end == raw.data() + raw.size()) count.number = number;
  return count;
}

std::string folded_text(std::string_view text, const Lexed& lexed, TokenRange range) {
  std::string folded;
  for (std::uint32_t i = range.begin; i < range.end; ++i) {
    const Token& t = lexed.tokens[i];
    if (t.kind == TokenKind::word) folded += lower(text_of(text, t));
    else if (t.kind == TokenKind::quoted_name) folded += lower(name_of(text, t));
    else folded += text_of(text, t);
    folded += ' ';
  }
  return folded;
}

bool bare_column(const Lexed& lexed, TokenRange range, std::uint32_t& column, std::uint32_t& qualifier) {
  auto names = [&](std::uint32_t i) {
    const Token& t = lexed.tokens[i];
    if (t.kind == TokenKind::quoted_name) return true;
    return t.kind == TokenKind::word && reserve_of(static_cast<W>(t.word)) != Reserve::reserved;
  };
  auto dot = [&](std::uint32_t i) { return lexed.tokens[i].kind == TokenKind::symbol && lexed.tokens[i].symbol == '.'; };
  std::uint32_t count = range.end - range.begin;
  if (range.empty() || (count != 1 && count != 3 && count != 5)) return false;
  for (std::uint32_t i = 0; i < count; ++i) {
    if (i % 2 == 0 ? !names(range.begin + i) : !dot(range.begin + i)) return false;
  }
  column = range.end - 1;
  qualifier = count > 1 ? range.end - 3 : no_token;
  return true;
}

std::size_t named_item(std::string_view text, const Lexed& lexed, const Block& block, TokenRange key) {
  if (key.end == key.begin + 1) {
    const Token& only = lexed.tokens[key.begin];
    if (only.kind == TokenKind::number) {
      Count position = count_of(text, lexed, key.begin);
      // Behind a star the items' numbers are not the columns'.
      if (!position.number || *position.number == 0 || *position.number > block.items.size()) return std::string::npos;
      for (std::size_t i = 0; i < *position.number; ++i) {
        const Token& last = lexed.tokens[block.items[i].expression.end - 1];
        if (last.kind == TokenKind::symbol && last.symbol == '*') return std::string::npos;
      }
      return static_cast<std::size_t>(*position.number) - 1;
    }
    std::string wanted = lower(name_of(text, only));
    for (std::size_t i = 0; i < block.items.size(); ++i) {
      if (block.items[i].alias == no_token) continue;
      if (lower(name_of(text, lexed.tokens[block.items[i].alias])) == wanted) return i;
    }
  }
  std::string wanted = folded_text(text, lexed, key);
  for (std::size_t i = 0; i < block.items.size(); ++i) {
    TokenRange item = block.items[i].expression;
    if (item.end - item.begin == key.end - key.begin && folded_text(text, lexed, item) == wanted) return i;
  }
  // A bare column also names an item that is the same column with its table in front.
  std::uint32_t column = 0, qualifier = 0;
  if (bare_column(lexed, key, column, qualifier) && qualifier == no_token) {
    std::size_t found = std::string::npos;
    std::string name = lower(name_of(text, lexed.tokens[column]));
    for (std::size_t i = 0; i < block.items.size(); ++i) {
      std::uint32_t item_column = 0, item_qualifier = 0;
      if (block.items[i].alias != no_token || !bare_column(lexed, block.items[i].expression, item_column, item_qualifier)) continue;
      if (lower(name_of(text, lexed.tokens[item_column])) != name) continue;
      if (found != std::string::npos) return std::string::npos;
      found = i;
    }
    return found;
  }
  return std::string::npos;
}

bool has_aggregate(const Statement& statement, TokenRange range) {
  return std::any_of(statement.functions.begin(), statement.functions.end(), [&](const FunctionUse& use) {
    bool aggregates = use.function->trait == Trait::aggregate || use.function->trait == Trait::builder;
    return aggregates && !use.windowed && use.block == 0 && range.contains(use.token);
  });
}

Order order_of(std::string_view text, const Lexed& lexed, const Statement& statement, const Catalogue* catalogue) {
  Order order;
  const Block& block = statement.top;
  if (!statement.understood || statement.verb != Verb::select || !block.seen || statement.parenthesized_with_tail ||
      block.order_by.size() > max_columns) {
    return order;
  }
  for (const KeyRef& key : block.order_by) {
    OrderKey found;
    found.expression = source_of(text, lexed, key.expression);
    found.descending = key.descending;
    if (key.collation != no_token) found.collation = lower(name_of(text, lexed.tokens[key.collation]));
    order.keys.push_back(std::move(found));
  }
  if (block.limit.unusual) return order;
  if (block.limit.count != no_token) order.limit = count_of(text, lexed, block.limit.count);
  if (block.limit.offset != no_token) order.offset = count_of(text, lexed, block.limit.offset);
  bool ordered = std::any_of(block.order_by.begin(), block.order_by.end(), [&](const KeyRef& key) { return !orders_nothing(text, lexed, statement, key.expression); });
  order.guarantee = ordered ? OrderGuarantee::partial : OrderGuarantee::none;
  if (statement.set_operation || block.values_or_table) return order;
  bool one_row = !block.has_from || (!block.grouped && has_aggregate(statement, block.select));
  if (one_row) order.guarantee = OrderGuarantee::total;
  if (order.keys.empty() || (block.order_by.size() + block.group_by.size()) * block.items.size() > max_item_key_pairs) return order;
  if (covers_groups(text, lexed, statement)) order.guarantee = OrderGuarantee::total;
  if (catalogue != nullptr && covers_unique_key(text, lexed, statement, *catalogue)) order.guarantee = OrderGuarantee::total;
  return order;
}

}  // namespace darktap::sql
