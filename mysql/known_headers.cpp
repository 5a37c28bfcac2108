#include "mysql/known_headers.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstring>
#include <utility>

namespace darktap::mysql {

namespace {

// A number of columns (5 bytes) and a definition of empty names (26) in their frames: no header is shorter. The names of schema
// and table stand in them.
constexpr std::size_t shortest = 31;

std::size_t place_of(Bytes input) { return XXH3_64bits(input.data(), shortest) & 0xff; }

}  // namespace

const KnownHeaders::Known* KnownHeaders::find(Bytes input, ResponseDecoder::HeaderKind kind) const {
  if (input.size() < shortest) return nullptr;
  for (const Known& known : known_[place_of(input)]) {
    const bool same = known.kind == kind && known.frames.size() <= input.size() &&
                      std::memcmp(known.frames.data(), input.data(), known.frames.size()) == 0;
    if (same) return &known;
  }
  return nullptr;
}

void KnownHeaders::remember(Known known) {
  constexpr std::size_t overhead = 256;  // a column's strings and the table's own
  const std::size_t bytes = 2 * known.frames.size() + known.header.columns.size() * overhead;
  if (known.frames.size() < shortest || bytes > limit_bytes / 4) return;
  if (bytes_ + bytes > limit_bytes || known_[place_of(known.frames)].size() >= limit_alike) {
    known_.fill({});
    bytes_ = 0;
  }
  bytes_ += bytes;
  known_[place_of(known.frames)].push_back(std::move(known));
}

}  // namespace darktap::mysql
