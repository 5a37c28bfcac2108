// Settles an open pair by asking both servers: does the order leave these two answers both right? The excuse holds only
// where the servers' own rows show it.
#pragma once

#include <string>

#include "examine.h"
#include "interview.h"
#include "task.h"

namespace darktap::compare {

struct InquiryResult {
  enum class Finding : std::uint8_t { excused, refuted, unknown } finding = Finding::unknown;
  Cause cause = Cause::order_undefined;  // where excused; where refuted, order_violated if it is the order that is wrong
  std::string evidence;                  // members: the questions, and what they showed
  std::string reason;                    // one phrase, where unknown
  bool by_rows_below = false;            // excused by the same rows below on both servers
  bool by_window = false;                // refuted by where the window lies now, not by a row that a side lacks
};

// a: the source's (or the reference's) answer, b: the target's. Both outlive the task, as does everything else given.
// now: the earliest time for the questions.
Task<InquiryResult> inquire(const Examination& open, const Plan& plan, const session::Exchange& exchange, Interview& interview,
                            CaptureTime now, ComparerOptions::Reference reference, const sql::Catalogue& catalogue);

inline constexpr std::size_t max_question_rows = 10'000;   // of a whole list that is asked for; a longer one settles nothing
inline constexpr std::size_t max_asked_spellings = 1000, max_spellings_a_question = 100;

}  // namespace darktap::compare
