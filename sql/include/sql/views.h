// What a view hides from a statement's text: its LIMIT, its groups, its unions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sql/catalogue.h"
#include "sql/dialect.h"

namespace darktap::sql {

// Views nested deeper, or longer in all, are not written out.
inline constexpr std::size_t max_view_depth = 4, max_written_out_bytes = std::size_t{256} << 10;

// The statement with the views that leave something open (LIMIT, DISTINCT, GROUP BY, set operations, window functions, aggregates)
// written as derived tables of their names. Nothing where it reads none of these. schema: of names written without one.
std::optional<std::string> with_views_written_out(std::string_view text, const Catalogue& catalogue, std::string_view schema, const Dialect& dialect = {});

}  // namespace darktap::sql
