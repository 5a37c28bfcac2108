// Cipher suites as data (https://www.iana.org/assignments/tls-parameters): which can be opened with a session's secrets.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace darktap::mysql {

enum class TlsVersion : std::uint16_t { tls10 = 0x0301, tls11 = 0x0302, tls12 = 0x0303, tls13 = 0x0304 };
std::string to_string(TlsVersion version);

enum class Aead : std::uint8_t { aes_gcm, aes_ccm, aes_ccm8, chacha20_poly1305 };
enum class SuiteHash : std::uint8_t { sha256, sha384 };

struct Suite {
  std::uint16_t id = 0;
  Aead aead{};
  std::uint8_t key_bytes = 16;
  SuiteHash hash = SuiteHash::sha256;

  std::size_t tag_bytes() const { return aead == Aead::aes_ccm8 ? 8 : 16; }
  std::size_t hash_bytes() const { return hash == SuiteHash::sha256 ? 32 : 48; }
  // TLS 1.2: GCM and CCM send half of their nonce with each record.
  std::size_t explicit_nonce_bytes() const { return aead == Aead::chacha20_poly1305 ? 0 : 8; }
};
// Nothing for a suite that is not authenticated encryption with a known cipher.
std::optional<Suite> find_suite(std::uint16_t id);
// The suites of TLS 1.3 whose secrets have this length.
inline constexpr std::uint16_t tls13_suites[] = {0x1302, 0x1301, 0x1303, 0x1304, 0x1305};

}  // namespace darktap::mysql
