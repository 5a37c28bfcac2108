// Expressions. Precedence doesn't matter for what we ask, so that operands and operators are a flat loop; what matters is
// that each token has a place in the grammar, and that every call and assignment is seen.
#include "parser.h"

namespace darktap::sql {

bool Parser::expression() {
  Nest nest(*this);
  if (nest.too_deep()) return fail("nested too deeply");
  return prefixes_and_operand() && expression_rest();
}

bool Parser::expression_rest() {
  for (;;) {
    if (!postfixes()) return false;
    switch (binary_operator()) {
      case Step::failed: return false;
      case Step::done: return true;
      case Step::another_operand: break;
    }
    if (!prefixes_and_operand()) return false;
  }
}

bool Parser::simple_expression() {
  Nest nest(*this);
  if (nest.too_deep()) return fail("nested too deeply");
  for (;;) {
    if (!prefixes_and_operand()) return false;
    while (accept(W::collate_)) {
      if (!charset_name()) return false;
    }
    if (!arithmetic_operator()) return true;
  }
}

bool Parser::prefixes_and_operand() {
  for (;;) {
    const Token& next = token();
    bool sign = next.kind == TokenKind::symbol && (next.symbol == '-' || next.symbol == '+' || next.symbol == '!' || next.symbol == '~');
    if (!sign && !is(W::not_) && !is(W::binary_)) return operand();
    take(Role::keyword);
  }
}

bool Parser::arithmetic_operator() {
  const Token& next = token();
  if (next.kind == TokenKind::word) return accept(W::div_) || accept(W::mod_);
  if (next.kind != TokenKind::symbol) return false;
  switch (next.symbol) {
    case '+': case '-': case '*': case '/': case '%': case '^': case '&': case '|':
    case symbol_code("<<"): case symbol_code(">>"): break;
    case symbol_code("||"):
      if (!dialect_.mode.pipes_as_concat) return false;
      break;
    default: return false;
  }
  take(Role::keyword);
  return true;
}

bool Parser::quantified_comparison() {
  if (is_any({W::any_, W::some_, W::all_}) && is_symbol('(', 1) && starts_query(2)) {
    take(Role::keyword);
    take(Role::keyword);
    return subquery();
  }
  return false;
}

Parser::Step Parser::binary_operator() {
  if (arithmetic_operator()) return Step::another_operand;
  if (token().kind == TokenKind::symbol) {
    switch (token().symbol) {
      case symbol_code("&&"): case symbol_code("||"): case symbol_code("<=>"): take(Role::keyword); return Step::another_operand;
      case '=': case '<': case '>': case symbol_code("<="): case symbol_code(">="): case symbol_code("<>"): case symbol_code("!="):
        take(Role::keyword);
        if (!quantified_comparison()) return failed_ ? Step::failed : Step::another_operand;
        // The quantified subquery was an operand: go on behind it.
        if (!postfixes()) return Step::failed;
        return binary_operator();
      default: return Step::done;
    }
  }
  if (token().kind != TokenKind::word) return Step::done;
  if (accept_any({W::and_, W::or_, W::xor_})) return Step::another_operand;
  std::uint32_t ahead = is(W::not_) ? 1 : 0;
  if (is_any({W::like_, W::rlike_, W::regexp_}, ahead)) {
    if (ahead == 1) take(Role::keyword);
    take(Role::keyword);
    return Step::another_operand;
  }
  if (accept_words({W::sounds_, W::like_})) return Step::another_operand;
  if (is_any({W::between_}, ahead)) {
    if (ahead == 1) take(Role::keyword);
    take(Role::keyword);
    if (!simple_expression() || !expect(W::and_)) return Step::failed;
    return Step::another_operand;
  }
  return Step::done;
}

bool Parser::postfixes() {
  for (;;) {
    if (word() == W::none) return true;
    if (accept(W::collate_)) {
      if (!charset_name()) return false;
      continue;
    }
    if (is(W::is_)) {
      take(Role::keyword);
      accept(W::not_);
      if (!accept_any({W::null_, W::true_, W::false_, W::unknown_})) return fail("expected NULL, TRUE, FALSE or UNKNOWN");
      continue;
    }
    std::uint32_t ahead = is(W::not_) ? 1 : 0;
    if (is(W::in_, ahead)) {
      if (ahead == 1) take(Role::keyword);
      take(Role::keyword);
      if (!in_list()) return false;
      continue;
    }
    if (is(W::member_) && (is_symbol('(', 1) || is(W::of_, 1))) {
      take(Role::keyword);
      accept(W::of_);
      if (!expect_symbol('(') || !expression() || !expect_symbol(')')) return false;
      continue;
    }
    if (is(W::escape_) && (token(1).kind == TokenKind::string || token(1).kind == TokenKind::placeholder || is_symbol('(', 1))) {
      take(Role::keyword);
      if (!operand()) return false;
      continue;
    }
    return true;
  }
}

bool Parser::in_list() {
  if (!expect_symbol('(')) return false;
  if (starts_query()) return subquery();
  return expression_list() && expect_symbol(')');
}

bool Parser::expression_list() {
  do {
    if (!expression()) return false;
  } while (accept_symbol(','));
  return true;
}

bool Parser::starts_query(std::uint32_t ahead) const {
  if (is_any({W::select_, W::with_}, ahead)) return true;
  if (is(W::table_, ahead)) return true;
  return is(W::values_, ahead) && is(W::row_, ahead + 1) && is_symbol('(', ahead + 2);
}

bool Parser::subquery() {
  Nest nest(*this);
  if (nest.too_deep()) return fail("nested too deeply");
  out_.has_subquery = true;
  bool from = in_from_;
  in_from_ = false;
  bool good = query(Capture::no) && expect_symbol(')');
  in_from_ = from;
  return good;
}

bool Parser::operand() {
  const Token& first = token();
  switch (first.kind) {
    case TokenKind::string:
      take(Role::keyword);
      while (token().kind == TokenKind::string) take(Role::keyword);
      return true;
    case TokenKind::number:
    case TokenKind::hex:
    case TokenKind::bit:
    case TokenKind::placeholder: take(Role::keyword); return true;
    case TokenKind::user_variable: {
      std::uint32_t where = at_;
      take(Role::name);
      if (!accept_symbol(symbol_code(":="))) return true;
      out_.assigns_variable = true;
      std::size_t index = out_.effects.size();
      effect(EffectKind::user_variable, where, text(where), !writes());
      std::uint32_t begin = at_;
      Nest nest(*this);
      if (nest.too_deep()) return fail("nested too deeply");
      if (!expression()) return false;
      out_.effects[index].value = {begin, at_};
      return true;
    }
    case TokenKind::system_variable: {
      std::string name = lower_text(at_).substr(2);
      for (std::string_view scope : {"global.", "session.", "local."}) {
        if (name.starts_with(scope)) name.erase(0, scope.size());
      }
      std::erase(name, '`');
      if (is_varying_variable(name)) out_.varying_variables.push_back(at_);
      take(Role::function);
      return true;
    }
    case TokenKind::quoted_name: return column_or_function();
    case TokenKind::word: return word_operand();
    case TokenKind::symbol:
      if (is_symbol('(')) {
        bool is_query = false;
        return parenthesized(is_query);
      }
      if (is_symbol('{') && token(1).kind == TokenKind::word) {  // ODBC: {d '2020-01-01'}, {fn now()}
        take(Role::keyword);
        take(Role::keyword);
        return expression() && expect_symbol('}');
      }
      if (is_symbol('.') && is_name(1)) {  // .column, an old spelling
        take(Role::name);
        return column_or_function();
      }
      return fail("expected an expression");
    case TokenKind::invalid: return fail("bytes that no server would take");
    case TokenKind::end: return fail("the statement ends too early");
  }
  return fail("expected an expression");
}

// '(' expression, row or query ')'. ((SELECT …) UNION …) can only be told from ((SELECT …) + 1) behind the inner parenthesis.
bool Parser::parenthesized(bool& is_query) {
  Nest nest(*this);
  if (nest.too_deep()) return fail("nested too deeply");
  if (!expect_symbol('(')) return false;
  if (starts_query()) {
    is_query = true;
    return subquery();
  }
  if (is_symbol('(')) {
    bool inner_query = false;
    if (!parenthesized(inner_query)) return false;
    if (inner_query && (is_any({W::union_, W::except_, W::intersect_, W::order_, W::limit_, W::for_, W::lock_, W::into_}))) {
      is_query = true;
      return query_rest(Capture::no) && expect_symbol(')');
    }
    if (inner_query && is_symbol(')')) {
      is_query = true;
      return expect_symbol(')');
    }
    if (!expression_rest()) return false;
  } else if (!expression()) {
    return false;
  }
  while (accept_symbol(',')) {
    if (!expression()) return false;
  }
  return expect_symbol(')');
}

bool Parser::case_expression() {
  Nest nest(*this);
  if (nest.too_deep()) return fail("nested too deeply");
  take(Role::keyword);
  if (!is(W::when_) && !expression()) return false;
  if (!is(W::when_)) return fail("expected WHEN");
  while (accept(W::when_)) {
    if (!expression() || !expect(W::then_) || !expression()) return false;
  }
  if (accept(W::else_) && !expression()) return false;
  return expect(W::end_);
}

bool Parser::unit() {
  return accept_any({W::microsecond_, W::second_, W::minute_, W::hour_, W::day_, W::week_, W::month_, W::quarter_, W::year_,
                     W::second_microsecond_, W::minute_microsecond_, W::minute_second_, W::hour_microsecond_, W::hour_second_,
                     W::hour_minute_, W::day_microsecond_, W::day_second_, W::day_minute_, W::day_hour_, W::year_month_,
                     W::sql_tsi_second_, W::sql_tsi_minute_, W::sql_tsi_hour_, W::sql_tsi_day_, W::sql_tsi_week_, W::sql_tsi_month_,
                     W::sql_tsi_quarter_, W::sql_tsi_year_, W::sql_tsi_microsecond_});
}

// INTERVAL expr unit, or the function INTERVAL(n, a, b …).
bool Parser::interval_expression() {
  take(Role::keyword);
  bool call = is_symbol('(');
  if (!expression()) return false;
  if (unit() || call) return true;
  return fail("expected a unit of time");
}

bool Parser::match_against() {
  take(Role::keyword);
  bool parenthesis = accept_symbol('(');
  do {
    if (!column_or_function()) return false;
  } while (accept_symbol(','));
  if (parenthesis && !expect_symbol(')')) return false;
  if (!expect(W::against_) || !expect_symbol('(') || !simple_expression()) return false;
  if (accept_words({W::in_, W::boolean_, W::mode_})) return expect_symbol(')');
  accept_words({W::in_, W::natural_, W::language_, W::mode_});
  accept_words({W::with_, W::query_, W::expansion_});
  return expect_symbol(')');
}

bool Parser::word_operand() {
  W found = word();
  switch (found) {
    case W::null_: take(Role::unknown); return true;  // a value, to the fingerprint
    case W::true_: case W::false_: take(Role::keyword); return true;
    case W::exists_:
      if (!is_symbol('(', 1)) break;
      take(Role::keyword);
      take(Role::keyword);
      if (is_symbol('(')) { bool is_query = false; return parenthesized(is_query) && (is_query || fail("expected a query")) && expect_symbol(')'); }
      return starts_query() ? subquery() : fail("expected a query");
    case W::case_: return case_expression();
    case W::interval_: return interval_expression();
    case W::match_: return match_against();
    case W::date_: case W::time_: case W::timestamp_:
      if (token(1).kind == TokenKind::string) {
        take(Role::keyword);
        take(Role::keyword);
        return true;
      }
      break;
    case W::next_: case W::previous_:
      if (is(W::value_, 1) && is(W::for_, 2)) {
        effect(EffectKind::sequence, at_, found == W::next_ ? "next value for" : "previous value for", true);
        take(Role::keyword); take(Role::keyword); take(Role::keyword);
        return name() && (!accept_symbol('.') || name());
      }
      break;
    case W::row_:
      if (is_symbol('(', 1)) {
        take(Role::keyword);
        take(Role::keyword);
        return expression_list() && expect_symbol(')');
      }
      break;
    default: break;
  }
  if (is_symbol('(', 1)) return function_call();
  if (no_parenthesis_function()) return true;
  if (failed_) return false;
  return column_or_function();
}

bool Parser::column_or_function() {
  std::uint32_t first = at_;
  if (!name()) return false;
  int parts = 1;
  while (is_symbol('.') && parts < 3) {
    take(Role::name);
    if (token().kind != TokenKind::word && token().kind != TokenKind::quoted_name) return fail("expected a name");
    take(Role::name);
    ++parts;
  }
  std::uint32_t last = at_ - 1;
  if (is_symbol('(')) {
    // `f`(…) and schema.f(…) name a stored function, whatever else has that name.
    effect(EffectKind::stored_routine, first, text_.substr(tokens_[first].offset, tokens_[last].offset + tokens_[last].length - tokens_[first].offset), true);
    // … but where there is none of that name: `sleep`(1) sleeps.
    const Function* built_in = parts == 1 ? find_function(name_of(text_, tokens_[first])) : nullptr;
    if (built_in != nullptr && is_available(*built_in, dialect_.server)) note_effect(*built_in, first, !is_symbol(')', 1));
    take(Role::keyword);
    if (accept_symbol(')')) return true;
    return expression_list() && expect_symbol(')');
  }
  if (std::size_t length = text(last).size(); parts > 1 && (length == 7 || length == 9)) {
    std::string column = name_of(text_, tokens_[last]);
    for (char& c : column) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    if (column == "nextval" || column == "currval") effect(EffectKind::sequence, first, column, true);  // sql_mode=ORACLE
  }
  if (accept_symbol(symbol_code("->")) || accept_symbol(symbol_code("->>"))) return string_literal();
  return true;
}

}  // namespace darktap::sql
