// COM_STMT_EXECUTE's payload from decoded parameters (protocol: COM_STMT_EXECUTE; values as in "Binary Protocol Value").
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

}  // namespace darktap::client
