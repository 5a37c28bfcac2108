// What the decoders of one thread share, so that an exchange costs no allocation once its like has been seen: the storage of
// exchanges that were handed on, and the column definitions that came before.
#pragma once

#include <memory>

namespace darktap::mysql {

// Must outlive the decoders that use it.
class DecoderPool {
 public:
  // Exchanges whose storage is kept, and how much of its text and of its rows each keeps.
  static constexpr std::size_t limit_spares = 64;
  static constexpr std::size_t limit_spare_bytes = std::size_t{64} << 10;

  DecoderPool();
  ~DecoderPool();
  DecoderPool(const DecoderPool&) = delete;
  DecoderPool& operator=(const DecoderPool&) = delete;

 private:
  friend class Conversation;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace darktap::mysql
