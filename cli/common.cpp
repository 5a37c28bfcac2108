#include <csignal>
#include <iostream>
#include <sstream>
#include <unistd.h>

#include "base/expected.h"
#include "command.h"

namespace darktap::cli {

std::atomic<bool> stop_requested = false;

namespace {
void on_stop_signal(int) {
  if (stop_requested.exchange(true)) _exit(130);
}
}  // namespace

void handle_stop_signals() {
  struct sigaction action{};
  action.sa_handler = on_stop_signal;  // without SA_RESTART, so that waits end
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

void add_ports(CLI::App& command, std::vector<std::uint16_t>& ports) {
  command.add_option("--port", ports, "A TCP port that the MySQL server listens on; may be given again")->check(CLI::Range(1, 65535))->type_name("N");
}

void add_keylog(CLI::App& command, std::string& path) {
  command.add_option("--keylog", path, "TLS secrets (an SSLKEYLOGFILE), followed as it grows; pcapng files may bring their own")->type_name("FILE");
}

std::shared_ptr<run::TlsSecrets> tls_secrets(const std::string& path, run::TlsSecrets::Missing missing) {
  if (path.empty()) return nullptr;
  auto secrets = std::make_shared<run::TlsSecrets>(path, missing);
  if (!secrets->warning().empty()) std::cerr << "darktap: warning: " << secrets->warning() << '\n';
  return secrets;
}

void tell_opaque(const std::string& input, const session::TapCounters& counters) {
  if (counters.opaque_sessions == 0) return;
  std::cerr << "darktap: " << input << ": " << counters.opaque_sessions << " of " << counters.tls_sessions
            << " TLS sessions were not read; give their secrets with --keylog FILE (SSLKEYLOGFILE of the client), tap behind the TLS end point, or let the client connect without TLS\n";
  for (const std::string& note : counters.opaque_notes) std::cerr << "darktap:   " << note << '\n';
  if (counters.opaque_sessions > counters.opaque_notes.size())
    std::cerr << "darktap:   and " << counters.opaque_sessions - counters.opaque_notes.size() << " more\n";
}

report::Counting counting_of(const std::string& fail_on) { return fail_on.empty() ? report::Counting() : report::Counting::parse(fail_on); }

capture::ServerPorts server_ports(const std::vector<std::uint16_t>& ports) { return capture::ServerPorts(std::span(ports)); }

std::vector<std::string> split_list(const std::string& comma_separated) {
  std::vector<std::string> parts;
  std::istringstream stream(comma_separated);
  for (std::string part; std::getline(stream, part, ',');)
    if (!part.empty()) parts.push_back(part);
  return parts;
}

void not_yet(const std::string& what) { throw Failure(FailureKind::usage, what + ": not yet in this version of darktap; docs/architecture.md says what it reaches"); }

void add_later_commands(CLI::App& app, Action& action) {
  struct Later {
    const char* name;
    const char* does;
  };
  for (Later later : {Later{"diff", "Compare two servers' tables (not yet)"}, Later{"gate", "Say whether the cutover is safe (not yet)"},
                      Later{"probe", "Ask a server what it can do (not yet)"}}) {
    CLI::App* command = app.add_subcommand(later.name, later.does);
    command->allow_extras();
    command->callback([&action, later] { action = [later]() -> int { not_yet(std::string("darktap ") + later.name); }; });
  }
}

}  // namespace darktap::cli
