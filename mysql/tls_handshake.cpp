#include "tls_handshake.h"

#include <algorithm>
#include <string_view>

namespace darktap::mysql {

namespace {

constexpr std::size_t header_bytes = 4;
constexpr std::uint16_t supported_versions = 43;

// RFC 8446 §4.1.3: the random of a HelloRetryRequest.
constexpr std::uint8_t retry_random[32] = {0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8, 0x91,
                                           0xC2, 0xA2, 0x11, 0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C};

ClientRandom take_random(ByteReader& reader) {
  ClientRandom random{};
  Bytes bytes = reader.take(random.size());
  std::copy(bytes.begin(), bytes.end(), random.begin());
  return random;
}

}  // namespace

std::optional<ClientRandom> parse_client_hello(Bytes body) {
  ByteReader reader(body);
  if (reader.u8() != 3) return std::nullopt;
  reader.skip(1);
  ClientRandom random = take_random(reader);
  return reader.ok() ? std::optional(random) : std::nullopt;
}

std::optional<ServerHello> parse_server_hello(Bytes body) {
  ByteReader reader(body);
  ServerHello hello;
  std::uint16_t version = reader.u16be();
  hello.random = take_random(reader);
  reader.skip(reader.u8());  // the session's id
  hello.suite = reader.u16be();
  reader.skip(1);  // compression
  if (!reader.ok() || version < 0x0301 || version > 0x0303) return std::nullopt;
  if (!reader.at_end()) {
    ByteReader extensions(reader.take(reader.u16be()));
    while (extensions.ok() && !extensions.at_end()) {
      std::uint16_t kind = extensions.u16be();
      ByteReader extension(extensions.take(extensions.u16be()));
      if (kind == supported_versions) version = extension.u16be();
    }
    if (!extensions.ok() || !reader.ok()) return std::nullopt;
  }
  if (version < 0x0301 || version > 0x0304) return std::nullopt;
  hello.version = static_cast<TlsVersion>(version);
  bool retry = std::equal(hello.random.begin(), hello.random.end(), std::begin(retry_random),
                          [](std::byte a, std::uint8_t b) { return std::to_integer<std::uint8_t>(a) == b; });
  if (retry) hello.kind = ServerHello::Kind::retry;
  return hello;
}

void HandshakeReader::add(Bytes bytes) {
  std::size_t skipped = std::min(skip_, bytes.size());
  skip_ -= skipped;
  bytes = bytes.subspan(skipped);
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
}

std::optional<HandshakeReader::Message> HandshakeReader::next() {
  if (buffer_.size() < header_bytes) return std::nullopt;
  std::size_t length = std::to_integer<std::size_t>(buffer_[1]) << 16 | std::to_integer<std::size_t>(buffer_[2]) << 8 | std::to_integer<std::size_t>(buffer_[3]);
  Message message{.type = std::to_integer<std::uint8_t>(buffer_[0]), .body = {}};
  std::size_t whole = header_bytes + length;
  if (buffer_.size() < whole) {
    if (length <= longest_kept) return std::nullopt;
    skip_ = whole - buffer_.size();
    buffer_.clear();
    return message;
  }
  auto end = buffer_.begin() + static_cast<std::ptrdiff_t>(whole);
  if (length <= longest_kept) message.body.assign(buffer_.begin() + header_bytes, end);
  buffer_.erase(buffer_.begin(), end);
  return message;
}

void HandshakeReader::reset() {
  buffer_.clear();
  skip_ = 0;
}

}  // namespace darktap::mysql
