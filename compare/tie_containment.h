// A LIMIT cut excuses a row only where the other server holds it too, in the place that was cut.
#pragma once

#include "inquiry.h"

namespace darktap::compare {

// Puts every question to both servers; together their answers are the rows from which either might have chosen. Excused
// where each side's leftovers are among what the other side might have chosen.
Task<InquiryResult> ask_containment(const Examination& open, const Plan& plan, std::vector<mysql::Command> questions,
                                    Interview& interview, CaptureTime now);

}  // namespace darktap::compare
