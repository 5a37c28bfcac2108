#include "compression.h"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>

namespace darktap::mysql {

namespace {
constexpr std::size_t spare_buffer = std::size_t{1} << 20;
}

void Decompressor::reset() {
  header_size_ = 0;
  in_body_ = damaged_ = false;
  body_left_ = 0;
  packed_.clear();
  if (packed_.capacity() > spare_buffer) std::vector<std::byte>().swap(packed_);
  if (plain_.capacity() > spare_buffer) std::vector<std::byte>().swap(plain_);
}

Decompressor::Step Decompressor::next(Bytes& input, const Stamp& stamp) {
  if (!in_body_) {
    if (header_size_ == 0) {
      if (input.empty()) return Step::need_more;
      if (plain_.capacity() > spare_buffer || packed_.capacity() > spare_buffer) reset();
      packed_.clear();
      first_ = stamp;
    }
    std::size_t wanted = std::min(sizeof(header_) - header_size_, input.size());
    if (wanted > 0) std::memcpy(header_ + header_size_, input.data(), wanted);
    header_size_ += wanted;
    input = input.subspan(wanted);
    if (header_size_ < sizeof(header_)) return Step::need_more;
    ByteReader header{Bytes(header_)};
    body_left_ = header.u24le();
    header.skip(1);
    std::uint32_t uncompressed = header.u24le();
    stored_ = uncompressed == 0;
    plain_length_ = stored_ ? body_left_ : uncompressed;
    in_body_ = true;
    header_size_ = 0;
  }
  Bytes packed;
  if (packed_.empty() && !damaged_ && input.size() >= body_left_) {
    packed = input.first(body_left_);
    input = input.subspan(body_left_);
    body_left_ = 0;
  } else {
    std::size_t taken = std::min(body_left_, input.size());
    if (!damaged_) packed_.insert(packed_.end(), input.begin(), input.begin() + static_cast<std::ptrdiff_t>(taken));
    input = input.subspan(taken);
    body_left_ -= taken;
    if (body_left_ > 0) return Step::need_more;
    packed = packed_;
  }
  in_body_ = false;
  if (damaged_) {
    reset();
    return Step::gap;
  }
  if (stored_) {
    plain_.assign(packed.begin(), packed.end());
  } else if (!inflate(packed)) {
    reset();
    return Step::malformed;
  }
  content_ = plain_;
  return Step::bytes;
}

bool Decompressor::inflate(Bytes packed) {
  plain_.resize(plain_length_);  // at most 16 MiB, by the width of its field
  constexpr std::uint32_t zstd_magic = 0xfd2fb528;
  ByteReader reader(packed);
  if (reader.u32le() == zstd_magic) {
    std::size_t size = ZSTD_decompress(plain_.data(), plain_.size(), packed.data(), packed.size());
    return ZSTD_isError(size) == 0 && size == plain_.size();
  }
  uLongf size = plain_.size();
  int status = uncompress(reinterpret_cast<Bytef*>(plain_.data()), &size, reinterpret_cast<const Bytef*>(packed.data()), packed.size());
  return status == Z_OK && size == plain_.size();
}

FrameReader::Gap Decompressor::skip(std::uint64_t length) {
  if (!in_body_ || length > body_left_) {
    reset();
    return FrameReader::Gap::lost;
  }
  damaged_ = true;
  body_left_ -= static_cast<std::size_t>(length);
  return FrameReader::Gap::inside;
}

}  // namespace darktap::mysql
