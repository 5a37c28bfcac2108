// SET in its forms, and the statements of a transaction.
#include <algorithm>

#include "parser.h"

namespace darktap::sql {

bool Parser::transaction_statement() {
  std::uint32_t where = at_;
  std::string subject = lower_text(at_);
  out_.verb = Verb::other;
  out_.verb_text = subject;
  effect(EffectKind::transaction, where, subject, false);
  auto completion = [&] {
    accept(W::work_);
    if (accept(W::and_)) {
      accept(W::no_);
      if (!expect(W::chain_)) return false;
    }
    if (is(W::no_) || is(W::release_)) {
      accept(W::no_);
      if (!expect(W::release_)) return false;
    }
    return true;
  };
  switch (word()) {
    case W::begin_:
      take(Role::keyword);
      accept(W::work_);
      break;
    case W::start_:
      take(Role::keyword);
      if (!expect(W::transaction_)) return false;
      out_.verb_text = "begin";
      if (!at_end()) {
        do {
          if (accept_words({W::with_, W::consistent_, W::snapshot_}) || accept_words({W::read_, W::only_}) || accept_words({W::read_, W::write_})) continue;
          return fail("expected READ ONLY, READ WRITE or WITH CONSISTENT SNAPSHOT");
        } while (accept_symbol(','));
      }
      break;
    case W::commit_:
      take(Role::keyword);
      if (!completion()) return false;
      break;
    case W::rollback_:
      take(Role::keyword);
      if (is(W::to_) || (is(W::work_) && is(W::to_, 1))) {
        accept(W::work_);
        take(Role::keyword);
        accept(W::savepoint_);
        out_.verb_text = "rollback to";
        if (!name()) return false;
      } else if (!completion()) {
        return false;
      }
      break;
    case W::savepoint_:
      take(Role::keyword);
      if (!name()) return false;
      break;
    case W::release_:
      take(Role::keyword);
      if (!expect(W::savepoint_) || !name()) return false;
      break;
    case W::xa_:
      take(Role::keyword);
      if (!accept_any({W::start_, W::begin_, W::end_, W::prepare_, W::commit_, W::rollback_, W::recover_})) return fail("expected an XA statement");
      while (token().kind == TokenKind::string || token().kind == TokenKind::hex || token().kind == TokenKind::number || token().kind == TokenKind::bit ||
             is_symbol(',') || is_any({W::join_, W::resume_, W::suspend_, W::for_, W::migrate_, W::one_, W::phase_, W::convert_, W::xid_})) {
        take(Role::keyword);
      }
      break;
    default: return fail("not a transaction statement");
  }
  return finish(StatementClass::transaction);
}

// SET [SESSION|GLOBAL] TRANSACTION characteristics; at TRANSACTION.
bool Parser::set_transaction() {
  take(Role::keyword);
  do {
    if (accept_words({W::read_, W::only_}) || accept_words({W::read_, W::write_})) continue;
    if (!accept_words({W::isolation_, W::level_})) return fail("expected ISOLATION LEVEL, READ ONLY or READ WRITE");
    if (accept_words({W::repeatable_, W::read_}) || accept_words({W::read_, W::committed_}) || accept_words({W::read_, W::uncommitted_}) ||
        accept(W::serializable_)) {
      continue;
    }
    return fail("expected an isolation level");
  } while (accept_symbol(','));
  return true;
}

bool Parser::set_value(TokenRange& value) {
  value.begin = at_;
  if (is_any({W::on_, W::all_, W::default_, W::row_, W::system_, W::binary_}) &&
      (token(1).kind == TokenKind::end || is_symbol(';', 1) || is_symbol(',', 1) || is(W::for_, 1))) {
    take(Role::keyword);
  } else if (!expression()) {
    return false;
  }
  value.end = at_;
  return true;
}

// One assignment of a SET list, NAMES and its like included.
bool Parser::set_variable() {
  std::uint32_t where = at_;
  TokenRange value;
  if (token().kind == TokenKind::user_variable) {
    take(Role::name);
    if (!accept_symbol('=') && !accept_symbol(symbol_code(":="))) return fail("expected '='");
    if (!set_value(value)) return false;
    effect(EffectKind::user_variable, where, text(where), false, value);
    return true;
  }
  if (accept(W::names_)) {
    value.begin = at_;
    if (!charset_name()) return false;
    value.end = at_;
    effect(EffectKind::session_state, where, "names", false, value);
    if (accept(W::collate_)) {
      value.begin = at_;
      if (!charset_name()) return false;
      value.end = at_;
      effect(EffectKind::session_state, value.begin, "collation_connection", false, value);
    }
    return true;
  }
  if (accept_words({W::character_, W::set_}) || accept_words({W::char_, W::set_}) || accept(W::charset_)) {
    value.begin = at_;
    if (!charset_name()) return false;
    value.end = at_;
    effect(EffectKind::session_state, where, "character set", false, value);
    return true;
  }
  if (is_any({W::password_, W::role_, W::resource_}) && !is_symbol('=', 1)) return forbidden(EffectKind::account, "set " + lower_text(at_), StatementClass::unsafe);
  if (is(W::default_) && is(W::role_, 1)) return forbidden(EffectKind::account, "set default role", StatementClass::unsafe);
  if (is(W::password_)) return forbidden(EffectKind::account, "set password", StatementClass::unsafe);

  std::string variable, scope;
  if (token().kind == TokenKind::system_variable) {
    variable = lower_text(at_).substr(2);
    for (char c : {'`'}) std::erase(variable, c);
    std::size_t dot = variable.find('.');
    if (dot != std::string::npos) {
      scope = variable.substr(0, dot);
      variable.erase(0, dot + 1);
    }
    take(Role::function);
  } else {
    if (is_any({W::global_, W::session_, W::local_, W::persist_, W::persist_only_}) && !is_symbol('=', 1) && !is_symbol(symbol_code(":="), 1)) {
      scope = lower_text(at_);
      take(Role::keyword);
      if (is(W::transaction_) && !is_symbol('=', 1)) {
        bool global = scope == "global";
        effect(global ? EffectKind::global_state : EffectKind::transaction, where, "transaction", global);
        return set_transaction();
      }
    } else if (is(W::transaction_) && !is_symbol('=', 1)) {
      effect(EffectKind::transaction, where, "transaction", false);
      return set_transaction();
    }
    where = at_;
    if (!is_name() && !is_any({W::sql_big_result_})) return fail("expected a variable");
    variable = name_of(text_, tokens_[at_]);
    std::transform(variable.begin(), variable.end(), variable.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
    take(Role::function);
    if (accept_symbol('.')) {  // a key cache or a component's variable
      variable += "." + lower_text(at_);
      if (!name(Role::function)) return false;
    }
  }
  if (!accept_symbol('=') && !accept_symbol(symbol_code(":="))) return fail("expected '='");
  if (!set_value(value)) return false;
  if (!scope.empty() && scope != "session" && scope != "local") {
    effect(EffectKind::global_state, where, variable, true, value);
  } else if (variable == "autocommit") {
    effect(EffectKind::autocommit, where, variable, false, value);
  } else if (variable == "transaction_read_only" || variable == "tx_read_only") {
    effect(EffectKind::transaction, where, variable, false, value);
  } else {
    effect(EffectKind::session_state, where, variable, !is_harmless_session_variable(variable), value);
  }
  return true;
}

bool Parser::set_statement() {
  out_.verb = Verb::other;
  out_.verb_text = "set";
  take(Role::keyword);
  if (is(W::statement_) && !is_symbol('=', 1)) {  // MariaDB: SET STATEMENT variable = value FOR statement
    take(Role::keyword);
    do {
      if (!set_variable()) return false;
    } while (accept_symbol(','));
    if (!expect(W::for_)) return false;
    if (is(W::set_)) return fail("not expected here");
    return dispatch();
  }
  do {
    if (!set_variable()) return false;
    if (out_.base == StatementClass::unsafe) return true;  // its rest was passed over
  } while (accept_symbol(','));
  bool only_transaction = true;
  for (const EffectRef& found : out_.effects) only_transaction = only_transaction && found.kind == EffectKind::transaction;
  return finish(only_transaction ? StatementClass::transaction : StatementClass::session);
}

}  // namespace darktap::sql
