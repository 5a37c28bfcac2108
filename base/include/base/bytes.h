// Views of raw memory, and the one reader that indexes it.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace darktap {

using Bytes = std::span<const std::byte>;

inline Bytes as_bytes(std::string_view text) { return {reinterpret_cast<const std::byte*>(text.data()), text.size()}; }
// The view lives as long as the bytes.
inline std::string_view as_text(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

// Lower-case hexadecimal, two digits a byte.
std::string to_hex(Bytes bytes);
// Sixteen lower-case hexadecimal digits.
std::string to_hex(std::uint64_t value);

static_assert(std::endian::native == std::endian::little, "numbers are read from the wire by copying; a big-endian host would need swaps here");

// Reads numbers and slices from the front of a byte view. Reading past the end never touches memory: it answers zero or
// an empty view and makes ok() false for good, so a parser may read a whole structure and check once.
class ByteReader {
 public:
  explicit ByteReader(Bytes bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  bool at_end() const { return offset_ == bytes_.size(); }
  std::size_t offset() const { return offset_; }
  std::size_t remaining() const { return bytes_.size() - offset_; }
  // What has not been read yet; lives as long as the bytes given.
  Bytes rest() const { return bytes_.subspan(offset_); }
  void fail() { ok_ = false; offset_ = bytes_.size(); }

  Bytes take(std::size_t count) {
    if (count > remaining()) { fail(); return {}; }
    Bytes slice = bytes_.subspan(offset_, count);
    offset_ += count;
    return slice;
  }
  void skip(std::size_t count) { take(count); }
  // The byte in front without reading it; zero at the end.
  std::uint8_t peek() const { return at_end() ? 0 : std::to_integer<std::uint8_t>(bytes_[offset_]); }

  std::uint8_t u8() { return static_cast<std::uint8_t>(little<1>()); }
  std::uint16_t u16le() { return static_cast<std::uint16_t>(little<2>()); }
  std::uint32_t u24le() { return static_cast<std::uint32_t>(little<3>()); }
  std::uint32_t u32le() { return static_cast<std::uint32_t>(little<4>()); }
  std::uint64_t u48le() { return little<6>(); }
  std::uint64_t u64le() { return little<8>(); }
  std::uint16_t u16be() { return static_cast<std::uint16_t>(big<2>()); }
  std::uint32_t u32be() { return static_cast<std::uint32_t>(big<4>()); }
  std::uint64_t u64be() { return big<8>(); }

  // Bytes up to a NUL, which is read too; fails where there is none.
  Bytes until_nul() {
    Bytes tail = rest();
    const void* nul = tail.empty() ? nullptr : std::memchr(tail.data(), 0, tail.size());
    if (nul == nullptr) { fail(); return {}; }
    Bytes slice = take(static_cast<std::size_t>(static_cast<const std::byte*>(nul) - tail.data()));
    skip(1);
    return slice;
  }

 private:
  // The host is little-endian (asserted below): a copy of known size is one load.
  template <std::size_t count>
  std::uint64_t little() {
    if (count > remaining()) { fail(); return 0; }
    std::uint64_t value = 0;
    std::memcpy(&value, bytes_.data() + offset_, count);
    offset_ += count;
    return value;
  }
  template <std::size_t count>
  std::uint64_t big() {
    return __builtin_bswap64(little<count>()) >> (64 - 8 * count);
  }

  Bytes bytes_;
  std::size_t offset_ = 0;
  bool ok_ = true;
};

}  // namespace darktap
