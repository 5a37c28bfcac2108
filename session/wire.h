// The byte encoding inside a recording's blocks: LEB128 numbers, zigzag for signed ones, length-prefixed bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace darktap::session {

class WireWriter {
 public:
  void number(std::uint64_t value) {
    while (value >= 0x80) {
      bytes_.push_back(static_cast<std::byte>(value | 0x80));
      value >>= 7;
    }
    bytes_.push_back(static_cast<std::byte>(value));
  }
  void difference(std::int64_t value) {
    number(static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63));
  }
  void bytes(Bytes value) {
    number(value.size());
    bytes_.insert(bytes_.end(), value.begin(), value.end());
  }
  void text(std::string_view value) { bytes(as_bytes(value)); }

  std::size_t size() const { return bytes_.size(); }
  Bytes view() const { return bytes_; }
  void clear() { bytes_.clear(); }

 private:
  std::vector<std::byte> bytes_;
};

// Fails for good on the first thing that doesn't fit; check ok() after reading a record.
class WireReader {
 public:
  explicit WireReader(Bytes bytes) : reader_(bytes) {}
  std::uint64_t number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      std::uint8_t byte = reader_.u8();
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    reader_.fail();
    return 0;
  }
  template <class Small>
  Small small() {
    std::uint64_t value = number();
    if (static_cast<std::uint64_t>(static_cast<Small>(value)) != value) reader_.fail();
    return static_cast<Small>(value);
  }
  std::int64_t difference() {
    std::uint64_t value = number();
    return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
  }
  Bytes bytes() { return reader_.take(static_cast<std::size_t>(number())); }
  std::string text() { return std::string(as_text(bytes())); }
  // How many elements follow; an impossible number (each takes a byte at least) fails.
  std::size_t count() {
    std::uint64_t value = number();
    if (value > reader_.remaining()) reader_.fail();
    return reader_.ok() ? static_cast<std::size_t>(value) : 0;
  }
  bool ok() const { return reader_.ok(); }
  bool at_end() const { return reader_.at_end(); }
  void fail() { reader_.fail(); }

 private:
  ByteReader reader_;
};

}  // namespace darktap::session
