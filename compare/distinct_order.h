// DISTINCT, ordered by what is not in the output: of the rows that were made one any may give the key.
#pragma once

#include "inquiry.h"

namespace darktap::compare {

// Both sides gave the same rows. Can each take a key of one of the reference's own rows, so that the target's order comes out?
Task<InquiryResult> ask_order_of_distinct(const Examination& open, const Plan& plan, const mysql::Command& original, Interview& interview, CaptureTime now);

}  // namespace darktap::compare
