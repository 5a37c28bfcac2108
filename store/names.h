// Names as they stand in the store, back to values.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "store/model.h"

namespace darktap::store {

std::optional<Bin> parse_bin(std::string_view name);
std::optional<Vantage> parse_vantage(std::string_view name);
std::optional<compare::Side> parse_side(std::string_view name);

// 16 hexadecimal digits to the fingerprint; 0 (the rest bin) for anything else.
std::uint64_t parse_fingerprint(std::string_view hex);

}  // namespace darktap::store
