// The byte encoding inside a recording's blocks: LEB128 numbers, zigzag for signed ones, length-prefixed bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace darktap::session {

// Signed numbers so that small ones are short, whatever their sign.
constexpr std::uint64_t zigzag(std::int64_t value) { return static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63); }
constexpr std::int64_t unzigzag(std::uint64_t value) { return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1); }

class WireWriter {
 public:
  void number(std::uint64_t value) {
    if (value < 0x80) return bytes_.push_back(static_cast<std::byte>(value));
    std::byte encoded[longest_number];
    std::size_t length = 0;
    for (; value >= 0x80; value >>= 7) encoded[length++] = static_cast<std::byte>(value | 0x80);
    encoded[length++] = static_cast<std::byte>(value);
    bytes_.insert(bytes_.end(), encoded, encoded + length);
  }
  void difference(std::int64_t value) { number(zigzag(value)); }
  void bytes(Bytes value) {
    number(value.size());
    bytes_.insert(bytes_.end(), value.begin(), value.end());
  }
  void text(std::string_view value) { bytes(as_bytes(value)); }
  // Without a length in front.
  void raw(Bytes value) { bytes_.insert(bytes_.end(), value.begin(), value.end()); }

  std::size_t size() const { return bytes_.size(); }
  Bytes view() const { return bytes_; }
  // Gives back the memory of what was unusually large.
  void clear() {
    bytes_.clear();
    if (bytes_.capacity() > most_kept_bytes) bytes_.shrink_to_fit();
  }

 private:
  static constexpr std::size_t longest_number = 10;
  static constexpr std::size_t most_kept_bytes = std::size_t{4} << 20;
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
  std::int64_t difference() { return unzigzag(number()); }
  Bytes bytes() { return reader_.take(static_cast<std::size_t>(number())); }
  Bytes raw(std::uint64_t count) { return reader_.take(static_cast<std::size_t>(count)); }
  std::string text() { return std::string(as_text(bytes())); }
  // How many elements follow; an impossible number (each takes a byte at least) fails.
  std::size_t count() {
    std::uint64_t value = number();
    if (value > reader_.remaining()) reader_.fail();
    return reader_.ok() ? static_cast<std::size_t>(value) : 0;
  }
  bool ok() const { return reader_.ok(); }
  bool at_end() const { return reader_.at_end(); }
  std::size_t remaining() const { return reader_.remaining(); }
  void fail() { reader_.fail(); }

 private:
  ByteReader reader_;
};

template <class Enum>
Enum decode_enum(WireReader& in, Enum last) {
  auto value = in.number();
  if (value > static_cast<std::uint64_t>(last)) in.fail();
  return static_cast<Enum>(value);
}

}  // namespace darktap::session
