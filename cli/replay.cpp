// darktap replay: a run from a recording or a capture file.
#include <iostream>

#include "dry_run.h"
#include "report/report.h"
#include "run_options.h"
#include "store/store.h"

namespace darktap::cli {

namespace {

struct Options {
  std::string file, key, keylog, format = "text";
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
  if (options.run.dry_run) {
    run::Plan plan = run::plan_replay(options.file, input, run, stop_requested);
    if (!plan.note.empty()) std::cerr << "darktap: " << plan.note << '\n';
    if (options.format == "json") std::cout << plan_as_json(plan) << '\n';
    else std::cout << plan_as_text(plan);
    return fine;
  }
  run::RunResult result = run::replay_recording(options.file, input, run, stop_requested, show_progress(options.run));
  tell_opaque(options.file, result.counters);
  int status = conclude(result, options.run.store, counting_of(options.run.fail_on));
  store::RunReport report = store::StoreReader(options.run.store).report(result.run);
  if (options.format == "json") std::cout << report::to_json(report) << '\n';
  else std::cout << report::to_text(report, counting_of(options.run.fail_on));
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
  add_recording_options(*command, options.run);
  command->add_flag("--dry-run", options.run.dry_run, "Print what the run would do and which grants it needs; asks the servers who they are, sends nothing else");
  command->add_option("--format", options.format, "Of what is printed at the end")->check(CLI::IsMember({"text", "json"}))->capture_default_str();
  command->callback([&action] { action = [] { return replay(options); }; });
}

}  // namespace darktap::cli
