// The plan of a case; of a text of several statements one for each of its results.
#pragma once

#include "investigation.h"
#include "side_verdicts.h"

namespace darktap::compare {

Plan plan_of(const CaseFile& file, const sql::Catalogue& catalogue);

// Which rows the statement makes its server look at; asked only where something differs.
Evaluated rows_evaluated(const CaseFile& file);

}  // namespace darktap::compare
