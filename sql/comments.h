// What a server does with a /*!NNNNN … */ or /*M! … */, and where it sees the end of a hint.
#pragma once

#include <cstdint>
#include <string_view>

#include "sql/dialect.h"

namespace darktap::sql {

enum class Taken : std::uint8_t { executed, skipped, undecided };
struct CommentVersion {
  Taken taken = Taken::executed;
  std::uint32_t digits = 0;  // of the version's number; 0 without one
};
// `behind`: what follows the "/*!" or "/*M!". `mariadb_only`: it was the latter.
CommentVersion comment_version(std::string_view behind, bool mariadb_only, const Server& server);

// A hint, delimiters included. The server reads quotes in it; whether it passes over a "*/" between them is its own affair.
bool ends_outside_quotes(std::string_view hint);

}  // namespace darktap::sql
