#include "read_limits.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "sql/lexer.h"
#include "text.h"

namespace darktap::compare {

namespace {

using sql::Token;
using sql::TokenKind;

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

// The conjuncts of a WHERE, as tokens.
class Conjuncts {
 public:
  Conjuncts(std::string_view where, const sql::Dialect& dialect) : where_(where), lexed_(sql::lex(where, dialect)) {}

  bool is(std::size_t token, std::string_view word) const { return kind(token) == TokenKind::word && same_name(text(token), word); }
  bool symbol(std::size_t token, std::string_view code) const { return kind(token) == TokenKind::symbol && lexed_.tokens[token].symbol == sql::symbol_code(code); }
  TokenKind kind(std::size_t token) const { return token < lexed_.tokens.size() ? lexed_.tokens[token].kind : TokenKind::end; }
  std::string_view text(std::size_t token) const { return sql::text_of(where_, lexed_.tokens[token]); }
  std::string name(std::size_t token) const { return sql::name_of(where_, lexed_.tokens[token]); }
  std::size_t size() const { return lexed_.tokens.empty() ? 0 : lexed_.tokens.size() - 1; }
  std::size_t placeholders_before(std::size_t token) const {
    return static_cast<std::size_t>(std::count_if(lexed_.tokens.begin(), lexed_.tokens.begin() + static_cast<std::ptrdiff_t>(token), [](const Token& t) { return t.kind == TokenKind::placeholder; }));
  }

  // [begin, end) of each; none where the top level is no plain conjunction.
  std::vector<std::pair<std::size_t, std::size_t>> parts() const {
    std::vector<std::pair<std::size_t, std::size_t>> found;
    std::size_t begin = 0;
    int open = 0;
    bool between = false;
    for (std::size_t i = 0; i < size(); ++i) {
      if (symbol(i, "(")) ++open;
      if (symbol(i, ")")) --open;
      bool splits_otherwise = is(i, "or") || is(i, "xor") || is(i, "case") || is(i, "not") || symbol(i, "||") || symbol(i, "!");
      if (open == 0 && splits_otherwise) return {};
      if (open != 0) continue;
      if (is(i, "between")) {
        between = true;
      } else if (is(i, "and") && between) {
        between = false;
      } else if (is(i, "and") || symbol(i, "&&")) {
        found.emplace_back(begin, i);
        begin = i + 1;
      }
    }
    found.emplace_back(begin, size());
    return found;
  }

