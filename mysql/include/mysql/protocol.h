// Numbers of the client/server protocol as data (https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html and
// https://mariadb.com/kb/en/clientserver-protocol/).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace darktap::mysql {

enum class CommandCode : std::uint8_t {
  sleep = 0x00, quit = 0x01, init_db = 0x02, query = 0x03, field_list = 0x04, create_db = 0x05, drop_db = 0x06, refresh = 0x07,
  shutdown = 0x08, statistics = 0x09, process_info = 0x0a, connect = 0x0b, process_kill = 0x0c, debug = 0x0d, ping = 0x0e,
  time = 0x0f, delayed_insert = 0x10, change_user = 0x11, binlog_dump = 0x12, table_dump = 0x13, connect_out = 0x14,
  register_replica = 0x15, stmt_prepare = 0x16, stmt_execute = 0x17, stmt_send_long_data = 0x18, stmt_close = 0x19,
  stmt_reset = 0x1a, set_option = 0x1b, stmt_fetch = 0x1c, daemon = 0x1d, binlog_dump_gtid = 0x1e, reset_connection = 0x1f,
  clone = 0x20, subscribe_group_replication = 0x21, stmt_bulk_execute = 0xfa,
};
// "COM_QUERY", "COM_STMT_EXECUTE", …; "COM_UNKNOWN" for a code that no server knows.
std::string_view command_name(CommandCode code);
std::optional<CommandCode> parse_command_name(std::string_view name);
bool is_known(CommandCode code);

enum class ColumnType : std::uint8_t {
  decimal = 0x00, tiny = 0x01, short_ = 0x02, long_ = 0x03, float_ = 0x04, double_ = 0x05, null = 0x06, timestamp = 0x07,
  longlong = 0x08, int24 = 0x09, date = 0x0a, time = 0x0b, datetime = 0x0c, year = 0x0d, newdate = 0x0e, varchar = 0x0f,
  bit = 0x10, timestamp2 = 0x11, datetime2 = 0x12, time2 = 0x13, vector = 0xf2, json = 0xf5, newdecimal = 0xf6, enum_ = 0xf7,
  set = 0xf8, tiny_blob = 0xf9, medium_blob = 0xfa, long_blob = 0xfb, blob = 0xfc, var_string = 0xfd, string = 0xfe, geometry = 0xff,
};

// Capability flags; the upper 32 bits are MariaDB's extended ones. One is in force only where both sides set it.
using Capabilities = std::uint64_t;
namespace capability {
inline constexpr Capabilities long_password = 1U << 0, found_rows = 1U << 1, connect_with_db = 1U << 3, compress = 1U << 5,
                              local_files = 1U << 7, ignore_space = 1U << 8, protocol_41 = 1U << 9, ssl = 1U << 11,
                              transactions = 1U << 13, secure_connection = 1U << 15, multi_statements = 1U << 16,
                              multi_results = 1U << 17, ps_multi_results = 1U << 18, plugin_auth = 1U << 19,
                              connect_attrs = 1U << 20, plugin_auth_lenenc = 1U << 21, session_track = 1U << 23,
                              deprecate_eof = 1U << 24, optional_metadata = 1U << 25, zstd = 1U << 26, query_attributes = 1U << 27;
inline constexpr Capabilities mariadb_progress = 1ULL << 32, mariadb_bulk = 1ULL << 34, mariadb_extended_metadata = 1ULL << 35,
                              mariadb_cache_metadata = 1ULL << 36, mariadb_bulk_unit_results = 1ULL << 37;
}  // namespace capability

namespace column_flag {
inline constexpr std::uint16_t not_null = 1, primary_key = 2, unique_key = 4, multiple_key = 8, blob = 16, unsigned_ = 32, zerofill = 64,
                               binary = 128, enum_ = 256, auto_increment = 512, timestamp = 1024, set = 2048, num = 32768;
}
namespace status_flag {
inline constexpr std::uint16_t in_transaction = 0x0001, autocommit = 0x0002, more_results = 0x0008, cursor_exists = 0x0040,
                               last_row_sent = 0x0080, session_state_changed = 0x4000;
}

inline constexpr std::uint16_t binary_charset = 63;

}  // namespace darktap::mysql
