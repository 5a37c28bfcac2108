// Findings beside the content: column definitions and warnings. They stand apart, so that neither hides the other.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compare/verdict.h"
#include "mysql/answer.h"
#include "plan.h"

namespace darktap::compare {

// Names, kinds of type and signs of the columns; display lengths, index flags and origins say nothing about the answer.
// Nothing where the number of columns differs: that is a difference of content; nor where all that differs does so under rules
// that were accepted, which are then added to `used`. `plan`: the statement's, where it is known; it tells which columns are named.
std::optional<Verdict> column_verdict(const mysql::Answer& source, const mysql::Answer& target, const Plan* plan = nullptr, const std::vector<std::string>& accepted = {},
                                      std::vector<std::string>* used = nullptr);

// How many warnings came; only worth saying where the content is the same. A read's server warns of each row that it looks at, as often as
// it does; one that may stop before it has looked at every row may not meet the one that it would warn of.
enum class Evaluated : std::uint8_t { all, by_plan, until_a_limit };
std::optional<Verdict> warning_verdict(const mysql::Answer& source, const mysql::Answer& target, Evaluated rows);

}  // namespace darktap::compare
