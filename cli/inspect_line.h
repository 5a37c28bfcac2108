// One exchange as one line of `inspect`, in the contract's JSON or for a person.
#pragma once

#include <string>

#include "session/exchange.h"
#include "sql/meaning.h"

namespace darktap::cli {

std::string inspect_json(const session::SessionInfo& session, const session::Exchange& exchange, const sql::Meaning& meaning);
std::string inspect_text(const session::SessionInfo& session, const session::Exchange& exchange, const sql::Meaning& meaning);

}  // namespace darktap::cli
