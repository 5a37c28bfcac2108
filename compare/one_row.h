// GROUP BY p.id, and p.title beside it: where the table's whole primary key is grouped by, a group has one row of that table, and its
// columns are no bare ones.
#pragma once

#include <string_view>

#include "sql/catalogue.h"
#include "sql/query_shape.h"

namespace darktap::compare {

// table: as the column is qualified, by an alias where there is one; empty where it isn't. schema: of names written without one.
bool is_of_one_row(const sql::QueryShape& shape, std::string_view table, const sql::Catalogue& catalogue, std::string_view schema);

}  // namespace darktap::compare
