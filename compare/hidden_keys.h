// ORDER BY keys that are not in the output: the reference is asked for them, since the source's keys are what counts.
#pragma once

#include "inquiry.h"

namespace darktap::compare {

// columns: how rows are told apart; the plan's, or wider ones.
Task<InquiryResult> ask_hidden_keys(const Examination& open, const Plan& plan, ColumnPlans columns, const mysql::Command& original,
                                    Interview& interview, CaptureTime now);

}  // namespace darktap::compare
