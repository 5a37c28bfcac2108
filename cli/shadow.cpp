// darktap shadow: capture, replay, compare and serve, live.
#include <iostream>

#include "base/expected.h"
#include "priming.h"
#include "privileges.h"
#include "run_options.h"
#include "serving.h"
#include "store/store.h"

namespace darktap::cli {

namespace {

struct Options {
  std::string interface, filter, keylog, prime, user, listen = "127.0.0.1:8380";
  std::vector<std::uint16_t> ports;
  double sample = 100;
  RunArguments run;
};

int shadow(const Options& options) {
  if (options.run.pace != "recorded") throw Failure(FailureKind::usage, "shadow --pace " + options.run.pace + ": live traffic comes at its own pace; leave --pace out");
  if (options.ports.empty()) throw Failure(FailureKind::usage, "shadow: name production's port with --port");
  run::RunOptions run = run_options(options.run, "shadow");
  handle_stop_signals();
  run::LiveInput live;
  live.interface = options.interface;
  live.input.ports = server_ports(options.ports);
  live.input.filter = options.filter;
  live.input.sample_percent = options.sample;
  live.input.secrets = tls_secrets(options.keylog, run::TlsSecrets::Missing::awaited);
  const std::optional<client::Login> primed_by = prime_login(options.prime, options.run.defaults_file);
  const std::optional<RunAs> user = choose_user_for_file(options.user, options.run.store);
  std::shared_ptr<run::Primer> primer;
  live.opened = [&](run::InputOptions& input) {
    if (primed_by) input.primer = primer = prime(*primed_by);
    if (user) return drop_privileges(*user);
    std::cerr << "darktap: " << options.run.store << ": only root may write there, so that the tap goes on with root's rights; name another with --user, and a store that it may write\n";
  };
  Serving serving(options.run.store, options.listen);
  auto ready = [&](std::int64_t id) {
    serving.start();
    std::cerr << "darktap: run " << id << ": shadowing " << options.interface << " on " << options.run.target << (user ? " as user " + user->name : "") << "; Ctrl-C ends it\n";
    if (!serving.url().empty()) std::cerr << "darktap: triage page: " << serving.url() << '\n';
  };
  run::RunResult result = run::shadow(live, run, stop_requested, ready, show_progress(options.run));
  tell_opaque(options.interface, result.counters);
  if (primer) std::cerr << "darktap: " << primer->summary() << '\n';
  int status = conclude(result, options.run.store, counting_of(options.run.fail_on));
  std::cout << report::to_text(store::StoreReader(options.run.store).report(result.run), counting_of(options.run.fail_on));
  // Ending by a signal is how a live run ends: fine, whatever it found (design §10). `report` tells what counts.
  return result.gave_up.empty() && status == findings_count ? fine : status;
}

}  // namespace

void add_shadow(CLI::App& app, Action& action) {
  static Options options;
  CLI::App* command = app.add_subcommand("shadow", "Tap production and run its reads against a target, live");
  command->add_option("-i", options.interface, "Interface to tap")->required()->type_name("IFACE");
  add_ports(*command, options.ports);
  command->add_option("--filter", options.filter, "BPF filter, in addition to the ports")->type_name("BPF");
  command->add_option("--sample", options.sample, "Whole sessions kept, of a hundred")->check(CLI::Range(0.0, 100.0))->type_name("PERCENT");
  add_keylog(*command, options.keylog);
  add_prime(*command, options.prime);
  command->add_option("--user", options.user, "Who to be once the interface is open")->type_name("NAME");
  command->add_option("--listen", options.listen, "Where the triage page is served; loopback only")->capture_default_str()->type_name("ADDR:PORT");
  add_run_options(*command, options.run);
  command->callback([&action] { action = [] { return shadow(options); }; });
}

}  // namespace darktap::cli
