// Frames to messages, in one direction (protocol: MySQL Packets): a 4-byte header (length, sequence number), and frames of
// the largest length joined with those behind them.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/time.h"

namespace darktap::mysql {

struct Stamp {
  CaptureTime time;
  PacketNumber packet;
};

// Borrowed until the reader is used again or the bytes it was read from end.
struct MessageView {
  enum class Integrity : std::uint8_t { whole, damaged, oversized };  // damaged: the tap missed some of its bytes
  Integrity integrity = Integrity::whole;
  Bytes payload;              // of a damaged or oversized message, what came before the loss
  std::uint64_t length = 0;   // of the whole payload, seen or not
  std::uint8_t first_sequence = 0, last_sequence = 0;
  std::uint32_t frames = 0;
  std::uint64_t wire_bytes = 0;  // with headers
  Stamp first, last;             // of its first and its last byte
};

class FrameReader {
 public:
  // `frame_payload`: a frame of this length is continued by the next one. `message_bytes`: longer messages are skipped.
  FrameReader(std::size_t frame_payload, std::size_t message_bytes) : frame_payload_(frame_payload), message_bytes_(message_bytes) {}

  // Takes bytes from the front of `input`; true when a message is whole. `first` stamps a message that begins here,
  // `last` one that ends here (they differ only where bytes came out of a compressed packet).
  bool next(Bytes& input, const Stamp& first, const Stamp& last, MessageView& message);

  // Bytes that never came. `inside`: the frame in progress swallowed them and framing goes on (its message is damaged;
  // next() may have it ready even without input). `lost`: where the next frame begins is unknown. What was seen of the
  // message in progress can still be asked for; then reset() is due.
  enum class Gap : std::uint8_t { inside, lost };
  Gap skip(std::uint64_t length);

  // Is the next byte the first of a message, or at least still of its header?
  bool before_message() const { return delivered_ || (frames_ == 0 && !in_payload_); }
  // Fills the header of the next message only, for those who must know its sequence number first; true when it is known.
  bool peek_header(Bytes& input, const Stamp& first);
  std::uint8_t peeked_sequence() const { return std::to_integer<std::uint8_t>(header_[3]); }
  std::uint32_t peeked_length() const;
  // Gives back header bytes that turn out to be no frame header (compression or TLS began there), and forgets them.
  std::vector<std::byte> take_header();

  // Something of the message in progress has been seen.
  bool in_message() const { return !delivered_ && !at_boundary(); }
  // What was seen of the message in progress.
  Bytes partial() const { return buffer_; }
  std::uint64_t partial_wire_bytes() const { return wire_bytes_ + header_size_; }
  const Stamp& partial_first() const { return first_; }
  void reset();
  std::size_t memory() const { return buffer_.capacity(); }

 private:
  bool at_boundary() const { return frames_ == 0 && header_size_ == 0; }
  void begin_frame();
  void append(Bytes bytes);
  bool finish(const Stamp& last, MessageView& message);

  std::size_t frame_payload_, message_bytes_;
  std::byte header_[4]{};
  std::size_t header_size_ = 0;
  bool in_payload_ = false;
  std::size_t payload_left_ = 0;   // of the frame in progress
  std::size_t frame_length_ = 0;
  std::uint32_t frames_ = 0;       // of the message in progress, the current one included
  std::uint8_t first_sequence_ = 0, last_sequence_ = 0;
  std::uint64_t wire_bytes_ = 0, length_ = 0;
  MessageView::Integrity integrity_ = MessageView::Integrity::whole;
  Stamp first_;
  std::vector<std::byte> buffer_;
  bool delivered_ = false;  // the buffer holds a message that was handed out: clear it before the next
};

}  // namespace darktap::mysql
