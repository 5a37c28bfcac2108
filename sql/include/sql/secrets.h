// Secrets in statements never leave the decoder: their literals become '<secret>'.
#pragma once

#include <cstdint>
#include <string>

#include "sql/dialect.h"

namespace darktap::sql {

enum class Redaction : std::uint8_t { nothing_found, replaced };

// Replaces the literals of IDENTIFIED BY|WITH … BY|AS|USING, REPLACE '…' of ALTER USER, SET PASSWORD, PASSWORD('…') and its like,
// CHANGE MASTER | REPLICATION SOURCE … PASSWORD, CREATE SERVER OPTIONS (PASSWORD …), START REPLICA PASSWORD. A literal
// that is cut off by the end of the text is replaced up to there.
Redaction redact_secrets(std::string& sql, const Dialect& dialect = {});

}  // namespace darktap::sql
