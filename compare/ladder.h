// The ladder's record: who answered what, when. It is the evidence of every verdict that time decides.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "compare/verdict.h"
#include "mysql/answer.h"

namespace darktap::compare {

struct LadderEntry {
  std::int64_t at_us = 0;  // from the case's opening to when the question was put
  Side side = Side::target;
  std::string digest;      // of the answer
  bool agrees = false;     // target: with the source or the reference; reference: with the source's captured answer
};

class Ladder {
 public:
  void add(LadderEntry entry) { entries_.push_back(std::move(entry)); }
  // The target's latest answer agreed.
  void mark_target_agreed();
  const std::vector<LadderEntry>& entries() const { return entries_; }
  // "ladder": [{at_us, side, digest, agrees}], without the rungs between two of the same side that brought the same
  void write(JsonWriter& json) const;

 private:
  std::vector<LadderEntry> entries_;
};

// The order-sensitive digest of rows (16 hex digits), or what else was answered: "ok", "error 1146".
std::string digest_of(const mysql::Answer& answer);

}  // namespace darktap::compare
