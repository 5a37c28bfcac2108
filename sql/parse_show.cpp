// SHOW: a read whatever its subject, once the subject is known; WHERE holds an expression like any other.
#include <string>

#include "parser.h"

namespace darktap::sql {

bool Parser::show() {
  out_.verb = Verb::other;
  out_.verb_text = "show";
  take(Role::keyword);
  while (accept_any({W::full_, W::extended_, W::global_, W::session_, W::local_, W::all_})) {
  }
  if (lower_text(at_) == "count" && is_symbol('(', 1) && is_symbol('*', 2) && is_symbol(')', 3)) {
    take(Role::function);
    for (int i = 0; i < 3; ++i) take(Role::keyword);
    if (!accept_any({W::warnings_, W::errors_})) return fail("expected WARNINGS or ERRORS");
    return finish(StatementClass::read);
  }
  static constexpr W subjects[] = {
      W::authors_, W::binary_, W::binlog_, W::character_, W::charset_, W::collation_, W::columns_, W::contributors_, W::create_, W::databases_,
      W::engine_, W::engines_, W::errors_, W::events_, W::explain_, W::fields_, W::function_, W::grants_, W::index_, W::indexes_, W::keys_, W::library_, W::locales_,
      W::master_, W::open_, W::package_, W::parse_tree_, W::plugins_, W::privileges_, W::procedure_, W::processlist_, W::profile_, W::profiles_,
      W::query_response_time_, W::relaylog_, W::replica_, W::replicas_, W::schemas_, W::slave_, W::slaves_, W::status_, W::storage_, W::table_, W::tables_,
      W::triggers_, W::variables_, W::warnings_, W::user_statistics_, W::client_statistics_, W::index_statistics_, W::table_statistics_};
  W subject = W::none;
  for (W known : subjects) {
    if (is(known)) subject = known;
  }
  if (subject == W::none || subject == W::parse_tree_) return fail("not a SHOW that is known");
  std::string what = "show " + lower_text(at_);
  out_.verb_text = "show";
  take(Role::keyword);
  bool of_table = subject == W::columns_ || subject == W::fields_ || subject == W::index_ || subject == W::indexes_ || subject == W::keys_;
  switch (subject) {
    case W::binary_: case W::binlog_: case W::engine_: case W::master_: case W::open_: case W::processlist_: case W::profile_: case W::profiles_:
    case W::query_response_time_: case W::relaylog_: case W::replica_: case W::replicas_: case W::slave_: case W::slaves_: case W::status_: case W::variables_:
    case W::user_statistics_: case W::client_statistics_: case W::index_statistics_: case W::table_statistics_: case W::explain_:
      out_.varying.push_back(what);
      break;
    default: break;
  }
  if (subject == W::table_ && is(W::status_)) out_.varying.push_back("show table status");
  if (subject == W::create_ && is_any({W::table_, W::view_, W::sequence_})) {
    take(Role::keyword);
    accept_words({W::if_, W::not_, W::exists_});
    TableRef ref;
    ref.read = true;
    if (!table_name(ref)) return false;
    add_table(ref);
    return finish(StatementClass::read);
  }
  if (subject == W::create_ && at_end()) return fail("the statement ends too early");
  bool first_from = true;
  while (!at_end()) {
    if (accept_words({W::for_, W::current_user_})) {
      if (accept_symbol('(') && !expect_symbol(')')) return false;
      continue;
    }
    if (accept(W::where_)) return expression() && finish(StatementClass::read);
    if (is(W::limit_)) {
      if (!limit(nullptr)) return false;
      continue;
    }
    if (accept_any({W::from_, W::in_})) {
      if (of_table && first_from) {
        TableRef ref;
        ref.read = true;
        if (!table_name(ref)) return false;
        add_table(ref);
      } else if (token().kind == TokenKind::string || token().kind == TokenKind::number) {
        take(Role::keyword);  // a log's name, a position
      } else {
        if (!name()) return false;
        if (accept_symbol('.') && !name()) return false;
        if (of_table && out_.tables.size() == 1 && out_.tables[0].schema == no_token) out_.tables[0].schema = at_ - 1;
      }
      first_from = false;
      continue;
    }
    switch (token().kind) {
      case TokenKind::word: take(token().word == 0 ? Role::name : Role::keyword); continue;
      case TokenKind::quoted_name: take(Role::name); continue;
      case TokenKind::string: case TokenKind::number: case TokenKind::placeholder: case TokenKind::user_variable: take(Role::keyword); continue;
      case TokenKind::symbol:
        if (is_symbol('.') || is_symbol(',') || is_symbol('=')) {
          take(Role::keyword);
          continue;
        }
        return fail("not expected here");
      default: return fail("not expected here");
    }
  }
  return finish(StatementClass::read);
}

}  // namespace darktap::sql
