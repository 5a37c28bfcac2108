// A/A noise: what the reference itself answers differently when it is asked twice proves nothing about the target.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "examine.h"

namespace darktap::compare {

// RAND() and its like outside the select list: which rows come out is drawn anew at each asking.
bool is_random(const Plan& plan);

// Such a statement, and the reference's answers differ among themselves.
bool random_rows_differ(const Plan& plan, const std::vector<mysql::Answer>& references);
void write_random_rows(JsonWriter& json, const Plan& plan, const std::vector<mysql::Answer>& references);

// Evidence members where every cell that differs between source and target is one that the reference itself answered in
// several ways, row for row; nothing otherwise. Noise in one cell excuses that cell only.
std::optional<std::string> noisy_cells(const mysql::Answer& source, const mysql::Answer& target, const std::vector<mysql::Answer>& references,
                                       const Plan& plan);

}  // namespace darktap::compare
