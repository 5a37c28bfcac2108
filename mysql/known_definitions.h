// Column definitions that were read before, found again by their bytes: production sends the same ones in answer after answer.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "mysql/row.h"
#include "server_messages.h"

namespace darktap::mysql {

class KnownDefinitions {
 public:
  // Frames kept in all; beyond it everything is forgotten and learned anew.
  static constexpr std::size_t limit_bytes = std::size_t{1} << 20;
  // Blocks that agree in their number of columns and in their first definition.
  static constexpr std::size_t limit_alike = 16;

  struct Block {
    std::vector<std::byte> frames;  // of all definitions, with their headers
    std::uint64_t count = 0;
    DefinitionLayout layout{};
    Columns columns;
  };

  // The known block of `count` definitions that `input` begins with, or nothing. Lives until the next remember().
  const Block* find(Bytes input, std::uint64_t count, DefinitionLayout layout);
  void remember(Block block);

 private:
  static std::uint64_t key_of(Bytes frames, std::uint64_t count);

  std::unordered_multimap<std::uint64_t, Block> blocks_;
  const Block* last_ = nullptr;  // found last: one comparison where the same statement comes again
  std::size_t bytes_ = 0;
};

}  // namespace darktap::mysql
