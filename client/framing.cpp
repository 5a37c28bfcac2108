#include "framing.h"

#include <algorithm>

namespace darktap::client {
namespace {

constexpr std::size_t header_size = 4;
constexpr std::size_t frame_limit = 0xffffff;

void append_header(std::vector<std::byte>& out, std::size_t length, std::uint8_t sequence) {
  for (int shift : {0, 8, 16}) out.push_back(static_cast<std::byte>(length >> shift & 0xff));
  out.push_back(static_cast<std::byte>(sequence));
}

}  // namespace

void append_frames(std::vector<std::byte>& out, std::uint8_t& sequence, Bytes head, Bytes tail) {
  std::size_t left = head.size() + tail.size();
  out.reserve(out.size() + left + header_size * (left / frame_limit + 1));
  for (;;) {
    std::size_t length = std::min(left, frame_limit);
    append_header(out, length, sequence++);
    std::size_t from_head = std::min(length, head.size());
    out.insert(out.end(), head.begin(), head.begin() + static_cast<std::ptrdiff_t>(from_head));
    head = head.subspan(from_head);
    out.insert(out.end(), tail.begin(), tail.begin() + static_cast<std::ptrdiff_t>(length - from_head));
    tail = tail.subspan(length - from_head);
    left -= length;
    if (length < frame_limit) return;  // a message of a multiple of the limit ends with an empty frame
  }
}

void FrameReader::expect(std::uint8_t sequence) {
  sequence_ = sequence;
  joining_ = Joining::none;
  std::vector<std::byte>().swap(joined_);
}

FrameReader::Step FrameReader::next(Bytes& bytes, Bytes& message) {
  if (joining_ == Joining::handed_out) {
    joining_ = Joining::none;
    std::vector<std::byte>().swap(joined_);
  }
  for (;;) {
    if (bytes.size() < header_size) {
      missing_ = header_size - bytes.size();
      return Step::more;
    }
    ByteReader reader(bytes);
    std::size_t length = reader.u24le();
    std::uint8_t sequence = reader.u8();
    if (numbers_ == Numbers::any) sequence_ = sequence;
    if (sequence != sequence_) {
      problem_ = "frame " + std::to_string(sequence) + " where frame " + std::to_string(sequence_) + " was expected";
      return Step::malformed;
    }
    if (joined_.size() + length > message_bytes_) {
      problem_ = "a message of more than " + std::to_string(message_bytes_) + " bytes";
      return Step::malformed;
    }
    if (reader.remaining() < length) {
      missing_ = length - reader.remaining();
      return Step::more;
    }
    Bytes payload = reader.take(length);
    bytes = reader.rest();
    ++sequence_;
    if (joining_ == Joining::none && length < frame_limit) {
      message = payload;
      return Step::message;
    }
    joining_ = Joining::begun;
    joined_.insert(joined_.end(), payload.begin(), payload.end());
    if (length < frame_limit) {
      joining_ = Joining::handed_out;
      message = joined_;
      return Step::message;
    }
  }
}

}  // namespace darktap::client
