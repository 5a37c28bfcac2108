// What a statement may have written though it names no table that it writes: CALL, PREPARE and EXECUTE IMMEDIATE as text, a text
// that is not understood. Only tables that its own text names, or the text of a routine that it calls: a guess too many would
// excuse what nothing explains.
#pragma once

#include <set>

#include "session/exchange.h"
#include "sql/catalogue.h"
#include "sql/meaning.h"

namespace darktap::compare {

inline constexpr std::size_t looked_at_of_unseen = std::size_t{64} << 10;  // of a text that is not understood, or too long to be

std::set<sql::QualifiedName> may_have_written(const session::Exchange& exchange, const sql::Meaning& meaning, const sql::Catalogue& catalogue);

}  // namespace darktap::compare
