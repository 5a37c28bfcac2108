#include "known_definitions.h"

#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace darktap::mysql {

namespace {

bool begins_with(Bytes input, const KnownDefinitions::Block& block, std::uint64_t count, DefinitionLayout layout) {
  return block.count == count && block.layout == layout && input.size() >= block.frames.size() &&
         std::memcmp(input.data(), block.frames.data(), block.frames.size()) == 0;
}

}  // namespace

std::uint64_t KnownDefinitions::key_of(Bytes frames, std::uint64_t count) {
  constexpr std::size_t header_bytes = 4;
  const std::size_t length = ByteReader(frames).u24le();
  return XXH3_64bits_withSeed(frames.data(), std::min(header_bytes + length, frames.size()), count);
}

const KnownDefinitions::Block* KnownDefinitions::find(Bytes input, std::uint64_t count, DefinitionLayout layout) {
  if (last_ != nullptr && begins_with(input, *last_, count, layout)) return last_;
  const auto [from, to] = blocks_.equal_range(key_of(input, count));
  const auto found = std::find_if(from, to, [&](const auto& entry) { return begins_with(input, entry.second, count, layout); });
  if (found == to) return nullptr;
  return last_ = &found->second;
}

void KnownDefinitions::remember(Block block) {
  constexpr std::size_t overhead = 256;  // a column's strings and the table's own
  const std::size_t bytes = 2 * block.frames.size() + block.count * overhead;
  if (block.frames.empty() || bytes > limit_bytes / 4) return;
  const std::uint64_t key = key_of(block.frames, block.count);
  if (bytes_ + bytes > limit_bytes || blocks_.count(key) >= limit_alike) {
    blocks_.clear();
    bytes_ = 0;
  }
  bytes_ += bytes;
  last_ = &blocks_.emplace(key, std::move(block))->second;
}

}  // namespace darktap::mysql
