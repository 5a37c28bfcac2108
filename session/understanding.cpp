#include "session/understanding.h"

#include <xxhash.h>

#include <string_view>

#include "charset.h"

namespace darktap::session {

namespace {

sql::Charset multibyte_charset(std::uint16_t collation) {
  const char* name = iconv_charset(collation);
  if (name == nullptr) return sql::Charset::plain;
  std::string_view charset = name;
  if (charset == "GBK") return sql::Charset::gbk;
  if (charset == "GB18030") return sql::Charset::gb18030;
  if (charset == "SHIFT_JIS") return sql::Charset::sjis;
  if (charset == "CP932") return sql::Charset::cp932;
  if (charset == "BIG5") return sql::Charset::big5;
  return sql::Charset::plain;
}

}  // namespace

sql::Dialect dialect_of(const std::string& server_version, std::uint16_t collation) {
  sql::Dialect dialect;
  dialect.charset = multibyte_charset(collation);
  dialect.server = sql::server_of_version(server_version);
  return dialect;
}

bool carries_statement(mysql::CommandCode code) {
  using enum mysql::CommandCode;
  return code == query || code == stmt_prepare || code == stmt_execute || code == stmt_bulk_execute;
}

sql::StatementClass class_of_command(mysql::CommandCode code) {
  using enum mysql::CommandCode;
  bool session = code == init_db || code == change_user || code == reset_connection || code == set_option;
  return session ? sql::StatementClass::session : sql::StatementClass::other;
}

// Dialects and schemas are few: they only need to move their texts apart, so that most hits hash one string.
std::size_t Understanding::Hash::operator()(const View& key) const {
  std::uint64_t hash = XXH3_64bits(key.text.data(), key.text.size());
  if (!key.schema.empty()) hash ^= 0x9e3779b97f4a7c15U * XXH3_64bits(key.schema.data(), key.schema.size());
  const sql::SqlMode& mode = key.dialect.mode;
  std::uint64_t dialect = (mode.ansi_quotes ? 1U : 0U) | (mode.no_backslash_escapes ? 2U : 0U) | (mode.pipes_as_concat ? 4U : 0U) |
                          (mode.ignore_space ? 8U : 0U) | static_cast<std::uint64_t>(key.dialect.charset) << 4 |
                          static_cast<std::uint64_t>(key.dialect.server.kind) << 8 | std::uint64_t{key.dialect.server.version} << 16;
  return hash ^ dialect * 0xc2b2ae3d27d4eb4fU;
}

const sql::Catalogue* Understanding::catalogue_of(const std::string& schema) {
  if (!has_catalogue_) return nullptr;
  catalogue_.default_schema = schema.empty() ? first_schema_ : schema;
  return &catalogue_;
}

std::shared_ptr<const sql::Meaning> Understanding::of(const SessionInfo& session, const Exchange& exchange) {
  sql::Dialect dialect = dialect_of(session.server_version, exchange.collation);
  SqlModes::Mode mode = modes_.of(session);
  dialect.mode = mode.mode;
  std::shared_ptr<const sql::Meaning> meaning = of(exchange.command, dialect, exchange.schema);
  modes_.note(session, exchange, *meaning);
  if (mode.known) return meaning;
  // It must mean the same under whichever mode the session set.
  for (const char* other : {"", "ANSI_QUOTES", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES,NO_BACKSLASH_ESCAPES", "IGNORE_SPACE"}) {
    dialect.mode = sql::parse_sql_mode(other);
    if (of(exchange.command, dialect, exchange.schema)->statement_class == meaning->statement_class) continue;
    auto refused = std::make_shared<sql::Meaning>(*meaning);
    refused->understood = false;
    refused->statement_class = refused->class_if_allowed = sql::StatementClass::unsafe;
    refused->why = "depends on the session's sql_mode, which is not known";
    refused->effects.push_back({.kind = sql::EffectKind::not_understood, .forbids = true});
    return refused;
  }
  return meaning;
}

std::shared_ptr<const sql::Meaning> Understanding::of(const mysql::Command& command, const sql::Dialect& dialect, const std::string& schema) {
  if (!carries_statement(command.code)) {
    auto meaning = std::make_shared<sql::Meaning>();
    meaning->statement_class = meaning->class_if_allowed = class_of_command(command.code);
    meaning->understood = true;
    return meaning;
  }
  if (command.text_state != mysql::Command::Text::known) {
    auto meaning = std::make_shared<sql::Meaning>();
    meaning->statement_class = meaning->class_if_allowed = sql::StatementClass::unsafe;
    meaning->why = "the statement's text was not captured";
    return meaning;
  }
  View key{command.text, has_catalogue_ ? std::string_view(schema) : std::string_view(), dialect};
  if (auto found = known_.find(key); found != known_.end()) return found->second;
  auto meaning = std::make_shared<const sql::Meaning>(sql::understand(command.text, dialect, catalogue_of(schema)));
  std::size_t bytes = 2 * command.text.size() + 1024;
  if (bytes > limit_bytes_ / 4) return meaning;
  if (bytes_ + bytes > limit_bytes_) {
    known_.clear();
    bytes_ = 0;
  }
  bytes_ += bytes;
  known_.emplace(Key{command.text, std::string(key.schema), dialect}, meaning);
  return meaning;
}

}  // namespace darktap::session
