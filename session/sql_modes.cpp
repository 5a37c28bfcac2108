#include "session/sql_modes.h"

#include "mysql/protocol.h"
#include "sql/lexer.h"

namespace darktap::session {

namespace {

SqlModes::Mode mode_of_login(const SessionInfo& session) {
  SqlModes::Mode mode;
  mode.mode.ignore_space = (session.capabilities & mysql::capability::ignore_space) != 0;
  return mode;
}

std::string_view without_quotes(std::string_view text) { return text.size() < 2 ? text : text.substr(1, text.size() - 2); }

sql::SqlMode both(sql::SqlMode a, const sql::SqlMode& b) {
  a.ansi_quotes |= b.ansi_quotes;
  a.no_backslash_escapes |= b.no_backslash_escapes;
  a.pipes_as_concat |= b.pipes_as_concat;
  a.ignore_space |= b.ignore_space;
  return a;
}

// What SET sql_mode = `value` makes of a mode: a literal replaces it, CONCAT(@@sql_mode, ',X') adds to it.
SqlModes::Mode assigned(std::string_view value, const SqlModes::Mode& before) {
  SqlModes::Mode after{sql::SqlMode{}, true};
  sql::Lexed lexed = sql::lex(value);
  bool concat = false;
  for (const sql::Token& token : lexed.tokens) {
    std::string_view text = sql::text_of(value, token);
    auto is = [&](std::string_view wanted) {
      return text.size() == wanted.size() &&
             std::equal(text.begin(), text.end(), wanted.begin(), [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a | 0x20 : a) == b; });
    };
    switch (token.kind) {
      case sql::TokenKind::string: after.mode = both(after.mode, sql::parse_sql_mode(without_quotes(text))); break;
      case sql::TokenKind::number: after.mode = sql::parse_sql_mode(text); break;
      case sql::TokenKind::system_variable:
        if (!is("@@sql_mode") && !is("@@session.sql_mode") && !is("@@local.sql_mode")) after.known = false;
        after.mode = both(after.mode, before.mode);
        after.known = after.known && before.known;
        break;
      case sql::TokenKind::word:
        concat = concat || is("concat");
        if (!is("concat")) {
          if (lexed.tokens.size() == 2 && !is("default")) after.mode = sql::parse_sql_mode(text);  // SET sql_mode = ANSI
          else after.known = false;
        }
        break;
      case sql::TokenKind::symbol:
        if (text != "(" && text != ")" && text != ",") after.known = false;
        break;
      case sql::TokenKind::end: break;
      default: after.known = false;
    }
  }
  if (lexed.tokens.size() > 2 && !concat) after.known = false;
  return after;
}

}  // namespace

SqlModes::Mode SqlModes::of(const SessionInfo& session) const {
  auto found = set_.find(session.id.value);
  return found == set_.end() ? mode_of_login(session) : found->second;
}

void SqlModes::note(const SessionInfo& session, const Exchange& exchange, const sql::Meaning& meaning) {
  using enum mysql::CommandCode;
  if (exchange.command.code == change_user || exchange.command.code == reset_connection) return forget(session.id);
  if (exchange.command.code != query && exchange.command.code != stmt_execute) return;
  if (exchange.answer.error() != nullptr && meaning.statements <= 1) return;
  if (meaning.normalized.starts_with("set statement ")) return;  // for the one statement behind it
  for (const sql::Effect& effect : meaning.effects) {
    if (effect.kind != sql::EffectKind::session_state || effect.subject != "sql_mode") continue;
    Mode mode = assigned(effect.value, of(session));
    if (mode == mode_of_login(session)) forget(session.id);
    else set_[session.id.value] = mode;
  }
}

}  // namespace darktap::session
