#include "tls_suites.h"

#include <algorithm>
#include <iterator>

namespace darktap::mysql {

namespace {

constexpr Suite gcm128(std::uint16_t id) { return {id, Aead::aes_gcm, 16, SuiteHash::sha256}; }
constexpr Suite gcm256(std::uint16_t id) { return {id, Aead::aes_gcm, 32, SuiteHash::sha384}; }
constexpr Suite ccm(std::uint16_t id, std::uint8_t key_bytes) { return {id, Aead::aes_ccm, key_bytes, SuiteHash::sha256}; }
constexpr Suite ccm8(std::uint16_t id, std::uint8_t key_bytes) { return {id, Aead::aes_ccm8, key_bytes, SuiteHash::sha256}; }
constexpr Suite chacha(std::uint16_t id) { return {id, Aead::chacha20_poly1305, 32, SuiteHash::sha256}; }

// In order of their numbers.
constexpr Suite suites[] = {
    gcm128(0x009c), gcm256(0x009d), gcm128(0x009e), gcm256(0x009f), gcm128(0x00a0), gcm256(0x00a1), gcm128(0x00a2), gcm256(0x00a3),
    gcm128(0x00a4), gcm256(0x00a5), gcm128(0x00a6), gcm256(0x00a7), gcm128(0x00a8), gcm256(0x00a9), gcm128(0x00aa), gcm256(0x00ab),
    gcm128(0x00ac), gcm256(0x00ad),
    gcm128(0x1301), gcm256(0x1302), chacha(0x1303), ccm(0x1304, 16), ccm8(0x1305, 16),
    gcm128(0xc02b), gcm256(0xc02c), gcm128(0xc02d), gcm256(0xc02e), gcm128(0xc02f), gcm256(0xc030), gcm128(0xc031), gcm256(0xc032),
    ccm(0xc09c, 16), ccm(0xc09d, 32), ccm(0xc09e, 16), ccm(0xc09f, 32), ccm8(0xc0a0, 16), ccm8(0xc0a1, 32), ccm8(0xc0a2, 16), ccm8(0xc0a3, 32),
    ccm(0xc0a4, 16), ccm(0xc0a5, 32), ccm(0xc0a6, 16), ccm(0xc0a7, 32), ccm8(0xc0a8, 16), ccm8(0xc0a9, 32), ccm8(0xc0aa, 16), ccm8(0xc0ab, 32),
    ccm(0xc0ac, 16), ccm(0xc0ad, 32), ccm8(0xc0ae, 16), ccm8(0xc0af, 32),
    chacha(0xcca8), chacha(0xcca9), chacha(0xccaa), chacha(0xccab), chacha(0xccac), chacha(0xccad), chacha(0xccae),
    gcm128(0xd001), gcm256(0xd002), ccm8(0xd003, 16), ccm(0xd005, 16),
};
static_assert(std::is_sorted(std::begin(suites), std::end(suites), [](const Suite& a, const Suite& b) { return a.id < b.id; }));

}  // namespace

std::optional<Suite> find_suite(std::uint16_t id) {
  const Suite* found = std::lower_bound(std::begin(suites), std::end(suites), id, [](const Suite& suite, std::uint16_t wanted) { return suite.id < wanted; });
  if (found == std::end(suites) || found->id != id) return std::nullopt;
  return *found;
}

std::string to_string(TlsVersion version) {
  switch (version) {
    case TlsVersion::tls10: return "TLS 1.0";
    case TlsVersion::tls11: return "TLS 1.1";
    case TlsVersion::tls12: return "TLS 1.2";
    case TlsVersion::tls13: return "TLS 1.3";
  }
  return "TLS";
}

}  // namespace darktap::mysql
