// Statements without their values: what `capture --redact` keeps. A recording of them shows what was asked; it can't be replayed.
#pragma once

#include "session/exchange.h"
#include "sql/meaning.h"

namespace darktap::session {

// Text becomes its normalised form, each parameter's value "?", and an error's text, which quotes them, goes.
void redact_values(Exchange& exchange, const sql::Meaning& meaning);

}  // namespace darktap::session
