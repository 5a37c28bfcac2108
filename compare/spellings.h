// ORDER BY keys that are spelled differently, yet may be one key to a collation: only the source's own column can tell.
#pragma once

#include "inquiry.h"

namespace darktap::compare {

// Excused where the reference's column holds every pair equal, refuted where it doesn't hold one.
Task<InquiryResult> ask_spellings(std::vector<Spellings> spellings, const Plan& plan, Interview& interview, CaptureTime now);

}  // namespace darktap::compare
