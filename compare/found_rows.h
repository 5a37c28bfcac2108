// SELECT FOUND_ROWS() after SELECT SQL_CALC_FOUND_ROWS … LIMIT n: it can't be asked again, but the count that it stands for can. What
// a LIMIT hides shows in nothing else.
#pragma once

#include "investigation.h"

namespace darktap::compare {

// Puts that count in the statement's place, as of when production counted. False, and nothing done, where the statement isn't of
// that kind.
bool ask_as_count(CaseFile& file);

}  // namespace darktap::compare
