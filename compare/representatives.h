// Which spelling stands for a group under a collation, and which row a bare column was taken from: nobody promised either.
// The excuse needs both values inside the group on both servers.
#pragma once

#include "inquiry.h"

namespace darktap::compare {

// Columns whose cells may stand for a group: text group keys, DISTINCT and UNION columns, MIN and MAX of text, bare columns.
std::vector<std::size_t> representative_columns(const Plan& plan, const std::vector<mysql::Column>& columns);

// Pairs the rows that `match` left over as groups: other cells equal, text keys possibly one value to some collation.
// Nothing where a row stays alone.
std::optional<std::vector<std::pair<std::size_t, std::size_t>>> pair_groups(const Table& a, const Table& b, const RowMatch& match,
                                                                            const Plan& plan);

Task<InquiryResult> ask_representatives(const Examination& open, const Plan& plan, const mysql::Command& original, Interview& interview, CaptureTime now);

}  // namespace darktap::compare
