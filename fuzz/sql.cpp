// Any bytes as a statement, under any dialect: everything the sql room answers must end and keep its promises.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "sql/fingerprint.h"
#include "sql/lexer.h"
#include "sql/meaning.h"
#include "sql/query_shape.h"
#include "sql/rewrite.h"
#include "sql/secrets.h"

namespace {

using namespace darktap::sql;

void require(bool holds, const char* promise) {
  if (holds) return;
  std::fprintf(stderr, "broken promise: %s\n", promise);
  std::abort();
}

Dialect dialect_of(std::uint8_t a, std::uint8_t b) {
  Dialect dialect;
  dialect.mode.ansi_quotes = (a & 1) != 0;
  dialect.mode.no_backslash_escapes = (a & 2) != 0;
  dialect.mode.pipes_as_concat = (a & 4) != 0;
  dialect.mode.ignore_space = (a & 8) != 0;
  dialect.charset = static_cast<Charset>((a >> 4) % 6);
  static constexpr Server servers[] = {{}, {ServerKind::mysql, 50744}, {ServerKind::mysql, 80034}, {ServerKind::mysql, 0}, {ServerKind::mariadb, 101119}};
  dialect.server = servers[b % 5];
  return dialect;
}

}  // namespace

// Input: two bytes that pick the dialect, then the statement.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const Dialect dialect = dialect_of(data[0], data[1]);
  // A copy of exact size, so that a read past the end is seen.
  const std::string text(reinterpret_cast<const char*>(data) + 2, size - 2);

  const Lexed lexed = lex(text, dialect);
  std::size_t behind = 0;
  for (const Token& token : lexed.tokens) {
    require(token.offset >= behind && token.offset + token.length <= text.size(), "tokens lie in order inside the text");
    behind = token.offset + token.length;
  }

  const Meaning meaning = understand(text, dialect);
  const bool unsafe = meaning.statement_class == StatementClass::unsafe;
  require(meaning.understood || unsafe, "what is not understood is unsafe");
  if (meaning.statement_class == StatementClass::read) {
    require(meaning.tables_written.empty(), "a read writes no table");
    for (const Effect& effect : meaning.effects) require(!effect.forbids && effect.kind != EffectKind::row_lock, "a read has no effect that forbids");
  }
  for (const Effect& effect : meaning.effects) require(effect.offset + effect.length <= text.size(), "an effect lies inside the text");
  require(fingerprint(text, dialect).hash == meaning.fingerprint, "understand() and fingerprint() agree");
  to_json(meaning);
  application_tags(text, dialect);

  const QueryShape shape = shape_of(text, dialect);
  require(!shape.understood || meaning.understood, "a shape is understood only where the statement is");
  for (const SelectItem& item : shape.items) require(item.span.end <= text.size(), "a select item lies inside the text");

  for (const std::optional<std::string>& edited : {drop_limit(text, dialect), tie_scoped(text, {"1"}, dialect), select_touched_rows(text, dialect)}) {
    if (edited) require(understand(*edited, dialect).statement_class == StatementClass::read, "an edit makes a read");
  }
  if (const std::optional<ProjectedKeys> keys = project_order_keys(text, dialect)) {
    require(shape_of(keys->sql, dialect).items.size() == shape.items.size() + keys->count, "as many columns are added as there are keys");
  }

  std::string redacted = text;
  if (redact_secrets(redacted, dialect) == Redaction::nothing_found) require(redacted == text, "a text without secrets stays as it is");
  return 0;
}
