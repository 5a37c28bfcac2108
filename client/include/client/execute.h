// Payloads of executes from decoded parameters (protocol: COM_STMT_EXECUTE, COM_STMT_BULK_EXECUTE; values as in "Binary Protocol Value").
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/expected.h"
#include "mysql/command.h"

namespace darktap::client {

// What follows the command byte: the server's statement id, no cursor, the types and the values as they were captured.
// One phrase where a value's bytes don't fit its type, or its presence has no place in a plain execute (default, ignore).
Expected<std::vector<std::byte>, std::string> encode_execute(std::uint32_t statement_id,
                                                             std::span<const mysql::Parameter> parameters);

// The same for COM_STMT_BULK_EXECUTE: all rows of parameters, the types of the first of them. Only for servers with
// capability::mariadb_bulk; defaults have their place here.
Expected<std::vector<std::byte>, std::string> encode_bulk_execute(std::uint32_t statement_id, std::span<const mysql::Parameter> parameters, std::size_t rows);

}  // namespace darktap::client
