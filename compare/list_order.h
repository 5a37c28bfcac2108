// GROUP_CONCAT(value ORDER BY key): is a permuted list still in the order that its keys demand?
#pragma once

#include "inquiry.h"
#include "leeway.h"

namespace darktap::compare {

// Asks the reference for the values of the rows' groups with their keys, in order. Excused where every element of both
// lists stands at its key's place; refuted (order_violated) where one of the target's doesn't.
Task<InquiryResult> ask_list_order(const Examination& open, std::vector<std::pair<std::size_t, std::size_t>> pairs, std::size_t column, const Plan& plan,
                                   const mysql::Command& original, Interview& interview, CaptureTime now);

}  // namespace darktap::compare
