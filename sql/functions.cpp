#include "functions.h"

#include <algorithm>
#include <array>
#include <span>

#include "base/text.h"

namespace darktap::sql {
namespace {

constexpr Function functions[] = {
#define DARKTAP_FUNCTION(name, fewest, most, trait, mysql_from, mysql_until, mariadb_from) \
  {name, fewest, most, Trait::trait, mysql_from, mysql_until, mariadb_from},
#include "functions.def"
#undef DARKTAP_FUNCTION
};
constexpr bool by_name(const Function& a, const Function& b) { return a.name < b.name; }
static_assert(std::is_sorted(std::begin(functions), std::end(functions), by_name));

// Three-way comparison of a lower-case name with one in any case.
int compare_folded(std::string_view known, std::string_view text) {
  std::size_t shared = std::min(known.size(), text.size());
  for (std::size_t i = 0; i < shared; ++i) {
    char c = lower(text[i]);
    if (known[i] != c) return static_cast<unsigned char>(known[i]) < static_cast<unsigned char>(c) ? -1 : 1;
  }
  return known.size() == text.size() ? 0 : known.size() < text.size() ? -1 : 1;
}

bool listed(std::span<const std::string_view> names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

const Function* find_function(std::string_view name) {
  const Function* first = std::begin(functions);
  const Function* last = std::end(functions);
  while (first < last) {
    const Function* middle = first + (last - first) / 2;
    int order = compare_folded(middle->name, name);
    if (order == 0) return middle;
    if (order < 0) first = middle + 1;
    else last = middle;
  }
  return nullptr;
}

bool is_available(const Function& function, const Server& server) {
  std::uint32_t series = server.version / 100;
  switch (server.kind) {
    case ServerKind::unknown: return true;
    case ServerKind::mariadb: return function.mariadb_from != 0 && (series == 0 || series >= function.mariadb_from);
    case ServerKind::mysql:
      if (function.mysql_from == 0) return false;
      if (function.mysql_from >= 10000) return series == 0 || server.version >= function.mysql_from;
      return series == 0 || (series >= function.mysql_from && (function.mysql_until == 0 || series < function.mysql_until));
  }
  return false;
}

bool needs_adjacent_parenthesis(std::string_view lower_name) {
  static constexpr std::string_view names[] = {
      "adddate", "bit_and", "bit_or", "bit_xor", "cast", "count", "curdate", "curtime", "date_add", "date_sub",
      "extract", "group_concat", "max", "mid", "min", "now", "position", "session_user", "std", "stddev",
      "stddev_pop", "stddev_samp", "subdate", "substr", "substring", "sum", "sysdate", "system_user", "trim",
      "variance", "var_pop", "var_samp", "json_arrayagg", "json_objectagg", "st_collect"};
  return listed(names, lower_name);
}

bool is_varying_variable(std::string_view name) {
  static constexpr std::string_view names[] = {
      "basedir", "bind_address", "character_sets_dir", "datadir", "error_count", "external_user", "general_log_file",
      "gtid_binlog_pos", "gtid_binlog_state", "gtid_current_pos", "gtid_executed", "gtid_purged", "gtid_slave_pos",
      "hostname", "identity", "in_transaction", "innodb_version", "insert_id", "last_gtid", "last_insert_id",
      "license", "log_bin_basename", "log_error", "mysqlx_port", "pid_file", "port", "proxy_user", "pseudo_thread_id",
      "rand_seed1", "rand_seed2", "read_only", "super_read_only", "report_host", "report_port", "server_id",
      "server_uid", "server_uuid", "skip_replication", "slow_query_log_file", "socket", "statement_id",
      "system_time_zone", "thread_pool_size", "timestamp", "tmpdir", "version", "version_comment",
      "version_compile_machine", "version_compile_os", "version_source_revision", "version_ssl_library",
      "warning_count", "wsrep_node_address", "wsrep_node_name"};
  return listed(names, name);
}

bool is_harmless_session_variable(std::string_view name) {
  static constexpr std::string_view names[] = {
      "auto_increment_increment", "auto_increment_offset", "big_tables", "bulk_insert_buffer_size",
      "character_set_client", "character_set_connection", "character_set_database", "character_set_filesystem",
      "character_set_results", "character_set_server", "collation_connection", "collation_database",
      "collation_server", "column_compression_threshold", "completion_type", "cte_max_recursion_depth",
      "max_recursive_iterations", "default_storage_engine", "default_tmp_storage_engine", "default_week_format",
      "div_precision_increment", "end_markers_in_json", "eq_range_index_dive_limit",
      "explicit_defaults_for_timestamp", "expensive_subquery_limit", "foreign_key_checks", "group_concat_max_len",
      "histogram_generation_max_mem_size", "identity", "idle_transaction_timeout",
      "idle_readonly_transaction_timeout", "idle_write_transaction_timeout", "information_schema_stats_expiry",
      "innodb_lock_wait_timeout", "innodb_strict_mode", "innodb_table_locks", "insert_id", "interactive_timeout",
      "internal_tmp_mem_storage_engine", "join_buffer_size", "join_cache_level", "keep_files_on_create",
      "last_insert_id", "lc_messages", "lc_time_names", "lock_wait_timeout", "long_query_time",
      "low_priority_updates", "max_allowed_packet", "max_error_count", "max_execution_time", "max_heap_table_size",
      "max_join_size", "max_length_for_sort_data", "max_seeks_for_key", "max_sort_length", "max_sp_recursion_depth",
      "max_statement_time", "metadata_locks_cache_size", "min_examined_row_limit", "mrr_buffer_size",
      "net_buffer_length", "net_read_timeout", "net_retry_count", "net_write_timeout", "new", "note_verbosity",
      "old_alter_table", "old_mode", "old_passwords", "optimizer_prune_level", "optimizer_search_depth",
      "optimizer_selectivity_sampling_limit", "optimizer_switch", "optimizer_trace", "optimizer_trace_features",
      "optimizer_trace_limit", "optimizer_trace_max_mem_size", "optimizer_trace_offset",
      "optimizer_use_condition_selectivity", "parser_max_mem_size", "preload_buffer_size", "profiling",
      "profiling_history_size", "progress_report_time", "query_alloc_block_size", "query_cache_strip_comments",
      "query_cache_type", "query_cache_wlock_invalidate", "query_prealloc_size", "rand_seed1", "rand_seed2",
      "range_alloc_block_size", "range_optimizer_max_mem_size", "read_buffer_size", "read_rnd_buffer_size",
      "resultset_metadata", "rowid_merge_buff_size", "secondary_engine_cost_threshold", "select_into_buffer_size",
      "session_track_gtids", "session_track_schema", "session_track_state_change", "session_track_system_variables",
      "session_track_transaction_info", "show_create_table_verbosity", "show_old_temporals", "sort_buffer_size",
      "sql_auto_is_null", "sql_big_selects", "sql_buffer_result", "sql_if_exists", "sql_mode", "sql_notes",
      "sql_quote_show_create", "sql_require_primary_key", "sql_safe_updates", "sql_select_limit", "sql_warnings",
      "storage_engine", "standard_compliant_cte", "subquery_cache_size", "system_versioning_asof", "tcp_nodelay",
      "time_zone", "timestamp", "tmp_disk_table_size", "tmp_memory_table_size", "tmp_table_size",
      "transaction_alloc_block_size", "transaction_isolation", "transaction_prealloc_size", "tx_isolation",
      "unique_checks", "updatable_views_with_limit", "use_secondary_engine", "use_stat_tables", "wait_timeout",
      "windowing_use_high_precision", "wsrep_sync_wait"};
  return listed(names, name);
}

}  // namespace darktap::sql
