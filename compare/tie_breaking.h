// Where which rows come out hangs on an order below the result, and the tables differ somewhere: does that difference reach the
// answer? Both servers are asked with every tie broken by the tables' primary keys, upwards and downwards.
#pragma once

#include <optional>

#include "inquiry.h"
#include "sql/catalogue.h"

namespace darktap::compare {

// Refuted where the servers differ whichever way the ties are broken: then no tie makes the difference. Excused where they agree
// both ways, and every row that differs is among those that both would give without LIMITs.
Task<InquiryResult> ask_with_ties_broken(const Examination& open, const Plan& plan, const session::Exchange& exchange, const sql::Catalogue& catalogue,
                                         Interview& interview, CaptureTime now);

// Servers that hold the same rows below and differ with no tie left compare or compute otherwise (another collation, say): no order
// excuses that. Nothing where they agree, or where more than ties is open.
Task<std::optional<InquiryResult>> ask_whether_they_mean_the_same(const Examination& open, const Plan& plan, const session::Exchange& exchange, const sql::Catalogue& catalogue,
                                                                  Interview& interview, CaptureTime now);

}  // namespace darktap::compare
