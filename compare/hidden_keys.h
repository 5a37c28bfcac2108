// ORDER BY keys that are not in the output: the reference is asked for them, since the source's keys are what counts.
#pragma once

#include <string_view>

#include "inquiry.h"
#include "sql/catalogue.h"

namespace darktap::compare {

// columns: how rows are told apart; the plan's, or wider ones.
Task<InquiryResult> ask_hidden_keys(const Examination& open, const Plan& plan, ColumnPlans columns, const mysql::Command& original,
                                    Interview& interview, CaptureTime now);

// Is there a key that any row of a group may give: no aggregate, not grouped by, and of no table whose primary key is grouped by?
bool keys_hang_on_rows(const Plan& plan, const sql::Catalogue& catalogue, std::string_view schema);

// Such keys are no fact of the group's: where both servers hold the same rows below, another order is one that these rows allow, as
// long as the target's rows stand sorted by the keys that the target itself took.
Task<InquiryResult> ask_keys_of_groups(const Examination& open, const Plan& plan, const mysql::Command& original, Interview& interview, CaptureTime now);

}  // namespace darktap::compare
