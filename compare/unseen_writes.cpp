#include "unseen_writes.h"

#include <algorithm>
#include <cctype>

#include "base/text.h"
#include "plan.h"

namespace darktap::compare {

namespace {

using sql::EffectKind;
using sql::QualifiedName;

bool has(const sql::Meaning& meaning, EffectKind kind) {
  return std::any_of(meaning.effects.begin(), meaning.effects.end(), [&](const sql::Effect& effect) { return effect.kind == kind; });
}

// Each word, and the one before the dot in front of it ("" where there is none).
template <class Take>
void each_name(std::string_view text, Take take) {
  auto is_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$' || (c & 0x80) != 0; };
  std::string before;
  for (std::size_t at = 0; at < text.size();) {
    if (!is_word(text[at])) {
      if (text[at] != '.' && text[at] != '`') before.clear();
      ++at;
      continue;
    }
    std::size_t end = at;
    while (end < text.size() && is_word(text[end])) ++end;
    std::string word(text.substr(at, end - at));
    take(before, word);
    std::string_view rest = text.substr(end, 2);
    before = rest.starts_with('.') || rest == "`." ? word : std::string();
    at = end;
  }
}

void add_tables_named(std::set<QualifiedName>& tables, std::string_view text, const std::string& schema, const sql::Catalogue& catalogue) {
  each_name(text.substr(0, looked_at_of_unseen), [&](const std::string& before, const std::string& word) {
    QualifiedName name{before.empty() ? schema : before, word};
    // Of a session that was joined in its middle the schema isn't known: a table of that name in any.
    auto bears_name = [&](const auto& table) { return table.first.second == word; };
    const bool is_table = name.first.empty() ? std::any_of(catalogue.tables.begin(), catalogue.tables.end(), bears_name) : catalogue.tables.contains(name);
    if (is_table) tables.insert(std::move(name));
  });
}

void add_tables_of_routines(std::set<QualifiedName>& tables, std::string_view text, const std::string& schema, const sql::Catalogue& catalogue) {
  each_name(text.substr(0, looked_at_of_unseen), [&](const std::string& before, const std::string& word) {
    auto routine = catalogue.routine_tables.find({before.empty() ? schema : before, lower(word)});
    if (routine != catalogue.routine_tables.end()) tables.insert(routine->second.begin(), routine->second.end());
  });
}

// The statement in quotes: PREPARE name FROM '…', EXECUTE IMMEDIATE '…'.
std::string quoted_statement(const std::string& text) {
  std::size_t begin = text.find_first_of("'\"");
  if (begin == std::string::npos) return "";
  std::size_t end = text.rfind(text[begin]);
  std::string inner;
  for (std::size_t at = begin + 1; at < end; ++at) {
    if (text[at] == '\\' && at + 1 < end) ++at;
    else if (text[at] == text[begin] && at + 1 < end && text[at + 1] == text[at]) ++at;
    inner += text[at];
  }
  return inner;
}

}  // namespace

std::set<QualifiedName> may_have_written(const session::Exchange& exchange, const sql::Meaning& meaning, const sql::Catalogue& catalogue) {
  std::set<QualifiedName> tables;
  if (meaning.statement_class != sql::StatementClass::unsafe || exchange.answer.error() != nullptr) return tables;
  const std::string& text = exchange.command.text;
  const mysql::Ok* ok = exchange.answer.last_ok();
  if (has(meaning, EffectKind::prepared_statement)) {
    const std::string inner = quoted_statement(text);
    const sql::Meaning prepared = sql::understand(inner, dialect_of(exchange.collation));
    for (const sql::TableName& table : prepared.tables_written) tables.emplace(table.schema.empty() ? exchange.schema : table.schema, table.name);
    if (prepared.verb == "call") add_tables_of_routines(tables, inner, exchange.schema, catalogue);
  } else if (meaning.verb == "call") {
    add_tables_of_routines(tables, text, exchange.schema, catalogue);
  } else if (has(meaning, EffectKind::not_understood) && ok != nullptr && ok->affected_rows > 0) {
    add_tables_named(tables, text, exchange.schema, catalogue);
  }
  return tables;
}

}  // namespace darktap::compare
