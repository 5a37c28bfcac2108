// What a subcommand is: it adds itself and its options to the parser, and says what to run once they are parsed.
#pragma once

#include <CLI/CLI.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "capture/server_ports.h"
#include "report/report.h"
#include "run/tls_secrets.h"
#include "session/exchange.h"

namespace darktap::cli {

// Exit statuses are the contract's (design §3); failures throw.
enum ExitStatus : int { fine = 0, findings_count = 1, usage = 2, environment = 3, guard_rail = 4 };

using Action = std::function<int()>;

void add_capture(CLI::App& app, Action& action);
void add_inspect(CLI::App& app, Action& action);
void add_replay(CLI::App& app, Action& action);
void add_shadow(CLI::App& app, Action& action);
void add_sql(CLI::App& app, Action& action);
void add_report(CLI::App& app, Action& action);
void add_check(CLI::App& app, Action& action);
void add_serve(CLI::App& app, Action& action);
// Commands and options of the contract that this version doesn't reach answer "not yet" with exit 2.
void add_later_commands(CLI::App& app, Action& action);
[[noreturn]] void not_yet(const std::string& what);

// --keylog FILE; nothing where it is empty. Warns where others can read it.
void add_keylog(CLI::App& command, std::string& path);
std::shared_ptr<run::TlsSecrets> tls_secrets(const std::string& path, run::TlsSecrets::Missing missing);
// What of the input TLS hid, by session, with the remedy; to standard error.
void tell_opaque(const std::string& input, const session::TapCounters& counters);

// --port N, repeatable.
void add_ports(CLI::App& command, std::vector<std::uint16_t>& ports);
report::Counting counting_of(const std::string& fail_on);  // --fail-on; empty: the default
capture::ServerPorts server_ports(const std::vector<std::uint16_t>& ports);
std::vector<std::string> split_list(const std::string& comma_separated);

// Set by SIGINT and SIGTERM once handle_stop_signals() was called; the second signal ends the process at once.
extern std::atomic<bool> stop_requested;
void handle_stop_signals();

}  // namespace darktap::cli
