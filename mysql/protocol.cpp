#include "mysql/protocol.h"

#include <algorithm>
#include <array>

namespace darktap::mysql {

namespace {

struct Name {
  CommandCode code;
  std::string_view name;
};

constexpr std::array names{
    Name{CommandCode::sleep, "COM_SLEEP"},
    Name{CommandCode::quit, "COM_QUIT"},
    Name{CommandCode::init_db, "COM_INIT_DB"},
    Name{CommandCode::query, "COM_QUERY"},
    Name{CommandCode::field_list, "COM_FIELD_LIST"},
    Name{CommandCode::create_db, "COM_CREATE_DB"},
    Name{CommandCode::drop_db, "COM_DROP_DB"},
    Name{CommandCode::refresh, "COM_REFRESH"},
    Name{CommandCode::shutdown, "COM_SHUTDOWN"},
    Name{CommandCode::statistics, "COM_STATISTICS"},
    Name{CommandCode::process_info, "COM_PROCESS_INFO"},
    Name{CommandCode::connect, "COM_CONNECT"},
    Name{CommandCode::process_kill, "COM_PROCESS_KILL"},
    Name{CommandCode::debug, "COM_DEBUG"},
    Name{CommandCode::ping, "COM_PING"},
    Name{CommandCode::time, "COM_TIME"},
    Name{CommandCode::delayed_insert, "COM_DELAYED_INSERT"},
    Name{CommandCode::change_user, "COM_CHANGE_USER"},
    Name{CommandCode::binlog_dump, "COM_BINLOG_DUMP"},
    Name{CommandCode::table_dump, "COM_TABLE_DUMP"},
    Name{CommandCode::connect_out, "COM_CONNECT_OUT"},
    Name{CommandCode::register_replica, "COM_REGISTER_SLAVE"},
    Name{CommandCode::stmt_prepare, "COM_STMT_PREPARE"},
    Name{CommandCode::stmt_execute, "COM_STMT_EXECUTE"},
    Name{CommandCode::stmt_send_long_data, "COM_STMT_SEND_LONG_DATA"},
    Name{CommandCode::stmt_close, "COM_STMT_CLOSE"},
    Name{CommandCode::stmt_reset, "COM_STMT_RESET"},
    Name{CommandCode::set_option, "COM_SET_OPTION"},
    Name{CommandCode::stmt_fetch, "COM_STMT_FETCH"},
    Name{CommandCode::daemon, "COM_DAEMON"},
    Name{CommandCode::binlog_dump_gtid, "COM_BINLOG_DUMP_GTID"},
    Name{CommandCode::reset_connection, "COM_RESET_CONNECTION"},
    Name{CommandCode::clone, "COM_CLONE"},
    Name{CommandCode::subscribe_group_replication, "COM_SUBSCRIBE_GROUP_REPLICATION_STREAM"},
    Name{CommandCode::stmt_bulk_execute, "COM_STMT_BULK_EXECUTE"},
};

}  // namespace

std::string_view command_name(CommandCode code) {
  auto found = std::find_if(names.begin(), names.end(), [&](const Name& entry) { return entry.code == code; });
  return found == names.end() ? "COM_UNKNOWN" : found->name;
}

std::optional<CommandCode> parse_command_name(std::string_view name) {
  auto found = std::find_if(names.begin(), names.end(), [&](const Name& entry) { return entry.name == name; });
  if (found == names.end()) return std::nullopt;
  return found->code;
}

bool is_known(CommandCode code) {
  return std::any_of(names.begin(), names.end(), [&](const Name& entry) { return entry.code == code; });
}

}  // namespace darktap::mysql
