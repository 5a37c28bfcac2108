// Which spelling stands for a group under a collation, and which row a bare column was taken from: nobody promised either.
// The excuse needs both values inside the group on both servers.
#pragma once

#include "inquiry.h"
#include "leeway.h"
#include "sql/same_rows.h"

namespace darktap::compare {

// Columns whose cells may stand for a group: text group keys, DISTINCT columns, MIN and MAX of text, bare columns.
std::vector<std::size_t> representative_columns(const Plan& plan, const std::vector<mysql::Column>& columns);

// A column that is neither grouped by nor aggregated, where rows are grouped.
bool is_bare_column(const Plan& plan, std::size_t column);

// All the rows that DISTINCT or a set operation chose from; nothing where it made none one. operators: for spellings any will do,
// for which rows may come out only UNION.
std::optional<mysql::Command> rows_made_distinct(const Plan& plan, const mysql::Command& original, sql::Operators operators);

// Rows that differ within their leeways: spellings and bare columns are looked for in their groups, the rest rests on the
// rows below.
Task<InquiryResult> ask_representatives(const Examination& open, const Plan& plan, const mysql::Command& original, Interview& interview, CaptureTime now);

}  // namespace darktap::compare
