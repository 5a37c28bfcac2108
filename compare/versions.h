// What reads of changing tables answered, one after the other: the witness that an answer is an older version, or a newer one.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>

#include "session/exchange.h"

namespace darktap::compare {

inline constexpr std::size_t max_versions_of_read = 1000;  // of one statement with its parameters; the oldest is forgotten
inline constexpr std::size_t max_seen_versions = 200'000;  // of all; the statement that was first seen is forgotten

// An answer that production gave to a statement, from its first read to its last before another one came.
struct SeenVersion {
  std::uint64_t high = 0, low = 0, rows = 0;  // the digest
  session::ExchangeId read;                   // the last one that brought it
  CaptureTime from, to;                       // when the first and the last were asked
};

class SeenVersions {
 public:
  // A captured read.
  void observe(const session::Exchange& read);

  // The version that answered the same statement before (or strictly after) the given read, with the very rows of the answer.
  std::optional<SeenVersion> older(const session::Exchange& read, const mysql::Answer& answer) const;
  std::optional<SeenVersion> newer(const session::Exchange& read, const mysql::Answer& answer) const;

 private:
  std::unordered_map<std::uint64_t, std::deque<SeenVersion>> statements_;
  std::deque<std::uint64_t> order_;
  std::size_t versions_ = 0;
};

}  // namespace darktap::compare
