#include "session/understanding.h"

#include <xxhash.h>

#include <algorithm>
#include <string_view>
#include <utility>

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

void refuse(sql::Meaning& meaning, std::string why) {
  meaning.understood = false;
  meaning.statement_class = meaning.class_if_allowed = sql::StatementClass::unsafe;
  meaning.why = std::move(why);
  meaning.why_offset = meaning.why_length = 0;
  meaning.effects.push_back({.kind = sql::EffectKind::not_understood, .forbids = true});
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
std::uint64_t Understanding::Key::hash() const {
  std::uint64_t hash = XXH3_64bits(text.data(), text.size());
  if (!schema.empty()) hash ^= 0x9e3779b97f4a7c15U * XXH3_64bits(schema.data(), schema.size());
  const sql::SqlMode& mode = dialect.mode;
  std::uint64_t number = (mode.ansi_quotes ? 1U : 0U) | (mode.no_backslash_escapes ? 2U : 0U) | (mode.pipes_as_concat ? 4U : 0U) |
                         (mode.ignore_space ? 8U : 0U) | static_cast<std::uint64_t>(dialect.charset) << 4 |
                         static_cast<std::uint64_t>(dialect.server.kind) << 8 | std::uint64_t{dialect.server.version} << 16;
  return hash ^ number * 0xc2b2ae3d27d4eb4fU;
}

const std::shared_ptr<const sql::Meaning>* Understanding::find(const Key& key, std::uint64_t hash) const {
  if (slots_.empty()) return nullptr;
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = hash & mask; slots_[at].known != 0; at = (at + 1) & mask) {
    if (slots_[at].hash != hash) continue;
    const Known& known = known_[slots_[at].known - 1];
    // The caller's next look, while the texts are compared.
    __builtin_prefetch(known.meaning.get());
    __builtin_prefetch(&known.meaning->fingerprint);
    if (known.text == key.text && known.schema == key.schema && known.dialect == key.dialect) return &known.meaning;
  }
  return nullptr;
}

void Understanding::place(std::uint64_t hash, std::uint32_t known) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  while (slots_[at].known != 0) at = (at + 1) & mask;
  slots_[at] = {hash, known};
}

void Understanding::remember(const Key& key, std::uint64_t hash, const std::shared_ptr<const sql::Meaning>& meaning) {
  known_.push_back({std::string(key.text), std::string(key.schema), key.dialect, meaning});
  if (slots_.size() < 2 * known_.size()) {
    std::vector<Slot> few = std::exchange(slots_, std::vector<Slot>(std::max<std::size_t>(64, 2 * slots_.size())));
    for (const Slot& slot : few) {
      if (slot.known != 0) place(slot.hash, slot.known);
    }
  }
  place(hash, static_cast<std::uint32_t>(known_.size()));
}

const sql::Catalogue* Understanding::catalogue_of(const std::string& schema) {
  if (!has_catalogue_) return nullptr;
  catalogue_.default_schema = schema.empty() ? first_schema_ : schema;
  return &catalogue_;
}

sql::Dialect Understanding::dialect(const SessionInfo& session, const Exchange& exchange) const {
  sql::Dialect dialect = dialect_of(session.server_version, exchange.collation);
  dialect.mode = modes_.of(session).mode;
  return dialect;
}

bool Understanding::means_the_same_elsewhere(const sql::Meaning& meaning, const Key& key, const std::string& schema) {
  bool versioned = key.text.find("/*!") != std::string_view::npos || key.text.find("/*M!") != std::string_view::npos;
  if (!versioned || meaning.statement_class == sql::StatementClass::unsafe) return true;
  return std::all_of(also_read_by_.begin(), also_read_by_.end(), [&](const sql::Server& server) {
    sql::Dialect other = key.dialect;
    other.server = server;
    return sql::understand(key.text, other, catalogue_of(schema)).statement_class == meaning.statement_class;
  });
}

std::shared_ptr<const sql::Meaning> Understanding::of(const SessionInfo& session, const Exchange& exchange) {
  if (version_ != session.server_version) {
    version_ = session.server_version;
    server_ = sql::server_of_version(version_);
  }
  sql::Dialect dialect;
  dialect.charset = multibyte_charset(exchange.collation);
  dialect.server = server_;
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
    refuse(*refused, "depends on the session's sql_mode, which is not known");
    return refused;
  }
  return meaning;
}

std::shared_ptr<const sql::Meaning> Understanding::of(const mysql::Command& command, const sql::Dialect& dialect, const std::string& schema) {
  if (!carries_statement(command.code)) {
    auto meaning = std::make_shared<sql::Meaning>();
    meaning->statement_class = meaning->class_if_allowed = class_of_command(command.code);
    meaning->understood = true;
    meaning->normalized = mysql::command_name(command.code);
    meaning->fingerprint = XXH3_64bits(meaning->normalized.data(), meaning->normalized.size());
    return meaning;
  }
  if (command.text_state != mysql::Command::Text::known) {
    auto meaning = std::make_shared<sql::Meaning>();
    meaning->statement_class = meaning->class_if_allowed = sql::StatementClass::unsafe;
    meaning->why = "the statement's text was not captured";
    return meaning;
  }
  const Key key{command.text, has_catalogue_ ? std::string_view(schema) : std::string_view(), dialect};
  const std::uint64_t hash = key.hash();
  if (const auto* known = find(key, hash)) return *known;
  auto fresh = std::make_shared<sql::Meaning>(sql::understand(command.text, dialect, catalogue_of(schema)));
  if (!means_the_same_elsewhere(*fresh, key, schema)) refuse(*fresh, "depends on the server's version: a versioned comment is read in another way by the servers of this run");
  std::shared_ptr<const sql::Meaning> meaning = std::move(fresh);
  std::size_t bytes = 2 * command.text.size() + 1024;
  if (bytes > limit_bytes_ / 4) return meaning;
  if (bytes_ + bytes > limit_bytes_) {
    known_.clear();
    std::fill(slots_.begin(), slots_.end(), Slot());
    bytes_ = 0;
  }
  bytes_ += bytes;
  remember(key, hash, meaning);
  return meaning;
}

}  // namespace darktap::session
