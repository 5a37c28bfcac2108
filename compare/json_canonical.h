// JSON text in one spelling: object keys sorted, white space gone, so that two servers' printings can be compared.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace darktap::compare {

inline constexpr std::size_t max_json_depth = 100;  // MySQL's own limit

enum class ArrayOrder : std::uint8_t { kept, sorted_at_top };

// Nothing where the text is not one JSON value. Numbers and strings keep their spelling.
std::optional<std::string> canonical_json(std::string_view text, ArrayOrder order = ArrayOrder::kept);

}  // namespace darktap::compare
