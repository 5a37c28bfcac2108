// The rows that one question brought.
#pragma once

#include <optional>

#include "interview.h"
#include "row_match.h"

namespace darktap::compare {

// Nothing where the side did not answer, or not with rows that were all kept.
inline std::optional<Table> rows_heard(const Heard& heard) {
  const mysql::ResultSet* rows = heard.answer() != nullptr ? heard.answer()->first_rows() : nullptr;
  return rows != nullptr ? table_of(*rows) : std::nullopt;
}

}  // namespace darktap::compare
