#include "sql/query_shape.h"

#include <algorithm>
#include <span>

#include "key_predicates.h"
#include "order.h"
#include "statement.h"
#include "words.h"

namespace darktap::sql {
namespace {

class Shaper {
 public:
  Shaper(std::string_view text, const Lexed& lexed, const Dialect& dialect, const Statement& statement)
      : text_(text), lexed_(lexed), dialect_(dialect), statement_(statement) {}

  QueryShape run() {
    shape_.kind = kind();
    const Block& block = statement_.top;
    bool query = statement_.verb == Verb::select;
    shape_.understood = statement_.understood && !statement_.parenthesized_with_tail && (!block.limit.unusual || (block.limit.whole_ties && !block.order_by.empty())) &&
                        (!query || block.seen || shape_.kind == ShapeKind::values) &&
                        block.items.size() <= max_columns && (block.order_by.size() + block.group_by.size()) * block.items.size() <= max_item_key_pairs;
    if (!shape_.understood) return std::move(shape_);
    collect_uses();
    tables();
    items();
    clauses();
    writes();
    return std::move(shape_);
  }

 private:
  ShapeKind kind() const {
    switch (statement_.verb) {
      case Verb::select:
        if (statement_.set_operation) return ShapeKind::set_operation;
        return statement_.top.values_or_table ? ShapeKind::values : ShapeKind::select;
      case Verb::insert: return ShapeKind::insert;
      case Verb::replace: return ShapeKind::replace;
      case Verb::update: return ShapeKind::update;
      case Verb::remove: return ShapeKind::remove;
      case Verb::none: case Verb::other: return ShapeKind::other;
    }
    return ShapeKind::other;
  }

  Span span(TokenRange range) const {
    if (range.empty()) return {};
    const Token& last = lexed_.tokens[range.end - 1];
    return {lexed_.tokens[range.begin].offset, last.offset + last.length};
  }
  std::string source(TokenRange range) const { return std::string(text_at(text_, span(range))); }
  std::string name(std::uint32_t token) const { return token == no_token ? std::string() : name_of(text_, lexed_.tokens[token]); }
  std::string alias_name(std::uint32_t token) const {
    if (token == no_token) return {};
    return lexed_.tokens[token].kind == TokenKind::string ? string_value(text_, lexed_.tokens[token], dialect_) : name(token);
  }

  // Function calls and varying variables by position, so that a range's are found at once.
  struct Use {
    std::uint32_t token = 0;
    const FunctionUse* function = nullptr;  // nullptr: a variable
    std::string varying;                    // its name, where its value varies
  };
  void collect_uses() {
    for (const FunctionUse& use : statement_.functions) {
      uses_.push_back({use.token, &use, use.varies ? std::string(use.function->name) : std::string()});
    }
    for (std::uint32_t token : statement_.varying_variables) uses_.push_back({token, nullptr, std::string(text_of(text_, lexed_.tokens[token]))});
    std::sort(uses_.begin(), uses_.end(), [](const Use& a, const Use& b) { return a.token < b.token; });
  }
  std::span<const Use> uses_in(TokenRange range) const {
    auto before = [](const Use& use, std::uint32_t token) { return use.token < token; };
    auto first = std::lower_bound(uses_.begin(), uses_.end(), range.begin, before);
    auto last = std::lower_bound(first, uses_.end(), range.end, before);
    return {first, last};
  }
  static void add_once(std::vector<std::string>& names, const std::string& name) {
    if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }

  void tables() {
    for (const TableRef& ref : statement_.tables) {
      TableName table{name(ref.schema), ref.name == no_token ? std::string() : name(ref.name)};
      if (ref.written) shape_.targets.push_back(table);
      if (ref.in_top_from) shape_.tables.push_back({table, name(ref.alias), ref.derived});
    }
    shape_.outer_join = statement_.outer_join;
  }

  void items() {
    for (const ItemRef& ref : statement_.top.items) {
      SelectItem item;
      TokenRange range = ref.expression;
      item.span = span(range);
      item.text = source(range);
      item.alias = alias_name(ref.alias);
      const Token& last = lexed_.tokens[range.end - 1];
      if (last.kind == TokenKind::symbol && last.symbol == '*') {
        item.star = range.end - range.begin == 1 ? Star::all : Star::table;
        if (item.star == Star::table) item.star_table = name(range.end - 3);
      }
      std::uint32_t column = 0, qualifier = no_token;
      if (bare_column(lexed_, range, column, qualifier)) {
        item.column = name(column);
        item.column_table = name(qualifier);
      }
      for (std::uint32_t i = range.begin; i < range.end && !item.subquery; ++i) {
        item.subquery = lexed_.tokens[i].kind == TokenKind::word && static_cast<W>(lexed_.tokens[i].word) == W::select_;
      }
      for (const Use& found : uses_in(range)) {
        add_once(item.nondeterministic, found.varying);
        if (found.function == nullptr || found.function->block != 0) continue;
        const FunctionUse& use = *found.function;
        Trait trait = use.function->trait;
        if (use.windowed) item.window = true;
        else if (trait == Trait::aggregate || trait == Trait::builder) item.aggregate = true;
        if (trait != Trait::builder) continue;
        ValueBuilder builder;
        builder.function = use.function->name;
        builder.ordered = use.ordered;
        builder.whole_item = use.call.begin == range.begin && use.call.end == range.end;
        builder.separator = use.separator == no_token ? "," : string_value(text_, lexed_.tokens[use.separator], dialect_);
        item.builders.push_back(std::move(builder));
      }
      shape_.items.push_back(std::move(item));
    }
    // What is left between and behind the items.
    std::uint32_t from = statement_.begin;
    for (const ItemRef& ref : statement_.top.items) {
      for (const Use& found : uses_in({from, ref.expression.begin})) add_once(shape_.nondeterministic_outside_items, found.varying);
      from = ref.expression.end;
    }
    for (const Use& found : uses_in({from, statement_.end})) add_once(shape_.nondeterministic_outside_items, found.varying);
  }

