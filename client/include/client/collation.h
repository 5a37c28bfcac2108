// What a collation id of the wire is called in SQL.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace darktap::client {

struct CollationName {
  std::string_view charset, collation;  // "utf8mb4", "utf8mb4_general_ci"; live as long as the program
};
// Nothing for an id that the client library doesn't know.
std::optional<CollationName> collation_name(std::uint16_t id);

}  // namespace darktap::client
