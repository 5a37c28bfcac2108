// A prepared statement as text: questions about it are easier to put together without markers.
#pragma once

#include <optional>
#include <string>

#include "mysql/command.h"
#include "sql/dialect.h"

namespace darktap::compare {

// A literal that the server reads as the same value; nothing where there is none (an unknown type, DEFAULT).
std::optional<std::string> literal_of(const mysql::Parameter& parameter, const sql::Dialect& dialect);

// The statement with its parameters filled in; nothing where one has no literal, or their number doesn't fit.
std::optional<std::string> filled_in(const mysql::Command& command, const sql::Dialect& dialect);

}  // namespace darktap::compare
