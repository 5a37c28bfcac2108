// One command with its whole response, as captured, with the session state that gave it meaning: one type from the wire to the
// verdict. The connection decoder fills it; whoever knows its session (the assembler) gives it its number and its file.
#pragma once

#include <cstdint>
#include <string>

#include "base/ids.h"
#include "base/time.h"
#include "mysql/answer.h"
#include "mysql/command.h"

namespace darktap::mysql {

struct ExchangeId {
  SessionId session;
  std::uint32_t seq = 0;  // from 0 in its session
  auto operator<=>(const ExchangeId&) const = default;
};

struct Exchange {
  ExchangeId id;                // the assembler's
  Provenance provenance;        // the packet that ended the request; its file is the assembler's
  std::string user, schema;     // in force when the command was sent
  std::uint16_t collation = 0;  // of the connection when the command was sent (as logged in or SET NAMES); 0 unknown
  Command command;              // behind the assembler, secrets in its text are replaced
  Answer answer;
  CaptureTime request_first, request_last;
  CaptureTime response_first, response_last;  // epoch where the answer was not observed
  std::uint64_t request_bytes = 0, response_bytes = 0;  // on the wire, frame headers included
  enum class Certainty : std::uint8_t { certain, inferred } certainty = Certainty::certain;
  std::string why;              // what the inference rests on

  bool is_observed() const { return answer.state == Answer::State::complete; }
};

// Exchanges change places on their way, a million times a minute: member by member, that is a third of three moves' work.
void swap(Exchange& a, Exchange& b) noexcept;

}  // namespace darktap::mysql
