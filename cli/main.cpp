// darktap's one binary: parse, run, and turn every failure into one line and an exit status.
#include <cstdio>
#include <iostream>
#include <new>

#include "base/expected.h"
#include "command.h"

namespace {

// `--max-lag "$LAG"` of a variable that is not set means no limit to nobody. Of what only looks into statements or files an empty
// sql_mode or filter is one.
std::string option_without_value(const CLI::App& command) {
  if (command.get_option_no_throw("--target") == nullptr) return "";
  for (const CLI::Option* option : command.get_options())
    for (const std::string& value : option->results())
      if (value.empty() && option->get_name() != "--filter") return option->get_name();
  return "";
}

int run(int argc, char** argv) {
  using namespace darktap;
  CLI::App app{"darktap runs production's MySQL traffic against a new stack and says what differs, and why.", "darktap"};
  app.set_version_flag("--version", std::string("darktap ") + DARKTAP_VERSION);
  app.require_subcommand(1);
  app.fallthrough(false);
  cli::Action action;
  cli::add_capture(app, action);
  cli::add_inspect(app, action);
  cli::add_replay(app, action);
  cli::add_shadow(app, action);
  cli::add_sql(app, action);
  cli::add_report(app, action);
  cli::add_check(app, action);
  cli::add_serve(app, action);
  cli::add_later_commands(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    return app.exit(help);
  } catch (const CLI::CallForVersion& version) {
    return app.exit(version);
  } catch (const CLI::ParseError& error) {
    if (app.get_subcommands().empty() && argc > 1 && argv[1][0] != '-') {
      std::cerr << "darktap: " << argv[1] << ": no such command; darktap --help lists them\n";
      return cli::usage;
    }
    std::string command = app.get_subcommands().empty() ? "darktap" : "darktap " + app.get_subcommands().front()->get_name();
    std::cerr << command << ": " << error.what() << "; see " << command << " --help\n";
    return cli::usage;
  }
  for (const CLI::App* command : app.get_subcommands())
    if (std::string option = option_without_value(*command); !option.empty()) {
      std::cerr << "darktap " << command->get_name() << ": " << option << ": its value is empty; give one, or leave the option out\n";
      return cli::usage;
    }
  return action();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    int status = run(argc, argv);
    std::cout.flush();
    if (!std::cout) {
      std::cerr << "darktap: standard output: can't write: the disk may be full, or the reader has gone\n";
      return status == darktap::cli::fine ? darktap::cli::environment : status;
    }
    return status;
  } catch (const darktap::Failure& failure) {
    std::cerr << "darktap: " << failure.what() << '\n';
    return static_cast<int>(failure.kind());
  } catch (const std::bad_alloc&) {
    std::cerr << "darktap: out of memory; lower the limits of the command (see its --help) or give the machine more\n";
    return darktap::cli::environment;
  } catch (const std::exception& error) {
    std::cerr << "darktap: unexpected: " << error.what() << "; please report it with the command line\n";
    return darktap::cli::environment;
  }
}
