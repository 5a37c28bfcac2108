#include "compression.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>

namespace darktap::client {
namespace {

constexpr std::size_t header_size = 7;
constexpr std::size_t packet_limit = 0xffffff;     // bytes of one packet, plain and packed
constexpr std::size_t kept_buffer = 64U << 10;     // an idle stream keeps no larger buffer than this

void put_u24(std::vector<std::byte>& out, std::size_t value) {
  for (int shift : {0, 8, 16}) out.push_back(static_cast<std::byte>(value >> shift & 0xff));
}

}  // namespace

void CompressedStream::pack(Bytes plain, std::vector<std::byte>& out) {
  while (!plain.empty()) {
    Bytes part = plain.first(std::min(plain.size(), packet_limit));
    plain = plain.subspan(part.size());
    std::vector<std::byte> packed;
    if (part.size() >= stored_below) {
      uLongf size = compressBound(static_cast<uLong>(part.size()));
      packed.resize(size);
      int done = ::compress(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(part.data()), static_cast<uLong>(part.size()));
      packed.resize(done == Z_OK && size < part.size() ? size : 0);
    }
    put_u24(out, packed.empty() ? part.size() : packed.size());
    out.push_back(std::byte{sequence_++});
    put_u24(out, packed.empty() ? 0 : part.size());
    Bytes body = packed.empty() ? part : Bytes(packed);
    out.insert(out.end(), body.begin(), body.end());
  }
}

bool CompressedStream::unpack(Bytes received) {
  packed_.insert(packed_.end(), received.begin(), received.end());
  Bytes rest = packed_;
  while (rest.size() >= header_size) {
    ByteReader header(rest);
    std::size_t size = header.u24le();
    sequence_ = static_cast<std::uint8_t>(header.u8() + 1);
    std::size_t plain_size = header.u24le();
    if (header.remaining() < size) break;
    if (!unpack_one(header.take(size), plain_size)) return false;
    rest = header.rest();
  }
  packed_.erase(packed_.begin(), packed_.end() - static_cast<std::ptrdiff_t>(rest.size()));
  if (packed_.empty() && packed_.capacity() > kept_buffer) std::vector<std::byte>().swap(packed_);
  return true;
}

bool CompressedStream::unpack_one(Bytes body, std::size_t plain_size) {
  std::size_t had = plain_.size();
  if (plain_size == 0) {
    plain_.insert(plain_.end(), body.begin(), body.end());
    return true;
  }
  plain_.resize(had + plain_size);  // at most 16 MiB, by the width of its field
  uLongf size = static_cast<uLongf>(plain_size);
  int done = ::uncompress(reinterpret_cast<Bytef*>(plain_.data() + had), &size, reinterpret_cast<const Bytef*>(body.data()), static_cast<uLong>(body.size()));
  return done == Z_OK && size == plain_size;
}

std::size_t CompressedStream::take(std::byte* into, std::size_t size) {
  std::size_t count = std::min(size, ready());
  if (count > 0) std::memcpy(into, plain_.data() + taken_, count);
  taken_ += count;
  if (ready() > 0) return count;
  plain_.clear();
  taken_ = 0;
  if (plain_.capacity() > kept_buffer) std::vector<std::byte>().swap(plain_);
  return count;
}

}  // namespace darktap::client
