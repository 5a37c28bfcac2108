#include "case_plan.h"

#include <algorithm>

#include "sql/lexer.h"
#include "sql/rewrite.h"
#include "text.h"

namespace darktap::compare {

Plan plan_of(const CaseFile& file, const sql::Catalogue& catalogue) {
  const session::Exchange& exchange = file.exchange;
  auto columns = [](const mysql::ResultSet* set) { return set != nullptr ? std::span(set->columns) : std::span<const mysql::Column>(); };
  Plan plan = make_plan(exchange.command, exchange.collation, columns(exchange.answer.first_rows()), columns(file.target.answer.first_rows()), &catalogue, exchange.schema, file.meaning.mode, file.select_limit);
  const std::vector<mysql::Result>&results = exchange.answer.results, &of_target = file.target.answer.results;
  if (file.meaning.statements < 2 || !exchange.command.parameters.empty() || results.size() != of_target.size()) return plan;
  std::vector<std::string> statements = sql::single_statements(exchange.command.text, plan.dialect);
  if (statements.size() != results.size()) return plan;
  for (std::size_t i = 0; i < statements.size(); ++i) {
    mysql::Command part = exchange.command;
    part.text = std::move(statements[i]);
    plan.parts.push_back(make_plan(part, exchange.collation, columns(std::get_if<mysql::ResultSet>(&results[i])), columns(std::get_if<mysql::ResultSet>(&of_target[i])), &catalogue,
                                   exchange.schema, file.meaning.mode, file.select_limit));
  }
  return plan;
}

Evaluated rows_evaluated(const CaseFile& file) {
  bool read = file.meaning.statement_class == sql::StatementClass::read;
  sql::Lexed lexed = sql::lex(file.exchange.command.text, dialect_of(file.exchange.collation));
  bool cut = std::any_of(lexed.tokens.begin(), lexed.tokens.end(), [&](const sql::Token& token) {
    std::string word = token.kind == sql::TokenKind::word ? lower(sql::text_of(file.exchange.command.text, token)) : std::string();
    return word == "limit" || word == "fetch" || word == "exists";
  });
  return !read ? Evaluated::all : cut ? Evaluated::until_a_limit : Evaluated::by_plan;
}

}  // namespace darktap::compare
