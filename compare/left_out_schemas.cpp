// Schemas that the source made and the run did not: what goes there finds none at the target.
#include <algorithm>
#include <array>

#include "evidence.h"
#include "sql/lexer.h"
#include "text.h"
#include "write_index.h"

namespace darktap::compare {

void WriteIndex::note_schema(const session::Exchange& exchange, const sql::Meaning& meaning, Replayed replayed) {
  if ((meaning.verb != "create database" && meaning.verb != "create schema") || replayed != Replayed::not_sent || !exchange.is_observed() || exchange.answer.error() != nullptr) return;
  const std::string& text = exchange.command.text;
  const sql::Lexed lexed = sql::lex(text, dialect_of(exchange.collation));
  constexpr std::array before{"create", "or", "replace", "database", "schema", "if", "not", "exists"};
  auto name = std::find_if(lexed.tokens.begin(), lexed.tokens.end(), [&](const sql::Token& token) {
    return std::none_of(before.begin(), before.end(), [&](const char* word) { return same_name(sql::text_of(text, token), word); });
  });
  if (name == lexed.tokens.end() || name->kind == sql::TokenKind::end || left_out_schemas_.size() >= max_left_out_schemas) return;
  auto write = std::make_shared<SeenWrite>();
  write->id = exchange.id;
  write->sql = quoted_sql(text, exchange.collation);
  write->request = exchange.request_first;
  write->ok = exchange.response_last;
  write->committed = write->ok;
  write->replayed = replayed;
  write->changes_schema = true;
  left_out_schemas_.emplace(sql::name_of(text, *name), std::move(write));  // the first: it was lacking from there on
}

std::optional<Attribution> WriteIndex::left_out_schema(const std::string& name, CaptureTime before) const {
  auto created = left_out_schemas_.find(name);
  if (created == left_out_schemas_.end() || created->second->ok > before) return std::nullopt;
  return Attribution{created->second, {"", name}, std::nullopt, Attribution::By::other_session, false, false};
}

}  // namespace darktap::compare
