// Which statements are the same but for their values: the normalised text and its 64-bit hash (XXH3).
//
// Literals, markers and signs in front of them become ?, lists of them after IN or in VALUES rows become (?+), comments
// and hints go, white space is one blank, keywords and function names are lower case, identifiers keep their case and lose
// quotes they don't need. Table and column aliases stay; a position in ORDER BY or GROUP BY stays a number.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sql/dialect.h"

namespace darktap::sql {

enum class TableDigits : std::uint8_t { kept, folded };  // folded: t_0042 and t_0043 are both t_#

struct FingerprintRules {
  TableDigits table_digits = TableDigits::kept;
};

struct Fingerprint {
  std::uint64_t hash = 0;
  std::string normalized;
};

Fingerprint fingerprint(std::string_view text, const Dialect& dialect = {}, const FingerprintRules& rules = {});
// The hash of a text that is normalised already.
std::uint64_t hash_of_normalized(std::string_view normalized);

// What applications write into comments: sqlcommenter's key='value' pairs (percent-decoded) and marginalia's key:value
// pairs, in order of appearance. Other comments give nothing.
std::vector<std::pair<std::string, std::string>> application_tags(std::string_view text, const Dialect& dialect = {});

}  // namespace darktap::sql
