// TLS to a server, by the mysql client's names.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace darktap::client {

struct TlsOptions {
  enum class Mode : std::uint8_t {
    disabled,
    preferred,        // where the server has it, unverified
    required,         // or no connection; unverified
    verify_identity,  // required, and the certificate is for the host in the URL, signed by `ca` or a known authority
  } mode = Mode::disabled;
  std::string ca, capath, cert, key, cipher, version;  // files, a folder; "TLSv1.2,TLSv1.3"
  std::string host;                                    // of the URL; what verify_identity looks for
};

// "DISABLED", "preferred", …; nothing for an unknown name. VERIFY_CA is not among them: the client library verifies both or
// neither.
std::optional<TlsOptions::Mode> parse_tls_mode(std::string_view name);

}  // namespace darktap::client
