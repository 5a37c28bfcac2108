// The compressed protocol's packets, in one direction (protocol: Compression): a 7-byte header (compressed length, sequence
// number, uncompressed length), then zlib or zstd bytes, or stored ones where the uncompressed length is 0. Frames need
// not begin where a packet does.
#pragma once

#include <string>
#include <vector>

#include "frames.h"

namespace darktap::mysql {

class Decompressor {
 public:
  static constexpr std::size_t header_bytes = 7;
  enum class Step : std::uint8_t { need_more, bytes, gap, malformed };
  // Takes bytes from the front of `input`. `bytes`: content() holds plain bytes, until the next call. `gap`: a packet was
  // damaged, and gap_length() plain bytes are missing in its place.
  Step next(Bytes& input, const Stamp& stamp);
  Bytes content() const { return content_; }
  std::uint64_t gap_length() const { return plain_length_; }
  const Stamp& first() const { return first_; }  // of the packet's first byte

  // Bytes that never came: `inside` means that the packet in progress swallowed them.
  FrameReader::Gap skip(std::uint64_t length);
  void reset();
  std::size_t memory() const { return packed_.capacity() + plain_.capacity(); }

 private:
  bool inflate(Bytes packed);

  std::byte header_[header_bytes]{};
  std::size_t header_size_ = 0;
  bool in_body_ = false, damaged_ = false;
  std::size_t body_left_ = 0;
  std::uint64_t plain_length_ = 0;
  bool stored_ = false;
  std::vector<std::byte> packed_, plain_;
  Bytes content_;
  Stamp first_;
};

}  // namespace darktap::mysql
