// darktap serve: the triage page of a store.
#include <chrono>
#include <iostream>
#include <thread>

#include "base/expected.h"
#include "command.h"
#include "serving.h"

namespace darktap::cli {

namespace {

struct Options {
  std::string store, listen = "127.0.0.1:8380";
};

int serve(const Options& options) {
#ifndef DARKTAP_WITH_UI
  throw Failure(FailureKind::usage, "serve: this darktap was built without the page (-DDARKTAP_UI=OFF); darktap report prints the findings");
#endif
  handle_stop_signals();
  Serving serving(options.store, options.listen);
  serving.start();
  std::cout << "darktap: triage page: " << serving.url() << "\nCtrl-C ends it" << std::endl;
  while (!stop_requested) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  return fine;
}

}  // namespace

void add_serve(CLI::App& app, Action& action) {
  static Options options;
  CLI::App* command = app.add_subcommand("serve", "Serve the triage page of a store");
  command->add_option("STORE", options.store, "The store that a run wrote")->required();
  command->add_option("--listen", options.listen, "Loopback address and port")->capture_default_str()->type_name("ADDR:PORT");
  command->callback([&action] { action = [] { return serve(options); }; });
}

}  // namespace darktap::cli
