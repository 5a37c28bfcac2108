// --prime: a server is asked once for the sessions that ran before the tap.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "client/credentials.h"
#include "command.h"
#include "run/primer.h"

namespace darktap::cli {

void add_prime(CLI::App& command, std::string& url);

// Empty where `url` is. Throws Failure(usage).
std::optional<client::Login> prime_login(const std::string& url, const std::string& defaults_file);

// Asks, and tells the user what could not be had. Throws Failure(environment).
std::shared_ptr<run::Primer> prime(const client::Login& server);

}  // namespace darktap::cli
