// The parser's hands: looking at tokens, taking them with a role, failing once.
#include "parser.h"

#include <algorithm>

namespace darktap::sql {

std::string Parser::lower_text(std::uint32_t index) const {
  std::string result(text(index));
  for (char& c : result) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  return result;
}

bool Parser::accept_words(std::initializer_list<W> sequence) {
  std::uint32_t ahead = 0;
  for (W wanted : sequence) {
    if (!is(wanted, ahead++)) return false;
  }
  while (ahead-- > 0) take(Role::keyword);
  return true;
}

bool Parser::expect(W wanted) {
  if (accept(wanted)) return true;
  return fail("expected " + std::string(spelling(wanted)));
}

bool Parser::expect_symbol(std::uint32_t code) {
  if (accept_symbol(code)) return true;
  return fail(std::string("expected '") + static_cast<char>(code) + "'");
}

bool Parser::fail(std::string_view why) {
  if (!failed_) {
    failed_ = true;
    out_.why = why;
    out_.why_token = std::min<std::uint32_t>(at_, static_cast<std::uint32_t>(tokens_.size() - 1));
  }
  return false;
}

bool Parser::is_name(std::uint32_t ahead) const {
  const Token& t = token(ahead);
  if (t.kind == TokenKind::quoted_name) return true;
  return t.kind == TokenKind::word && reserve_of(static_cast<W>(t.word)) != Reserve::reserved;
}

bool Parser::name(Role role) {
  if (!is_name()) return fail("expected a name");
  take(role);
  return true;
}

bool Parser::string_literal() {
  if (token().kind != TokenKind::string && token().kind != TokenKind::hex && token().kind != TokenKind::placeholder) {
    return fail("expected a string");
  }
  take(Role::keyword);
  return true;
}

bool Parser::charset_name() {
  if (token().kind == TokenKind::string) {
    take(Role::keyword);
    return true;
  }
  if (is_any({W::binary_, W::default_, W::ascii_})) {
    take(Role::name);
    return true;
  }
  return name();
}

void Parser::effect(EffectKind kind, std::uint32_t where, std::string_view subject, bool forbids, TokenRange value) {
  if (out_.effects.size() >= max_effects) {
    fail("too many side effects");
    return;
  }
  out_.effects.push_back({kind, where, std::string(subject), value, forbids});
}

void Parser::skip_rest() {
  while (!at_end()) ++at_;
}

bool Parser::finish(StatementClass base) {
  out_.base = base;
  if (!at_end()) return fail("not expected here");
  return true;
}

void Parser::statement(std::uint32_t at) {
  at_ = at;
  out_.begin = at;
  if (at_end()) {
    out_.empty = true;
    out_.understood = true;
  } else {
    out_.understood = dispatch() && !failed_;
    if (!out_.understood && out_.why.empty()) out_.why = "not understood";
    skip_rest();
  }
  out_.end = at_;
}

void parse(std::string_view text, const Lexed& lexed, const Dialect& dialect, Detail detail, Parsed& reused) {
  std::vector<Statement>& statements = reused.statements;
  statements.resize(1);  // its memory is used again
  reused.roles.assign(lexed.tokens.size(), Role::unknown);
  std::uint32_t at = 0;
  const std::uint32_t last = static_cast<std::uint32_t>(lexed.tokens.size() - 1);
  for (bool unused = true;;) {  // is the list's last one?
    if (unused) statements.back().reset();
    else statements.emplace_back();
    Statement& statement = statements.back();
    Parser(text, lexed, dialect, reused.roles, statement, detail).statement(at);
    at = statement.end;
    unused = statement.empty;
    if (at >= last) break;
    ++at;  // the ';'
    if (!unused && statements.size() == max_statements) {
      Statement& rest = statements.back();
      rest.understood = false;
      rest.why = "too many statements in one text";
      rest.why_token = at;
      break;
    }
  }
  if (statements.back().empty) statements.pop_back();
}

Parsed parse(std::string_view text, const Lexed& lexed, const Dialect& dialect) {
  Parsed parsed;
  parse(text, lexed, dialect, Detail::shape, parsed);
  return parsed;
}

}  // namespace darktap::sql
