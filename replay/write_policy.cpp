#include "replay/write_policy.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "mysql/server_errors.h"
#include "session/understanding.h"
#include "sql/rewrite.h"

namespace darktap::replay {
namespace {

using mysql::CommandCode;
namespace server_error = mysql::server_error;
using sql::EffectKind;
using sql::StatementClass;
using Action = Decision::Action;

// Only writes are changed by these.
constexpr std::array write_variables{
    std::string_view{"tx_read_only"}, std::string_view{"transaction_read_only"}, std::string_view{"innodb_lock_wait_timeout"},
    std::string_view{"low_priority_updates"}, std::string_view{"sql_require_primary_key"},
    std::string_view{"innodb_strict_mode"}, std::string_view{"lock_wait_timeout"},
    std::string_view{"bulk_insert_buffer_size"},
};

template <class List>
bool is_among(const List& variables, std::string_view name) {
  for (std::string_view prefix : {"@@session.", "@@local.", "@@"})
    if (name.starts_with(prefix)) {
      name.remove_prefix(prefix.size());
      break;
    }
  return std::find(variables.begin(), variables.end(), lower(name)) != variables.end();
}
bool is_of_writes(std::string_view name) { return is_among(write_variables, name); }

constexpr std::array table_locks{server_error::table_not_locked_for_write, server_error::table_not_locked, server_error::update_with_read_lock};
constexpr std::array lock_conflicts{server_error::lock_wait_timeout, server_error::lock_deadlock};
constexpr std::array interruptions{server_error::server_shutdown, server_error::option_prevents_statement, server_error::query_interrupted, server_error::read_only_mode,
                                   server_error::connection_killed, server_error::statement_timeout, server_error::query_timeout};

Decision hold(std::string reason) { return {Action::hold, std::move(reason)}; }

// Variables that change how this session's statements are read, computed or printed, and nothing beyond it. Not among
// them: what would lift the read-only lock (transaction_read_only), cut our own connection (wait_timeout), or act on the
// server (sql_log_bin).
constexpr std::array harmless_variables{
    std::string_view{"names"}, std::string_view{"character set"}, std::string_view{"charset"},
    std::string_view{"auto_increment_increment"}, std::string_view{"auto_increment_offset"},
    std::string_view{"block_encryption_mode"}, std::string_view{"character_set_client"},
    std::string_view{"character_set_connection"}, std::string_view{"character_set_results"},
    std::string_view{"collation_connection"}, std::string_view{"cte_max_recursion_depth"},
    std::string_view{"default_collation_for_utf8mb4"}, std::string_view{"default_week_format"},
    std::string_view{"div_precision_increment"}, std::string_view{"explicit_defaults_for_timestamp"},
    std::string_view{"foreign_key_checks"}, std::string_view{"group_concat_max_len"}, std::string_view{"insert_id"},
    std::string_view{"join_buffer_size"}, std::string_view{"last_insert_id"}, std::string_view{"lc_messages"},
    std::string_view{"lc_time_names"}, std::string_view{"max_error_count"}, std::string_view{"max_join_size"}, std::string_view{"max_execution_time"},
    std::string_view{"max_recursive_iterations"}, std::string_view{"max_sort_length"}, std::string_view{"max_statement_time"},
    std::string_view{"old_mode"}, std::string_view{"optimizer_search_depth"}, std::string_view{"optimizer_switch"},
    std::string_view{"rand_seed1"}, std::string_view{"rand_seed2"}, std::string_view{"sort_buffer_size"},
    std::string_view{"sql_auto_is_null"}, std::string_view{"sql_big_selects"}, std::string_view{"sql_mode"},
    std::string_view{"sql_notes"}, std::string_view{"sql_quote_show_create"}, std::string_view{"sql_safe_updates"}, std::string_view{"sql_select_limit"},
    std::string_view{"sql_warnings"}, std::string_view{"time_zone"}, std::string_view{"timestamp"},
    std::string_view{"eq_range_index_dive_limit"}, std::string_view{"information_schema_stats_expiry"}, std::string_view{"join_cache_level"},
    std::string_view{"max_heap_table_size"}, std::string_view{"optimizer_prune_level"}, std::string_view{"optimizer_use_condition_selectivity"},
    std::string_view{"read_buffer_size"}, std::string_view{"read_rnd_buffer_size"}, std::string_view{"sql_buffer_result"},
    std::string_view{"system_versioning_asof"}, std::string_view{"use_stat_tables"},
    std::string_view{"tmp_table_size"}, std::string_view{"transaction_isolation"}, std::string_view{"tx_isolation"},
    std::string_view{"unique_checks"}, std::string_view{"windowing_use_high_precision"},
};

// The reason of the effect that keeps a session statement back; empty where it may pass.
std::string held_by(const sql::Effect& effect, const WritePolicy& policy) {
  bool writes = policy.writes != Writes::left_out;
  switch (effect.kind) {
    case EffectKind::default_schema: case EffectKind::user_variable: case EffectKind::last_insert_id:
      return "";
    case EffectKind::session_state:
      return is_harmless_variable(effect.subject) || (writes && is_of_writes(effect.subject)) ? "" : "session_variable";
    case EffectKind::autocommit: case EffectKind::transaction:
      return writes ? "" : "transaction_control";
    case EffectKind::global_state:
      return "session_global";
    default:
      return "unsafe: " + std::string(sql::to_string(effect.kind));
  }
}

// Drivers set many variables in one statement. One of them that is held back keeps none of the others back: what is left goes out,
// if it is plain that nothing but what may pass is left.
std::string without_what_is_held(const session::Exchange& exchange, const sql::Meaning& meaning, const WritePolicy& policy) {
  if (meaning.verb != "set" || meaning.statements != 1 || !meaning.tables_read.empty() || exchange.answer.error() != nullptr) return "";
  std::vector<std::uint32_t> held;
  for (const sql::Effect& effect : meaning.effects) {
    const std::string reason = held_by(effect, policy);
    if (reason.empty()) continue;
    if (reason != "session_variable" && reason != "transaction_control") return "";
    held.push_back(effect.offset);
  }
  sql::Dialect dialect = session::dialect_of("", exchange.collation);
  dialect.mode = meaning.mode;
  const auto text = sql::without_assignments(exchange.command.text, held, dialect);
  if (!text) return "";
  const sql::Meaning left = sql::understand(*text, dialect);
  const bool may_pass = left.understood && left.statement_class == StatementClass::session && left.effects.size() + held.size() == meaning.effects.size() &&
                        std::all_of(left.effects.begin(), left.effects.end(), [&](const sql::Effect& effect) { return held_by(effect, policy).empty(); });
  return may_pass ? *text : "";
}

Decision decide_session(const session::Exchange& exchange, const sql::Meaning& meaning, const WritePolicy& policy) {
  for (const sql::Effect& effect : meaning.effects)
    if (std::string reason = held_by(effect, policy); !reason.empty()) {
      std::string rest = without_what_is_held(exchange, meaning, policy);
      return rest.empty() ? hold(reason) : Decision{Action::send_as_state, "", std::move(rest)};
    }
  if (meaning.effects.empty()) return hold("session_variable");
  return {Action::send_as_state, ""};
}

std::string unsafe_reason(const sql::Meaning& meaning) {
  if (!meaning.understood) return "not_understood";
  for (const sql::Effect& effect : meaning.effects)
    if (effect.forbids) return "unsafe: " + std::string(sql::to_string(effect.kind));
  return "unsafe";
}

bool has(const sql::Meaning& meaning, EffectKind kind) {
  return std::any_of(meaning.effects.begin(), meaning.effects.end(), [&](const sql::Effect& effect) { return effect.kind == kind; });
}

bool names_ddl(const std::vector<std::string>& allowed) {
  return std::any_of(allowed.begin(), allowed.end(), [](const std::string& name) { return name == "ddl" || name == "schema_change"; });
}

// The server's own tables: rows of theirs are accounts, settings and the like, of engines without transactions.
constexpr std::array system_schemas{std::string_view{"mysql"}, std::string_view{"sys"}, std::string_view{"performance_schema"}, std::string_view{"information_schema"}};

// An effect that --allow let through, though no ROLLBACK takes it back: it commits by itself, or may write wherever it likes.
const sql::Effect* lasting_effect(const sql::Meaning& meaning) {
  auto lasts = [](const sql::Effect& effect) {
    switch (effect.kind) {
      case EffectKind::user_lock: case EffectKind::sleep: case EffectKind::benchmark: case EffectKind::user_variable: case EffectKind::last_insert_id:
      case EffectKind::handler: case EffectKind::diagnostics:
        return false;
      default:
        return effect.forbids;
    }
  };
  auto found = std::find_if(meaning.effects.begin(), meaning.effects.end(), lasts);
  return found == meaning.effects.end() ? nullptr : &*found;
}

Decision decide_write(const session::Exchange& exchange, const sql::Meaning& meaning, const WritePolicy& policy) {
  for (const sql::TableName& table : meaning.tables_written) {
    const std::string schema = lower(table.schema.empty() ? exchange.schema : table.schema);
    if (std::find(system_schemas.begin(), system_schemas.end(), schema) != system_schemas.end()) return hold("system_schema: " + schema);
  }
  if (policy.writes != Writes::rolled_back) return {Action::write, ""};
  if (meaning.statements > 1 && (has(meaning, EffectKind::transaction) || has(meaning, EffectKind::autocommit))) return hold("commits_inside");
  for (const sql::TableName& table : meaning.tables_written) {
    sql::QualifiedName name{table.schema.empty() ? exchange.schema : table.schema, table.name};
    if (policy.keeps(name)) return hold("not_transactional: " + name.first + "." + name.second);
  }
  return {Action::write, ""};
}

Decision decide_transaction(const sql::Meaning& meaning, const WritePolicy& policy) {
  if (policy.writes == Writes::left_out) return hold("transaction_control");
  if (meaning.verb.starts_with("xa")) return hold("xa");
  bool is_wrapped = meaning.normalized.starts_with("set statement");  // SET STATEMENT … FOR COMMIT
  if (policy.writes == Writes::rolled_back && (meaning.statements > 1 || is_wrapped)) return hold("commits_inside");
  // What lasts beyond the transaction belongs to the session's state.
  if (meaning.verb == "set" && meaning.normalized.starts_with("set session")) return {Action::send_as_state, ""};
  return {Action::transaction, ""};
}

Decision decide_by_class(const session::Exchange& exchange, const sql::Meaning& meaning, const WritePolicy& policy) {
  bool writes = policy.writes != Writes::left_out;
  switch (sql::class_allowing(meaning, policy.allowed)) {
    case StatementClass::read: return policy.reads == WritePolicy::Reads::sent ? Decision{Action::send, ""} : hold("read");
    case StatementClass::session: return decide_session(exchange, meaning, policy);
    case StatementClass::transaction: return decide_transaction(meaning, policy);
    case StatementClass::locking_read: return writes ? decide_write(exchange, meaning, policy) : hold("locking_read");
    case StatementClass::write: return writes ? decide_write(exchange, meaning, policy) : hold("write");
    case StatementClass::ddl:  // commits, so that it can't be rolled back; and a copy of a table is no place for it
      return policy.writes == Writes::applied && names_ddl(policy.allowed) ? Decision{Action::write, ""} : hold("ddl");
    case StatementClass::unsafe: return hold(unsafe_reason(meaning));
    case StatementClass::other: return hold("other");
  }
  return hold("not_understood");
}

Decision decide_statement(const session::Exchange& exchange, const sql::Meaning& meaning, const WritePolicy& policy) {
  Decision decision = decide_by_class(exchange, meaning, policy);
  if (!decision.is_sent() || policy.writes != Writes::rolled_back) return decision;
  if (const sql::Effect* effect = lasting_effect(meaning)) return hold("cannot_roll_back: " + std::string(sql::to_string(effect->kind)));
  return decision;
}

// Prepared statements are sent for reads and writes: a prepared SET is rare, and could not be run again by its text.
Decision decide_prepared(const session::Exchange& exchange, const sql::Meaning& meaning, const WritePolicy& policy) {
  if (exchange.command.text_state != mysql::Command::Text::known) return hold("statement_unknown");
  // Sent right behind its PREPARE, which was refused: there was nothing to execute.
  if (const mysql::ServerError* error = exchange.answer.error(); error != nullptr && error->code == server_error::unknown_stmt_handler) return hold("statement_unknown");
  Decision decision = decide_statement(exchange, meaning, policy);
  if (decision.action == Action::send_as_state) return hold("session_variable");
  return decision;
}

}  // namespace

bool WritePolicy::keeps(const sql::QualifiedName& table) const { return cannot_roll_back.contains({lower(table.first), lower(table.second)}); }

bool is_harmless_variable(std::string_view name) { return is_among(harmless_variables, name); }

Decision decide(const session::Exchange& exchange, const sql::Meaning& meaning, const WritePolicy& policy) {
  // Who has to give way is chance, and the application's own second try is in the capture; so it is who was killed or kept from
  // writing. None of these changed anything.
  const mysql::ServerError* error = exchange.answer.error();
  auto failed_with = [&](const auto& codes) { return error != nullptr && std::find(codes.begin(), codes.end(), error->code) != codes.end(); };
  if (failed_with(table_locks)) return hold("table_lock_at_source");  // its LOCK TABLES is never sent
  if (policy.writes != Writes::left_out && failed_with(lock_conflicts)) return hold("lock_conflict_at_source");
  if (policy.writes != Writes::left_out && failed_with(interruptions)) return hold("interrupted_at_source");
  switch (exchange.command.code) {
    case CommandCode::query:
      return decide_statement(exchange, meaning, policy);
    case CommandCode::init_db:
      return {Action::send_as_state, ""};
    case CommandCode::stmt_execute:  // without its cursor, where it has one: what the client fetched is compared as a whole
    case CommandCode::stmt_prepare: case CommandCode::stmt_close: case CommandCode::stmt_reset:
      return decide_prepared(exchange, meaning, policy);
    case CommandCode::stmt_bulk_execute: {
      // A client that asked for a result of each row has rows of ids, which no other execute answers with.
      Decision decision = decide_prepared(exchange, meaning, policy);
      bool has_unit_results = decision.is_sent() && exchange.answer.first_rows() != nullptr && meaning.normalized.find("returning") == std::string::npos;
      return has_unit_results ? hold("bulk_unit_results") : decision;
    }
    case CommandCode::stmt_fetch:
      return hold("cursor");
    case CommandCode::stmt_send_long_data:
      return hold("long_data");
    case CommandCode::change_user: case CommandCode::reset_connection:
      return {Action::begin_anew, "session_reset"};
    case CommandCode::create_db: case CommandCode::drop_db:
      return hold("ddl");
    case CommandCode::ping: case CommandCode::quit: case CommandCode::statistics: case CommandCode::set_option:
    case CommandCode::field_list: case CommandCode::process_info: case CommandCode::debug: case CommandCode::sleep:
    case CommandCode::time: case CommandCode::connect:
      return hold("connection_command");
    case CommandCode::refresh: case CommandCode::shutdown: case CommandCode::process_kill: case CommandCode::delayed_insert:
    case CommandCode::binlog_dump: case CommandCode::table_dump: case CommandCode::connect_out:
    case CommandCode::register_replica: case CommandCode::daemon: case CommandCode::binlog_dump_gtid: case CommandCode::clone:
    case CommandCode::subscribe_group_replication:
      return hold("admin_command");
  }
  return hold("not_understood");
}

}  // namespace darktap::replay
