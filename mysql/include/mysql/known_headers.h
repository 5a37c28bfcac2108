// The beginnings of answers with rows (number of columns, their definitions, the EOF behind them), found again by their bytes:
// production sends the same ones in answer after answer.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "mysql/response_decoder.h"

namespace darktap::mysql {

class KnownHeaders {
 public:
  // Memory in all; beyond it everything is forgotten and learned anew.
  static constexpr std::size_t limit_bytes = std::size_t{1} << 20;
  static constexpr std::size_t longest = limit_bytes / 16;
  // Headers that are told apart only behind their first bytes.
  static constexpr std::size_t limit_alike = 16;

  struct Known {
    std::vector<std::byte> frames;
    std::uint8_t frame_count = 0;  // modulo 256, as sequence numbers are
    ResponseDecoder::HeaderKind kind;
    ResponseDecoder::Header header;
  };

  // The known header that `input` begins with, or nothing. Lives until the next remember().
  const Known* find(Bytes input, ResponseDecoder::HeaderKind kind) const;
  void remember(Known known);

 private:
  using Alike = std::vector<Known>;
  std::array<Alike, 256> known_;  // by a hash of what every header has
  std::size_t bytes_ = 0;
};

}  // namespace darktap::mysql
