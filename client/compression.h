// The compressed protocol at a client (protocol: Compression): what is sent goes out in packets with a header of 7 bytes, zlib
// within or stored as they are; what comes is unpacked. Frames need not begin where a packet does.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"

namespace darktap::client {

class CompressedStream {
 public:
  static constexpr std::size_t stored_below = 50;  // bytes; packing fewer costs more than it saves

  // A command begins: packets are numbered anew.
  void restart() { sequence_ = 0; }
  void pack(Bytes plain, std::vector<std::byte>& out);

  // Takes what was received; false where it is no such packet.
  bool unpack(Bytes received);
  // Plain bytes that wait to be taken.
  std::size_t ready() const { return plain_.size() - taken_; }
  std::size_t take(std::byte* into, std::size_t size);

 private:
  bool unpack_one(Bytes body, std::size_t plain_size);

  std::uint8_t sequence_ = 0;
  std::vector<std::byte> packed_;  // of a packet that has not come whole
  std::vector<std::byte> plain_;
  std::size_t taken_ = 0;
};

}  // namespace darktap::client
