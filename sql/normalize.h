// The text of a fingerprint, from tokens and the roles that the parser gave them.
#pragma once

#include <string>

#include "sql/fingerprint.h"
#include "statement.h"

namespace darktap::sql {

std::string normalize(std::string_view text, const Lexed& lexed, const Parsed& parsed, const FingerprintRules& rules);

}  // namespace darktap::sql
