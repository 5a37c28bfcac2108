// The fields of a header of known size: one check for all of them, and offsets that the compiler checks.
#pragma once

#include <cassert>
#include <cstdint>
#include <cstring>

#include "base/bytes.h"

namespace darktap {

// A view; it lives as long as the bytes.
template <std::size_t size>
class HeaderFields {
 public:
  // There must be as many bytes.
  explicit HeaderFields(Bytes bytes) : at_(bytes.data()) { assert(bytes.size() >= size); }

  template <std::size_t offset>
  std::uint8_t u8() const { return load<std::uint8_t, offset>(); }
  template <std::size_t offset>
  std::uint16_t u16le() const { return load<std::uint16_t, offset>(); }
  template <std::size_t offset>
  std::uint32_t u24le() const { return load<std::uint16_t, offset>() | std::uint32_t{load<std::uint8_t, offset + 2>()} << 16; }
  template <std::size_t offset>
  std::uint32_t u32le() const { return load<std::uint32_t, offset>(); }
  template <std::size_t offset>
  std::uint64_t u64le() const { return load<std::uint64_t, offset>(); }
  template <std::size_t offset>
  std::uint16_t u16be() const { return __builtin_bswap16(load<std::uint16_t, offset>()); }
  template <std::size_t offset>
  std::uint32_t u32be() const { return __builtin_bswap32(load<std::uint32_t, offset>()); }

 private:
  template <class Number, std::size_t offset>
  Number load() const {
    static_assert(offset + sizeof(Number) <= size);
    Number number;
    std::memcpy(&number, at_ + offset, sizeof number);
    return number;
  }

  const std::byte* at_;
};

}  // namespace darktap
