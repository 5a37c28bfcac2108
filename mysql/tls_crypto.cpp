#include "tls_crypto.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <algorithm>
#include <cassert>
#include <new>
#include <string_view>

namespace darktap::mysql {

namespace {

constexpr std::size_t nonce_bytes = 12;

unsigned char* raw(std::byte* bytes) { return reinterpret_cast<unsigned char*>(bytes); }
const unsigned char* raw(const std::byte* bytes) { return reinterpret_cast<const unsigned char*>(bytes); }

const char* hash_name(SuiteHash hash) { return hash == SuiteHash::sha256 ? "SHA256" : "SHA384"; }

// A key derivation of the library by its name; it is part of every provider, so only a lack of memory can fail.
SecretBytes derive(const char* name, OSSL_PARAM* parameters, std::size_t bytes) {
  std::unique_ptr<EVP_KDF, decltype(&EVP_KDF_free)> kdf(EVP_KDF_fetch(nullptr, name, nullptr), &EVP_KDF_free);
  std::unique_ptr<EVP_KDF_CTX, decltype(&EVP_KDF_CTX_free)> context(kdf ? EVP_KDF_CTX_new(kdf.get()) : nullptr, &EVP_KDF_CTX_free);
  SecretBytes out(bytes);
  if (!context || EVP_KDF_derive(context.get(), raw(out.data()), out.size(), parameters) != 1) throw std::bad_alloc();
  return out;
}

OSSL_PARAM octets(const char* key, Bytes bytes) {
  return OSSL_PARAM_construct_octet_string(key, const_cast<std::byte*>(bytes.data()), bytes.size());
}
OSSL_PARAM text(const char* key, const char* value) { return OSSL_PARAM_construct_utf8_string(key, const_cast<char*>(value), 0); }

// HKDF-Expand-Label with an empty context (RFC 8446 §7.1).
SecretBytes expand_label(const Suite& suite, Bytes secret, std::string_view label, std::size_t bytes) {
  std::string info;
  info += static_cast<char>(bytes >> 8);
  info += static_cast<char>(bytes & 0xffU);
  info += static_cast<char>(6 + label.size());
  info += "tls13 ";
  info += label;
  info += '\0';
  int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
  OSSL_PARAM parameters[] = {OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode), text(OSSL_KDF_PARAM_DIGEST, hash_name(suite.hash)),
                             octets(OSSL_KDF_PARAM_KEY, secret), octets(OSSL_KDF_PARAM_INFO, as_bytes(info)), OSSL_PARAM_construct_end()};
  return derive(OSSL_KDF_NAME_HKDF, parameters, bytes);
}

const EVP_CIPHER* cipher_of(const Suite& suite) {
  switch (suite.aead) {
    case Aead::aes_gcm: return suite.key_bytes == 16 ? EVP_aes_128_gcm() : EVP_aes_256_gcm();
    case Aead::aes_ccm:
    case Aead::aes_ccm8: return suite.key_bytes == 16 ? EVP_aes_128_ccm() : EVP_aes_256_ccm();
    case Aead::chacha20_poly1305: return EVP_chacha20_poly1305();
  }
  return nullptr;
}

}  // namespace

RecordKeys::~RecordKeys() {
  OPENSSL_cleanse(key.data(), key.size());
  OPENSSL_cleanse(iv.data(), iv.size());
}

SessionKeys derive_tls12(const Suite& suite, Bytes master, const ClientRandom& client_random, const ClientRandom& server_random) {
  constexpr std::string_view label = "key expansion";
  std::string seed(label);
  seed += as_text(server_random);
  seed += as_text(client_random);
  std::size_t iv_bytes = nonce_bytes - suite.explicit_nonce_bytes();
  OSSL_PARAM parameters[] = {text(OSSL_KDF_PARAM_DIGEST, hash_name(suite.hash)), octets(OSSL_KDF_PARAM_SECRET, master),
                             octets(OSSL_KDF_PARAM_SEED, as_bytes(seed)), OSSL_PARAM_construct_end()};
  SecretBytes block = derive(OSSL_KDF_NAME_TLS1_PRF, parameters, 2 * (suite.key_bytes + iv_bytes));
  auto from = block.begin();
  auto take = [&](std::size_t bytes) {
    SecretBytes part(from, from + static_cast<std::ptrdiff_t>(bytes));
    from += static_cast<std::ptrdiff_t>(bytes);
    return part;
  };
  SessionKeys keys;
  keys.client.key = take(suite.key_bytes);
  keys.server.key = take(suite.key_bytes);
  keys.client.iv = take(iv_bytes);
  keys.server.iv = take(iv_bytes);
  OPENSSL_cleanse(block.data(), block.size());
  return keys;
}

RecordKeys derive_tls13(const Suite& suite, Bytes secret) {
  RecordKeys keys;
  keys.key = expand_label(suite, secret, "key", suite.key_bytes);
  keys.iv = expand_label(suite, secret, "iv", nonce_bytes);
  return keys;
}

SecretBytes next_traffic_secret(const Suite& suite, Bytes secret) { return expand_label(suite, secret, "traffic upd", suite.hash_bytes()); }