  SortKey sort_key(const KeyRef& ref) const {
    SortKey key;
    key.span = span(ref.expression);
    key.text = source(ref.expression);
    key.descending = ref.descending;
    if (ref.collation != no_token) {
      key.collation = name(ref.collation);
      for (char& c : key.collation) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    }
    std::uint32_t column = 0, qualifier = no_token;
    if (bare_column(lexed_, ref.expression, column, qualifier)) {
      key.column = name(column);
      key.column_table = name(qualifier);
    }
    std::size_t item = named_item(text_, lexed_, statement_.top, ref.expression);
    if (item != std::string::npos) key.item = item;
    return key;
  }

  void clauses() {
    const Block& block = statement_.top;
    shape_.distinct = block.distinct;
    shape_.where = span(block.where);
    shape_.having = span(block.having);
    for (const KeyRef& key : block.group_by) shape_.group_by.push_back(sort_key(key));
    for (const KeyRef& key : block.order_by) shape_.order_by.push_back(sort_key(key));
    shape_.with_rollup = block.rollup;
    // WITH TIES leaves no choice: it cuts nothing that an order could have put elsewhere.
    if (block.limit.count != no_token && !block.limit.whole_ties) shape_.limit = count_of(text_, lexed_, block.limit.count);
    if (block.limit.offset != no_token) shape_.offset = count_of(text_, lexed_, block.limit.offset);
    shape_.order_clause = span(block.order_clause);
    shape_.limit_clause = span(block.limit_clause);
    shape_.set_operation = statement_.set_operator;
    for (const FunctionUse& use : statement_.functions) shape_.has_window = shape_.has_window || (use.windowed && use.block == 0);
    shape_.has_subquery = statement_.has_subquery;
    shape_.subquery_with_limit = statement_.subquery_with_limit;
    shape_.has_cte = statement_.has_cte;
    shape_.locking = statement_.locking;
    shape_.assigns_variable = statement_.assigns_variable;
    shape_.aggregate_without_group = shape_.kind == ShapeKind::select && !block.grouped && has_aggregate(statement_, block.select);
    if (shape_.kind != ShapeKind::set_operation) find_key_predicates(text_, lexed_, dialect_, block.where, shape_.key_predicates);
  }

  void writes() {
    for (std::uint32_t column : statement_.insert_columns) shape_.columns.push_back(name(column));
    for (const std::vector<TokenRange>& row : statement_.rows) {
      std::vector<Value> values;
      for (TokenRange range : row) values.push_back(value_of(text_, lexed_, range));
      shape_.rows.push_back(std::move(values));
    }
    shape_.row_count = statement_.row_count;
    for (const AssignmentRef& ref : statement_.assignments) {
      Assignment assignment;
      std::uint32_t parts = ref.target.end - ref.target.begin;
      assignment.column = name(ref.target.end - 1);
      if (parts > 1) assignment.table = name(ref.target.end - 3);
      assignment.value = value_of(text_, lexed_, ref.value);
      shape_.assignments.push_back(std::move(assignment));
    }
    shape_.from_select = statement_.from_select;
    if (statement_.ignores) shape_.conflict = Conflict::ignored;
    if (statement_.on_duplicate) shape_.conflict = Conflict::updates;
  }

  std::string_view text_;
  const Lexed& lexed_;
  const Dialect& dialect_;
  const Statement& statement_;
  QueryShape shape_;
  std::vector<Use> uses_;
};

}  // namespace

QueryShape shape_of(std::string_view text, const Dialect& dialect) {
  Lexed lexed = lex(text, dialect);
  if (!lexed.clean || lexed.undecided > 0) return {};
  Parsed parsed = parse(text, lexed, dialect);
  if (parsed.statements.size() != 1) return {};
  return Shaper(text, lexed, dialect, parsed.statements.front()).run();
}

}  // namespace darktap::sql
