// darktap replay: a run from a recording or a capture file.
#include <iostream>

#include "report/report.h"
#include "run_options.h"
#include "store/store.h"

namespace darktap::cli {

namespace {

struct Options {
  std::string file, key, keylog;
  std::vector<std::uint16_t> ports;
  RunArguments run;
};

int replay(const Options& options) {
  run::RunOptions run = run_options(options.run, "replay");
  handle_stop_signals();
  run::InputOptions input;
  input.ports = server_ports(options.ports);
  input.key_file = options.key;
  input.secrets = tls_secrets(options.keylog, run::TlsSecrets::Missing::refused);
  run::RunResult result = run::replay_recording(options.file, input, run, stop_requested, show_progress());
  tell_opaque(options.file, result.counters);
  int status = conclude(result, options.run);
  std::cout << report::to_text(store::StoreReader(options.run.store).report(result.run), counting_of(options.run.fail_on));
  return status;
}

}  // namespace

void add_replay(CLI::App& app, Action& action) {
  static Options options;
  CLI::App* command = app.add_subcommand("replay", "Run a recording's traffic against a target and compare the answers");
  command->add_option("FILE", options.file, "A .dtap, pcap or pcapng file")->required();
  add_ports(*command, options.ports);
  command->add_option("--key", options.key, "Key of a recording made with --rows digest (default FILE.key)")->type_name("FILE");
  add_keylog(*command, options.keylog);
  add_run_options(*command, options.run);
  command->callback([&action] { action = [] { return replay(options); }; });
}

}  // namespace darktap::cli
