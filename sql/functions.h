// What is known of a built-in function: how many arguments it takes and what it does beside giving a value.
#pragma once

#include <cstdint>
#include <string_view>

#include "sql/dialect.h"

namespace darktap::sql {

enum class Trait : std::uint8_t {
  pure,       // its arguments decide its value
  varying,    // clock, chance, who is asking, what the session did before
  aggregate,
  builder,    // an aggregate that puts its value together from rows
  window,     // needs OVER
  user_lock,
  sequence,
  sleep,
  benchmark,
  file,
};

struct Function {
  std::string_view name;  // lower case
  std::uint8_t fewest = 0, most = 0;  // arguments; 99: any number
  Trait trait = Trait::pure;
  // Series as version / 100: 507, 800; 1011. 0: never. What came within a series has the release itself: 80017.
  std::uint32_t mysql_from = 0;
  std::uint16_t mysql_until = 0, mariadb_from = 0;
};

// The built-in function of that name, case aside; nullptr where no server has it.
const Function* find_function(std::string_view name);
// Does the server have it built in? Where the server is not known, the one that has it is assumed.
bool is_available(const Function& function, const Server& server);

// True for the names that need "(" at once unless IGNORE_SPACE is on (MySQL manual, "Function Name Parsing and
// Resolution"): with a blank between, they mean a stored function.
bool needs_adjacent_parenthesis(std::string_view lower_name);

// A system variable (lower case, without @@ and scope) whose value tells one server, session or moment from another.
bool is_varying_variable(std::string_view name);
// A session variable that an application may set without an effect beyond its own session.
bool is_harmless_session_variable(std::string_view name);

}  // namespace darktap::sql
