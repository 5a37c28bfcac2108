// Who logs in, and with which password: never from the command line, which every user of the machine can read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/expected.h"
#include "client/connection.h"
#include "client/server_url.h"
#include "client/tls_options.h"

namespace darktap::client {

enum class Role : std::uint8_t { target, reference, source };
std::string_view to_string(Role role);

struct Login {
  ServerUrl url;
  std::string password;
  TlsOptions tls;
  Compression compression = Compression::off;
};

// The URL with what is still missing: from the role's group of the option file ([darktap-target], [darktap-reference],
// [darktap-source]; keys user, password, compress, ssl-mode, ssl-ca and its like, as in the mysql client's files), else the password from
// DARKTAP_TARGET_PASSWORD, DARKTAP_REFERENCE_PASSWORD or DARKTAP_SOURCE_PASSWORD. A user in the URL wins over the file's.
// One line where the file can't be read, can be read by others, has a key that isn't understood, or no user is named.
Expected<Login, std::string> read_login(Role role, const ServerUrl& url, const std::optional<std::string>& defaults_file);

// The same server for another of its users, whose password stands in the group [darktap-target-USER] of the option file, else in
// DARKTAP_TARGET_PASSWORD_USER (upper case; what is no letter or digit is _). Neither: no password; the target's own user has its own.
Expected<Login, std::string> read_login_as(const std::string& user, const Login& target, const std::optional<std::string>& defaults_file);

}  // namespace darktap::client
