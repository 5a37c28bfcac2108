#include "frames.h"

#include <algorithm>
#include <cstring>

#include "base/header_fields.h"

namespace darktap::mysql {

namespace {
constexpr std::size_t header_bytes = 4;
constexpr std::size_t spare_buffer = std::size_t{1} << 20;  // a larger buffer is given back once its message is done

using FrameHeader = HeaderFields<header_bytes>;
std::uint32_t length_of(const std::byte (&header)[header_bytes]) { return FrameHeader(header).u24le<0>(); }
}  // namespace

std::uint32_t FrameReader::peeked_length() const { return length_of(header_); }

void FrameReader::reset() {
  header_size_ = 0;
  in_payload_ = false;
  payload_left_ = 0;
  frames_ = 0;
  wire_bytes_ = length_ = 0;
  integrity_ = MessageView::Integrity::whole;
  if (buffer_.capacity() > spare_buffer) std::vector<std::byte>().swap(buffer_);
  buffer_.clear();
  delivered_ = false;
}

bool FrameReader::peek_header(Bytes& input, const Stamp& first) {
  if (delivered_) reset();
  while (header_size_ < header_bytes && !input.empty()) {
    if (header_size_ == 0 && frames_ == 0) first_ = first;
    header_[header_size_++] = input[0];
    input = input.subspan(1);
  }
  return header_size_ == header_bytes;
}

std::vector<std::byte> FrameReader::take_header() {
  std::vector<std::byte> bytes(header_, header_ + header_size_);
  reset();
  return bytes;
}

void FrameReader::begin_frame() {
  frame_length_ = payload_left_ = length_of(header_);
  last_sequence_ = std::to_integer<std::uint8_t>(header_[3]);
  if (frames_ == 0) first_sequence_ = last_sequence_;
  ++frames_;
  wire_bytes_ += header_bytes + frame_length_;
  length_ += frame_length_;
  header_size_ = 0;
  in_payload_ = true;
  if (length_ > message_bytes_ && integrity_ == MessageView::Integrity::whole) integrity_ = MessageView::Integrity::oversized;
}

void FrameReader::append(Bytes bytes) {
  if (integrity_ != MessageView::Integrity::whole) return;
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
}

bool FrameReader::finish(const Stamp& last, MessageView& message) {
  message = {.integrity = integrity_, .payload = buffer_, .length = length_, .first_sequence = first_sequence_,
             .last_sequence = last_sequence_, .frames = frames_, .wire_bytes = wire_bytes_, .first = first_, .last = last};
  delivered_ = true;
  return true;
}

bool FrameReader::next(Bytes& input, const Stamp& first, const Stamp& last, MessageView& message) {
  if (delivered_) reset();
  // The common case: a whole single-frame message lies in the view, and is handed out where it lies.
  if (at_boundary() && input.size() >= header_bytes) {
    const FrameHeader header(input);
    std::size_t length = header.u24le<0>();
    if (length < frame_payload_ && length <= message_bytes_ && input.size() - header_bytes >= length) {
      std::uint8_t sequence = header.u8<3>();
      message = {.integrity = MessageView::Integrity::whole, .payload = input.subspan(header_bytes, length), .length = length,
                 .first_sequence = sequence, .last_sequence = sequence, .frames = 1, .wire_bytes = header_bytes + length,
                 .first = first, .last = last};
      input = input.subspan(header_bytes + length);
      return true;
    }
  }
  while (true) {
    if (!in_payload_) {
      if (at_boundary() && !input.empty()) first_ = first;
      std::size_t wanted = std::min(header_bytes - header_size_, input.size());
      if (wanted > 0) std::memcpy(header_ + header_size_, input.data(), wanted);
      header_size_ += wanted;
      input = input.subspan(wanted);
      if (header_size_ < header_bytes) return false;
      begin_frame();
    }
    std::size_t taken = std::min(payload_left_, input.size());
    append(input.first(taken));
    input = input.subspan(taken);
    payload_left_ -= taken;
    if (payload_left_ > 0) return false;
    in_payload_ = false;
    // A frame of the full length is continued, if only by an empty one.
    if (frame_length_ != frame_payload_) return finish(last, message);
    if (input.empty()) return false;
  }
}

FrameReader::Gap FrameReader::skip(std::uint64_t length) {
  if (delivered_) reset();
  if (!in_payload_ || length > payload_left_) return Gap::lost;
  integrity_ = MessageView::Integrity::damaged;
  payload_left_ -= static_cast<std::size_t>(length);
  return Gap::inside;
}

}  // namespace darktap::mysql
