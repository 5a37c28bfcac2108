// Error codes of MySQL and MariaDB servers that decide what is done next, by the servers' own names without ER_.
// Source: "Server Error Message Reference" of the MySQL manual, "MariaDB Error Code Reference".
#pragma once

#include <cstdint>

namespace darktap::mysql::server_error {

inline constexpr std::uint16_t server_shutdown = 1053, normal_shutdown = 1079, got_signal = 1080;
inline constexpr std::uint16_t table_not_locked_for_write = 1099, table_not_locked = 1100, update_with_read_lock = 1223;  // after LOCK TABLES
inline constexpr std::uint16_t lock_wait_timeout = 1205;  // the statement is rolled back
inline constexpr std::uint16_t lock_deadlock = 1213;      // the transaction is rolled back
inline constexpr std::uint16_t unknown_stmt_handler = 1243;
inline constexpr std::uint16_t option_prevents_statement = 1290;
inline constexpr std::uint16_t query_interrupted = 1317;
inline constexpr std::uint16_t read_only_mode = 1836;
inline constexpr std::uint16_t connection_killed = 1927;  // MariaDB
inline constexpr std::uint16_t statement_timeout = 1969;  // MariaDB
inline constexpr std::uint16_t query_timeout = 3024;      // MySQL
inline constexpr std::uint16_t session_was_killed = 3169;  // MySQL

}  // namespace darktap::mysql::server_error
