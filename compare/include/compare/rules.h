// The normalisation rules that may be accepted, by name (docs/verdicts.md).
#pragma once

#include <span>
#include <string_view>

namespace darktap::compare {

std::span<const std::string_view> normalization_rules();

}  // namespace darktap::compare
