// Which tables an error about a foreign key is about: a write of either may have brought it about.
#pragma once

#include <initializer_list>

#include "write_index.h"

namespace darktap::compare {

// What the statement of this scope depends on besides its own tables: the other end of the foreign key that an error names, as in
// (`shop`.`items`, CONSTRAINT … REFERENCES `orders` …). No table where none of the errors is of that kind.
ReadScope scope_of_foreign_key(std::initializer_list<const mysql::ServerError*> errors, const ReadScope& statement);

}  // namespace darktap::compare
