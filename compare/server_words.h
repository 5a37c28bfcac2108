// SHOW, EXPLAIN and information_schema: what a server tells of itself differs between two servers with the same data.
#pragma once

#include "examine.h"

namespace darktap::compare {

// True where the difference is one of storage, plans, statistics or settings; false where tables, columns, their types or
// defaults differ, which an application would meet.
bool tells_of_itself(const Examination& examination, const Plan& plan);

}  // namespace darktap::compare