 private:
  std::string_view where_;
  sql::Lexed lexed_;
};

void narrow(Ranges& ranges, const std::string& column, NumberRange by) {
  NumberRange& range = ranges[column];
  range.low = std::max(range.low, by.low);
  range.high = std::min(range.high, by.high);
}

}  // namespace

Ranges ranges_on(const sql::TableName& table, std::string_view text, const sql::QueryShape& shape, const mysql::Command& command, const sql::Dialect& dialect) {
  Ranges ranges;
  bool is_plain = shape.understood && shape.kind == sql::ShapeKind::select && !shape.has_subquery && !shape.has_cte && !shape.outer_join && shape.set_operation.empty();
  if (!is_plain || shape.where.empty() || command.bulk_rows > 1) return ranges;
  const sql::ShapeTable* place = nullptr;
  for (const sql::ShapeTable& candidate : shape.tables) {
    if (candidate.derived || candidate.table.name != table.name) continue;
    if (place != nullptr) return ranges;
    place = &candidate;
  }
  if (place == nullptr) return ranges;
  std::string_view called = place->alias.empty() ? std::string_view(place->table.name) : place->alias;
  const Conjuncts where(sql::text_at(text, shape.where), dialect);
  const sql::Lexed before = sql::lex(text.substr(0, shape.where.begin), dialect);
  const std::size_t first_parameter = before.parameters;
  auto number = [&](std::size_t& at) -> std::optional<std::int64_t> {
    if (where.kind(at) == TokenKind::placeholder) {
      std::size_t index = first_parameter + where.placeholders_before(at++);
      if (index >= command.parameters.size() || command.parameters[index].presence != mysql::Parameter::Presence::value) return std::nullopt;
      return whole_number(mysql::print_parameter(command.parameters[index]));
    }
    bool negative = where.symbol(at, "-");
    if (negative) ++at;
    if (where.kind(at) != TokenKind::number) return std::nullopt;
    auto value = whole_number(where.text(at++));
    return value && negative ? std::optional(-*value) : value;
  };
  auto is_name = [&](std::size_t at) { return where.kind(at) == TokenKind::word || where.kind(at) == TokenKind::quoted_name; };
  for (auto [begin, end] : where.parts()) {
    std::size_t at = begin;
    if (!is_name(at)) continue;
    std::string qualifier, column = where.name(at++);
    if (where.symbol(at, ".") && is_name(at + 1)) qualifier = std::exchange(column, where.name(at + 1)), at += 2;
    bool here = qualifier.empty() ? shape.tables.size() == 1 : same_name(qualifier, called);
    if (!here) continue;
    NumberRange range;
    if (where.is(at, "between")) {
      auto low = number(++at);
      if (!low || !where.is(at, "and")) continue;
      auto high = number(++at);
      if (!high) continue;
      range = {*low, *high};
    } else {
      std::size_t sign = at++;
      bool below = where.symbol(sign, "<") || where.symbol(sign, "<="), above = where.symbol(sign, ">") || where.symbol(sign, ">=");
      auto bound = below || above ? number(at) : std::nullopt;
      if (!bound) continue;
      (below ? range.high : range.low) = *bound;  // the bound itself is one number too many, at most
    }
    if (at == end) narrow(ranges, lower(column), range);
  }
  return ranges;
}

bool out_of_range(const Ranges& ranges, const KeyValues& keys) {
  return std::any_of(ranges.begin(), ranges.end(), [&](const auto& entry) {
    auto named = keys.find(entry.first);
    if (named == keys.end() || named->second.empty()) return false;
    return std::all_of(named->second.begin(), named->second.end(), [&](const std::string& value) {
      auto number = whole_number(value);
      return number && (*number < entry.second.low || *number > entry.second.high);
    });
  });
}

std::optional<std::set<std::string>> names_in(std::string_view text, const sql::Dialect& dialect) {
  const sql::Lexed lexed = sql::lex(text, dialect);
  constexpr std::array<std::string_view, 6> before_a_star{"select", "distinct", "all", "distinctrow", "straight_join", "high_priority"};
  std::set<std::string> names;
  bool is_select = false;
  for (std::size_t i = 0; i < lexed.tokens.size(); ++i) {
    const Token& token = lexed.tokens[i];
    if (token.kind == TokenKind::invalid) return std::nullopt;
    if (token.kind == TokenKind::word || token.kind == TokenKind::quoted_name) {
      std::string name = lower(sql::name_of(text, token));
      if (name == "natural" || name == "table") return std::nullopt;
      is_select = is_select || name == "select";
      names.insert(std::move(name));
    }
    if (token.kind != TokenKind::symbol || token.symbol != sql::symbol_code("*") || i == 0) continue;
    const Token& before = lexed.tokens[i - 1];
    bool behind_symbol = before.kind == TokenKind::symbol && (before.symbol == sql::symbol_code(",") || before.symbol == sql::symbol_code("."));
    std::string word = before.kind == TokenKind::word ? lower(sql::name_of(text, before)) : std::string();
    if (behind_symbol || word.starts_with("sql_") || std::find(before_a_star.begin(), before_a_star.end(), word) != before_a_star.end()) return std::nullopt;
  }
  return is_select ? std::optional(std::move(names)) : std::nullopt;
}

bool follows_named_columns(const sql::Catalogue& catalogue, const sql::QualifiedName& table, const std::set<std::string>& names) {
  const sql::Table* known = catalogue.table(table.first, table.second);
  if (known == nullptr || known->columns.empty() || catalogue.view(table.first, table.second) != nullptr || catalogue.triggers.contains(table)) return false;
  return std::none_of(known->columns.begin(), known->columns.end(), [&](const sql::Column& column) { return column.follows_others && names.contains(lower(column.name)); });
}

}  // namespace darktap::compare
