// Messages in frames (protocol: Packet Format): a 4-byte header, at most 2^24-1 bytes, longer messages in several frames.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace darktap::client {

// Appends one message as frames numbered from `sequence`, and leaves it at the next number.
void append_frames(std::vector<std::byte>& out, std::uint8_t& sequence, Bytes head, Bytes tail);

// Cuts a server's bytes into messages.
class FrameReader {
 public:
  explicit FrameReader(std::size_t message_bytes) : message_bytes_(message_bytes) {}

  // The frame numbers expected from here on; forgets an unfinished message.
  void expect(std::uint8_t sequence);
  // From now on any numbers do: within the compressed protocol servers number by packets.
  void expect_any() { numbers_ = Numbers::any; }
  std::uint8_t sequence() const { return sequence_; }
  // The next byte begins a message.
  bool is_between_messages() const { return joining_ != Joining::begun; }

  enum class Step : std::uint8_t { message, more, malformed };
  // Takes the next message off the front of `bytes` and moves them on. `message` lives until the bytes change or the next
  // call. After `more`, call again with the unconsumed bytes and those behind them.
  Step next(Bytes& bytes, Bytes& message);
  // At least so many bytes are missing from the frame in front; known after `more`.
  std::size_t missing() const { return missing_; }
  const std::string& problem() const { return problem_; }

 private:
  std::size_t message_bytes_;
  enum class Numbers : std::uint8_t { in_order, any } numbers_ = Numbers::in_order;
  std::uint8_t sequence_ = 0;
  std::size_t missing_ = 0;
  std::vector<std::byte> joined_;  // of a message in several frames
  enum class Joining : std::uint8_t { none, begun, handed_out } joining_ = Joining::none;
  std::string problem_;
};

}  // namespace darktap::client
