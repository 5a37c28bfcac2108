// Table references: names, derived tables, joins, hints; who is a table and who a CTE.
#include "parser.h"

namespace darktap::sql {

bool Parser::table_references() {
  do {
    if (!table_reference()) return false;
  } while (accept_symbol(','));
  return true;
}

bool Parser::join_keyword(bool& outer, bool& natural, bool& straight) {
  if (accept(W::straight_join_)) {
    straight = true;
    return true;
  }
  if (is(W::join_)) {
    take(Role::keyword);
    return true;
  }
  if (is_any({W::inner_, W::cross_}) && is(W::join_, 1)) {
    take(Role::keyword);
    take(Role::keyword);
    return true;
  }
  if (is_any({W::left_, W::right_}) && (is(W::join_, 1) || is(W::outer_, 1))) {
    take(Role::keyword);
    accept(W::outer_);
    outer = true;
    return expect(W::join_);
  }
  if (is(W::natural_)) {
    take(Role::keyword);
    natural = true;
    if (accept_any({W::left_, W::right_})) {
      accept(W::outer_);
      out_.outer_join = out_.outer_join || in_from_;
    } else {
      accept(W::inner_);
    }
    return expect(W::join_);
  }
  return false;
}

// A chain of joins. Each ON or USING belongs to the nearest join that still waits for one; an outer join must get one.
bool Parser::table_reference() {
  Nest nest(*this);
  if (nest.too_deep()) return fail("nested too deeply");
  if (!table_factor()) return false;
  std::vector<bool> waiting;  // true: an outer join
  for (;;) {
    bool outer = false, natural = false, straight = false;
    if (join_keyword(outer, natural, straight)) {
      if (outer && in_from_) out_.outer_join = true;
      if (!table_factor()) return false;
      if (!natural) waiting.push_back(outer);
      if (straight && is(W::using_)) return fail("expected ON");
      continue;
    }
    if (failed_) return false;
    if (!is_any({W::on_, W::using_}) || waiting.empty()) break;
    waiting.pop_back();
    if (accept(W::on_)) {
      bool from = in_from_;
      in_from_ = false;
      bool good = expression();
      in_from_ = from;
      if (!good) return false;
    } else {
      take(Role::keyword);
      if (!name_list()) return false;
    }
  }
  for (bool outer : waiting) {
    if (outer) return fail("expected ON or USING");
  }
  return true;
}

bool Parser::table_factor() {
  Nest nest(*this);
  if (nest.too_deep()) return fail("nested too deeply");
  if (is_symbol('{') && is(W::oj_, 1)) {
    take(Role::keyword);
    take(Role::keyword);
    return table_reference() && expect_symbol('}');
  }
  bool lateral = is(W::lateral_) && is_symbol('(', 1);
  if (lateral) take(Role::keyword);
  TableRef ref;
  ref.in_top_from = in_from_;
  if (is_symbol('(')) {
    // '(' query ')' alias, or '(' table references ')'. ((SELECT …) UNION …) alias shows behind the inner parenthesis.
    bool derived = starts_query(1) || is(W::values_, 1);
    if (!derived && is_symbol('(', 1)) {
      std::uint32_t ahead = 1;
      while (is_symbol('(', ahead) && ahead < max_nesting) ++ahead;
      derived = starts_query(ahead);
      if (derived) {
        // Which of the two it is, decides what follows the innermost query.
        std::uint32_t depth = ahead;
        std::uint32_t i = at_ + ahead;
        for (std::uint32_t open = depth; i < tokens_.size() && open >= depth; ++i) {
          if (tokens_[i].kind != TokenKind::symbol) continue;
          if (tokens_[i].symbol == '(') ++open;
          if (tokens_[i].symbol == ')') --open;
        }
        const Token& behind = i < tokens_.size() ? tokens_[i] : tokens_.back();
        W next = behind.kind == TokenKind::word ? static_cast<W>(behind.word) : W::none;
        bool closes = behind.kind == TokenKind::symbol && behind.symbol == ')';
        derived = closes || next == W::union_ || next == W::except_ || next == W::intersect_ || next == W::order_ || next == W::limit_;
        factor_scan_ += i - at_;
        if (factor_scan_ > 4 * tokens_.size() + 1000) return fail("too many nested parentheses");
      }
    }
    if (!derived) {
      if (lateral) return fail("expected a query");
      take(Role::keyword);
      return table_references() && expect_symbol(')');
    }
    take(Role::keyword);
    if (!subquery()) return false;
    ref.derived = true;
    if (!table_alias(ref, true)) return false;
    if (is_symbol('(') && !name_list()) return false;
    add_table(ref);
    return true;
  }
  if (is(W::json_table_) && is_symbol('(', 1)) {
    ref.derived = true;
    if (!json_table() || !table_alias(ref, true)) return false;
    add_table(ref);
    return true;
  }
  if (!table_name(ref)) return false;
  if (is_symbol('(')) return fail("a function can't stand here");
  if (is(W::partition_) && is_symbol('(', 1)) {
    take(Role::keyword);
    if (!name_list()) return false;
  }
  if (is(W::for_) && is_any({W::system_time_, W::portion_}, 1) && !system_time()) return false;
  if (!table_alias(ref, false)) return false;
  ref.derived = is_cte(ref);
  ref.read = !ref.derived;
  add_table(ref);
  return index_hints();
}

// [schema .] table; also ".table", an old spelling.
bool Parser::table_name(TableRef& ref) {
  accept_symbol('.');
  ref.name = at_;
  if (!name(Role::table)) return false;
  if (is_symbol('.') && !is_symbol('*', 1)) {
    take(Role::name);
    ref.schema = ref.name;
    roles_[ref.schema] = Role::name;
    ref.name = at_;
    if (token().kind != TokenKind::word && token().kind != TokenKind::quoted_name) return fail("expected a table's name");
    take(Role::table);
  }
  return true;
}

bool Parser::table_alias(TableRef& ref, bool required) {
  if (accept(W::as_)) {
    ref.alias = at_;
    return name(Role::alias);
  }
  bool clause = is_any({W::except_, W::intersect_, W::minus_, W::returning_, W::offset_, W::fetch_}) || (is(W::window_) && is(W::as_, 2));
  if (is_name() && !clause) {
    ref.alias = at_;
    take(Role::alias_bare);
    return true;
  }
  return !required || fail("a derived table needs an alias");
}

bool Parser::index_hints() {
  while (is_any({W::use_, W::force_, W::ignore_}) && is_any({W::index_, W::key_}, 1)) {
    bool use = is(W::use_);
    take(Role::keyword);
    take(Role::keyword);
    if (accept(W::for_)) {
      if (!accept(W::join_) && !accept_words({W::order_, W::by_}) && !accept_words({W::group_, W::by_})) return fail("expected JOIN, ORDER BY or GROUP BY");
    }
    if (!expect_symbol('(')) return false;
    if (use && accept_symbol(')')) continue;
    do {
      if (!accept(W::primary_) && !name()) return false;
    } while (accept_symbol(','));
    if (!expect_symbol(')')) return false;
    if (is_symbol(',') && is_any({W::use_, W::force_, W::ignore_}, 1)) take(Role::keyword);
  }
  return true;
}

// MariaDB's temporal tables: FOR SYSTEM_TIME AS OF …, BETWEEN … AND …, FROM … TO …, ALL; FOR PORTION OF p FROM … TO ….
bool Parser::system_time() {
  take(Role::keyword);
  if (accept(W::portion_)) {
    return expect(W::of_) && name() && expect(W::from_) && simple_expression() && expect(W::to_) && simple_expression();
  }
  take(Role::keyword);
  if (accept(W::all_)) return true;
  if (accept_words({W::as_, W::of_})) {
    if (is_any({W::timestamp_, W::transaction_}) && !is_symbol('(', 1)) take(Role::keyword);
    return simple_expression();
  }
  if (accept(W::between_)) return simple_expression() && expect(W::and_) && simple_expression();
  return expect(W::from_) && simple_expression() && expect(W::to_) && simple_expression();
}

// JSON_TABLE(expression, path COLUMNS (…)).
bool Parser::json_table() {
  take(Role::function);
  take(Role::keyword);
  return expression() && expect_symbol(',') && string_literal() && json_columns() && expect_symbol(')');
}

// COLUMNS (name FOR ORDINALITY | name type [EXISTS] PATH '…' [… ON EMPTY] [… ON ERROR] | NESTED [PATH] '…' COLUMNS (…), …)
bool Parser::json_columns() {
  Nest nest(*this);
  if (nest.too_deep()) return fail("nested too deeply");
  if (!expect(W::columns_) || !expect_symbol('(')) return false;
  do {
    if (is(W::nested_) && (is(W::path_, 1) || token(1).kind == TokenKind::string)) {
      take(Role::keyword);
      accept(W::path_);
      if (!string_literal() || !json_columns()) return false;
      continue;
    }
    if (!name()) return false;
    if (accept_words({W::for_, W::ordinality_})) continue;
    if (!cast_type()) return false;
    accept(W::exists_);
    if (!expect(W::path_) || !string_literal()) return false;
    while (is_any({W::null_, W::error_, W::default_})) {
      if (accept(W::default_)) {
        if (token().kind != TokenKind::string && token().kind != TokenKind::number) return fail("expected a literal");
      }
      take(Role::keyword);
      if (!expect(W::on_) || !accept_any({W::empty_, W::error_})) return fail("expected EMPTY or ERROR");
    }
  } while (accept_symbol(','));
  return expect_symbol(')');
}

bool Parser::name_list() {
  if (!expect_symbol('(')) return false;
  do {
    if (!name()) return false;
  } while (accept_symbol(','));
  return expect_symbol(')');
}

void Parser::add_table(TableRef ref) {
  if (out_.tables.empty()) out_.tables.reserve(4);
  if (out_.tables.size() < max_tables) out_.tables.push_back(ref);
  else fail("too many tables");
}

bool Parser::is_cte(const TableRef& ref) const {
  if (ref.schema != no_token || cte_count_.empty()) return false;
  std::string wanted = name_of(text_, tokens_[ref.name]);
  for (char& c : wanted) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  auto found = cte_count_.find(wanted);
  return found != cte_count_.end() && found->second > 0;
}

}  // namespace darktap::sql
