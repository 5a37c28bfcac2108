#include "priming.h"

#include <iostream>

#include "base/expected.h"

namespace darktap::cli {

void add_prime(CLI::App& command, std::string& url) {
  command.add_option("--prime", url, "Ask this server once for its running sessions' users, schemas and prepared statements (reads only)")->type_name("URL");
}

std::optional<client::Login> prime_login(const std::string& url, const std::string& defaults_file) {
  if (url.empty()) return std::nullopt;
  auto server = client::parse_server_url(url);
  if (!server) throw Failure(FailureKind::usage, "--prime: " + server.error());
  auto login = client::read_login(client::Role::source, *server, defaults_file.empty() ? std::nullopt : std::optional(defaults_file));
  if (!login) throw Failure(FailureKind::usage, "--prime: " + login.error());
  return *login;
}

std::shared_ptr<run::Primer> prime(const client::Login& server) {
  auto primer = std::make_shared<run::Primer>(server);
  for (const std::string& note : primer->notes()) std::cerr << "darktap: --prime " << client::address_of(server.url) << ": " << note << '\n';
  return primer;
}

}  // namespace darktap::cli
