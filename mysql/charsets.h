// Character sets and collations by number and name, as far as the connection's state needs them.
#pragma once

#include <cstdint>
#include <string_view>

namespace darktap::mysql {

// The default collation of a character set ("utf8mb4" -> 45), or the number of a common collation by name; 0 if unknown.
std::uint16_t default_collation(std::string_view character_set);
std::uint16_t collation_by_name(std::string_view collation);
// The character set that a collation belongs to ("utf8mb4"), empty if unknown.
std::string_view character_set_of(std::uint16_t collation);

}  // namespace darktap::mysql
