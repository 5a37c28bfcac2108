// The strongest excuse for a value that hangs on the order of rows: both servers compute it from the very same rows. Where
// they don't, the rows of the groups that differ are asked for by themselves.
#pragma once

#include "inquiry.h"
#include "leeway.h"

namespace darktap::compare {

// Longer inputs settle nothing: reading them would be no polite question.
inline constexpr std::size_t max_input_rows = 50'000;
inline constexpr std::size_t max_input_tables = 4, max_scoped_groups = 50;

// Do other rows below refute the excuse? Only where the value is made of all the rows: a sum, a list.
enum class OtherRows : std::uint8_t { refute, leave_open };

// pairs: the rows that differ, laid side by side; empty where which rows come out is what differs.
Task<InquiryResult> ask_same_input(const Examination& open, RowPairs pairs, const Plan& plan, const mysql::Command& original, Interview& interview,
                                   CaptureTime now, OtherRows other_rows = OtherRows::leave_open);

// Do both servers hold the same rows below, told by `columns`, of the groups that differ where there are groups? Nothing where they
// can't be asked for.
Task<std::optional<bool>> ask_whether_rows_agree(const Examination& open, const Plan& plan, const mysql::Command& original, std::string columns,
                                                 Interview& interview, CaptureTime now);

// "(key) <=> value AND …" for the group that the row stands for; nothing where a key is not in the output.
std::optional<std::string> group_condition(const Plan& plan, const Table& table, std::size_t row);

}  // namespace darktap::compare
