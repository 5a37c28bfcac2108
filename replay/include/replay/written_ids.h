// Ids that the source generated, written into an INSERT's text, for targets that will not be told them (vtgate). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sql/catalogue.h"
#include "sql/dialect.h"

namespace darktap::replay {

// INSERT INTO t (a) VALUES ('x'), ('y') with the table's one-column primary key and the ids from `first` on (one apart, as
// auto_increment_increment is by itself) before what it has. Nothing where the statement has no list of columns, names the key
// itself, or is of another shape.
std::optional<std::string> with_ids_written_in(std::string_view text, const sql::Dialect& dialect, const sql::Table& table, std::uint64_t first);

}  // namespace darktap::replay
