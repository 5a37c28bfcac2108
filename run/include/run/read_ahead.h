// How far a recording is read ahead of a target that gets it flat out: far enough that nearly every session has its next command, and
// no farther, so that what is on its way stays in the processor's cache. Sessions advance at different speeds: where each of them
// had to have work, all that the others have left undone would pile up for the sake of the fastest.
#pragma once

#include <cstddef>

namespace darktap::run {

struct ReadAhead {
  static constexpr std::size_t idle_of = 8;  // one session in so many may wait until the others have followed

  std::size_t busy_bytes;  // while no more wait than that
  std::size_t most_bytes;  // where all of them wait

  // With so many sessions begun, of which so many have nothing to send.
  constexpr std::size_t wanted(std::size_t sessions, std::size_t idle) const {
    const std::size_t tolerated = sessions / idle_of;
    if (busy_bytes >= most_bytes) return most_bytes;
    if (idle <= tolerated) return busy_bytes;
    return busy_bytes + (most_bytes - busy_bytes) / (sessions - tolerated) * (idle - tolerated);
  }
};

}  // namespace darktap::run
