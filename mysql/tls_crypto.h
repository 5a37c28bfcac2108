// Opening protected records (RFC 5246 §6.2.3.3, RFC 8446 §5.2) with keys that come from a key log's secrets. The AEAD's tag
// says whether a guess of the sequence number, the epoch or the suite was right.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "mysql/key_log.h"
#include "tls_suites.h"

namespace darktap::mysql {

using SecretBytes = std::vector<std::byte>;

struct RecordKeys {
  RecordKeys() = default;
  RecordKeys(const RecordKeys&) = default;
  RecordKeys& operator=(const RecordKeys&) = default;
  ~RecordKeys();  // wiped
  SecretBytes key, iv;
};
struct SessionKeys {
  RecordKeys client, server;
};
// TLS 1.2: the key block of the master secret (RFC 5246 §6.3).
SessionKeys derive_tls12(const Suite& suite, Bytes master, const ClientRandom& client_random, const ClientRandom& server_random);
// TLS 1.3: key and IV of a traffic secret (RFC 8446 §7.3), and the secret after a KeyUpdate (§7.2).
RecordKeys derive_tls13(const Suite& suite, Bytes secret);
SecretBytes next_traffic_secret(const Suite& suite, Bytes secret);

class RecordOpener {
 public:
  RecordOpener(const Suite& suite, TlsVersion version, const RecordKeys& keys);
  RecordOpener(RecordOpener&&) noexcept;
  RecordOpener& operator=(RecordOpener&&) noexcept;
  ~RecordOpener();

  static constexpr std::size_t header_bytes = 5;
  // `record` with its header. False where it is not the record of that number under these keys. Of TLS 1.3 the padding is
  // taken off, and `type` is the inner one.
  bool open(Bytes record, std::uint64_t number, std::vector<std::byte>& plain, std::uint8_t& type);
  // TLS 1.2 with an explicit nonce: senders count it up with each record.
  bool has_explicit_nonce() const { return version_ == TlsVersion::tls12 && suite_.explicit_nonce_bytes() != 0; }
  static std::uint64_t explicit_nonce(Bytes record);

 private:
  struct Cipher;
  bool decrypt(Bytes nonce, Bytes additional, Bytes sealed, std::vector<std::byte>& plain);

  Suite suite_;
  TlsVersion version_;
  RecordKeys keys_;
  std::unique_ptr<Cipher> cipher_;
};

}  // namespace darktap::mysql