struct RecordOpener::Cipher {
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  Cipher() = default;
  Cipher(const Cipher&) = delete;
  Cipher& operator=(const Cipher&) = delete;
  ~Cipher() { EVP_CIPHER_CTX_free(context); }
};

RecordOpener::RecordOpener(const Suite& suite, TlsVersion version, const RecordKeys& keys)
    : suite_(suite), version_(version), keys_(keys), cipher_(std::make_unique<Cipher>()) {
  EVP_CIPHER_CTX* context = cipher_->context;
  if (context == nullptr || EVP_DecryptInit_ex(context, cipher_of(suite), nullptr, nullptr, nullptr) != 1) throw std::bad_alloc();
  EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_IVLEN, nonce_bytes, nullptr);
  bool ccm = suite.aead == Aead::aes_ccm || suite.aead == Aead::aes_ccm8;
  if (ccm) EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, static_cast<int>(suite.tag_bytes()), nullptr);
  EVP_DecryptInit_ex(context, nullptr, nullptr, raw(keys_.key.data()), nullptr);
}
RecordOpener::RecordOpener(RecordOpener&&) noexcept = default;
RecordOpener& RecordOpener::operator=(RecordOpener&&) noexcept = default;
RecordOpener::~RecordOpener() = default;

std::uint64_t RecordOpener::explicit_nonce(Bytes record) {
  ByteReader reader(record);
  reader.skip(header_bytes);
  return reader.u64be();
}

bool RecordOpener::open(Bytes record, std::uint64_t number, std::vector<std::byte>& plain, std::uint8_t& type) {
  if (record.size() < header_bytes) return false;
  Bytes header = record.first(header_bytes), body = record.subspan(header_bytes);
  std::size_t in_front = version_ == TlsVersion::tls12 ? suite_.explicit_nonce_bytes() : 0;
  if (body.size() < in_front + suite_.tag_bytes()) return false;
  std::array<std::byte, 8> counted{};
  for (std::size_t i = 0; i < counted.size(); ++i) counted[i] = static_cast<std::byte>(number >> (56 - 8 * i) & 0xffU);

  std::array<std::byte, nonce_bytes> nonce{};
  std::copy(keys_.iv.begin(), keys_.iv.end(), nonce.begin());
  if (in_front != 0) {
    std::copy(body.begin(), body.begin() + 8, nonce.begin() + 4);
  } else {
    for (std::size_t i = 0; i < counted.size(); ++i) nonce[4 + i] ^= counted[i];
  }
  Bytes sealed = body.subspan(in_front);
  type = std::to_integer<std::uint8_t>(header[0]);
  if (version_ == TlsVersion::tls12) {
    std::size_t length = sealed.size() - suite_.tag_bytes();
    std::array<std::byte, 13> additional{};
    std::copy(counted.begin(), counted.end(), additional.begin());
    std::copy(header.begin(), header.begin() + 3, additional.begin() + 8);
    additional[11] = static_cast<std::byte>(length >> 8);
    additional[12] = static_cast<std::byte>(length & 0xffU);
    return decrypt(nonce, additional, sealed, plain);
  }
  if (!decrypt(nonce, header, sealed, plain)) return false;
  while (!plain.empty() && plain.back() == std::byte{0}) plain.pop_back();
  if (plain.empty()) return false;  // no inner type: no TLS 1.3 record
  type = std::to_integer<std::uint8_t>(plain.back());
  plain.pop_back();
  return true;
}

bool RecordOpener::decrypt(Bytes nonce, Bytes additional, Bytes sealed, std::vector<std::byte>& plain) {
  EVP_CIPHER_CTX* context = cipher_->context;
  std::size_t tag = suite_.tag_bytes();
  Bytes text = sealed.first(sealed.size() - tag);
  auto* expected = const_cast<unsigned char*>(raw(sealed.data() + text.size()));
  plain.resize(text.size());
  std::byte nothing{};
  unsigned char* out = raw(plain.empty() ? &nothing : plain.data());
  const unsigned char* in = raw(text.empty() ? &nothing : text.data());
  int length = 0, size = static_cast<int>(text.size());
  bool ccm = suite_.aead == Aead::aes_ccm || suite_.aead == Aead::aes_ccm8;
  if (EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, static_cast<int>(tag), expected) != 1) return false;
  if (EVP_DecryptInit_ex(context, nullptr, nullptr, nullptr, raw(nonce.data())) != 1) return false;
  if (ccm) {  // all at once, and the length in front
    return EVP_DecryptUpdate(context, nullptr, &length, nullptr, size) == 1 &&
           EVP_DecryptUpdate(context, nullptr, &length, raw(additional.data()), static_cast<int>(additional.size())) == 1 &&
           EVP_DecryptUpdate(context, out, &length, in, size) == 1;
  }
  std::byte end[16];
  return EVP_DecryptUpdate(context, nullptr, &length, raw(additional.data()), static_cast<int>(additional.size())) == 1 &&
         EVP_DecryptUpdate(context, out, &length, in, size) == 1 && EVP_DecryptFinal_ex(context, raw(end), &length) == 1;
}

}  // namespace darktap::mysql
