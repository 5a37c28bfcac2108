// What a session had set before the capture began isn't known. A statement's text can be read in more ways than one then: where
// another reading makes the target answer what production did, that is what production read, and the difference the replay's doing.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "investigation.h"

namespace darktap::compare {

inline constexpr std::size_t max_sessions_joined = 100'000;  // beyond that a session counts as one that was seen from its login

// Sessions that were joined in their middle, until they set what is asked about or begin anew.
class JoinedSessions {
 public:
  void joined(SessionId session);
  void observe(const session::Exchange& exchange, const sql::Meaning& meaning);
  bool mode_is_unknown(session::ExchangeId exchange) const;

 private:
  std::unordered_map<SessionId, std::optional<std::uint32_t>> known_from_;  // the seq behind which sql_mode is known
};

// The values of sql_mode under which the text means something else than it was taken for; the likeliest first.
std::vector<std::string> other_modes(const std::string& text, const sql::Dialect& dialect);

// What explains the values explains the columns' types, too: a user variable that nothing set, another sql_mode.
void excuse_columns(Verdict& columns, const CaseFile& file, const Conclusion& conclusion);

}  // namespace darktap::compare
