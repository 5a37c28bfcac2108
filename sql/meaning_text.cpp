// The names of a meaning's parts, and its JSON object.
#include <algorithm>

#include "base/bytes.h"
#include "base/json.h"
#include "sql/meaning.h"

namespace darktap::sql {

std::string_view to_string(StatementClass statement_class) {
  switch (statement_class) {
    case StatementClass::other: return "other";
    case StatementClass::read: return "read";
    case StatementClass::session: return "session";
    case StatementClass::transaction: return "transaction";
    case StatementClass::locking_read: return "locking_read";
    case StatementClass::write: return "write";
    case StatementClass::ddl: return "ddl";
    case StatementClass::unsafe: return "unsafe";
  }
  return "unsafe";
}

std::string_view to_string(EffectKind kind) {
  switch (kind) {
    case EffectKind::user_lock: return "user_lock";
    case EffectKind::sequence: return "sequence";
    case EffectKind::user_variable: return "user_variable";
    case EffectKind::last_insert_id: return "last_insert_id";
    case EffectKind::file: return "file";
    case EffectKind::sleep: return "sleep";
    case EffectKind::benchmark: return "benchmark";
    case EffectKind::stored_routine: return "stored_routine";
    case EffectKind::session_state: return "session_state";
    case EffectKind::global_state: return "global_state";
    case EffectKind::autocommit: return "autocommit";
    case EffectKind::default_schema: return "default_schema";
    case EffectKind::transaction: return "transaction";
    case EffectKind::row_lock: return "row_lock";
    case EffectKind::table_lock: return "table_lock";
    case EffectKind::write: return "write";
    case EffectKind::schema_change: return "schema_change";
    case EffectKind::account: return "account";
    case EffectKind::replication: return "replication";
    case EffectKind::server_control: return "server_control";
    case EffectKind::kill: return "kill";
    case EffectKind::flush: return "flush";
    case EffectKind::table_maintenance: return "table_maintenance";
    case EffectKind::prepared_statement: return "prepared_statement";
    case EffectKind::handler: return "handler";
    case EffectKind::diagnostics: return "diagnostics";
    case EffectKind::not_understood: return "not_understood";
  }
  return "not_understood";
}

std::string_view to_string(OrderGuarantee guarantee) {
  switch (guarantee) {
    case OrderGuarantee::total: return "total";
    case OrderGuarantee::partial: return "partial";
    case OrderGuarantee::none: return "none";
    case OrderGuarantee::unknown: return "unknown";
  }
  return "unknown";
}

std::string to_string(const TableName& table) { return table.schema.empty() ? table.name : table.schema + "." + table.name; }

namespace {

void write_tables(JsonWriter& json, std::string_view key, const std::vector<TableName>& tables) {
  json.key(key).begin_array();
  for (const TableName& table : tables) json.string(to_string(table));
  json.end_array();
}

void write_count(JsonWriter& json, std::string_view key, const std::optional<Count>& count) {
  json.key(key);
  if (count && count->number) json.number(*count->number);
  else if (count && count->parameter) json.string("?");
  else json.null();
}

}  // namespace

std::string to_json(const Meaning& meaning) {
  JsonWriter json;
  json.begin_object();
  json.member("class", to_string(meaning.statement_class));
  json.key("effects").begin_array();
  std::vector<EffectKind> written;
  for (const Effect& effect : meaning.effects) {
    if (std::find(written.begin(), written.end(), effect.kind) != written.end()) continue;
    written.push_back(effect.kind);
    json.string(to_string(effect.kind));
  }
  json.end_array();
  json.member("fingerprint", to_hex(meaning.fingerprint));
  json.member("normalized", meaning.normalized);
  json.key("tables").begin_object();
  write_tables(json, "read", meaning.tables_read);
  write_tables(json, "written", meaning.tables_written);
  json.end_object();
  json.key("order").begin_object();
  json.member("guarantee", to_string(meaning.order.guarantee));
  json.key("keys").begin_array();
  for (const OrderKey& key : meaning.order.keys) json.string(key.descending ? key.expression + " desc" : key.expression);
  json.end_array();
  write_count(json, "limit", meaning.order.limit);
  write_count(json, "offset", meaning.order.offset);
  json.end_object();
  json.key("nondeterministic").begin_array();
  for (const std::string& name : meaning.nondeterministic) json.string(name);
  json.end_array();
  json.member("understood", meaning.understood);
  json.member("catalogue", meaning.catalogued);
  json.member("verb", meaning.verb);
  json.member("statements", meaning.statements);
  json.key("why");
  if (meaning.why.empty()) {
    json.null();
    json.key("at").null();
  } else {
    json.string(meaning.why);
    json.key("at").begin_object().member("offset", meaning.why_offset).member("length", meaning.why_length).end_object();
  }
  json.end_object();
  return json.take();
}

}  // namespace darktap::sql
