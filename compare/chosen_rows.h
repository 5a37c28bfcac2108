// A LIMIT below cuts the rows from which an answer is made. Given the very rows that the target chose, does the reference come to the
// target's answer? Then it is one that the source's data allow, whatever else differs in the tables.
#pragma once

#include "inquiry.h"

namespace darktap::compare {

inline constexpr std::size_t max_chosen_rows = 1000;  // of a window: their keys go into a question

Task<InquiryResult> ask_with_rows_chosen(const Examination& open, const Plan& plan, const session::Exchange& exchange, const sql::Catalogue& catalogue,
                                         Interview& interview, CaptureTime now);

}  // namespace darktap::compare
