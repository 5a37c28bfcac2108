// darktap capture: packets into a recording.
#include <chrono>
#include <iostream>
#include <memory>
#include <mutex>
#include <thread>

#include "base/expected.h"
#include "command.h"
#include "run/input.h"
#include "session/recording.h"

namespace darktap::cli {

namespace {

struct Options {
  std::string interface, file, filter, rows = "full", keylog, prime, output;
  std::vector<std::uint16_t> ports;
  double sample = 100;
};

// Counts what passes on its way into the recording.
class Counting final : public session::ExchangeSink {
 public:
  explicit Counting(session::RecordingWriter& next) : next_(next) {}
  std::uint64_t sessions = 0, exchanges = 0;

  void on_session(const session::SessionInfo& info) override {
    ++sessions;
    next_.on_session(info);
  }
  void on_exchange(session::Exchange& exchange) override {
    ++exchanges;
    next_.on_exchange(exchange);
  }
  void on_session_end(SessionId session, CaptureTime time) override { next_.on_session_end(session, time); }

 private:
  session::RecordingWriter& next_;
};

int capture_to_file(const Options& options) {
  if (options.rows == "digest") not_yet("--rows digest");
  if (!options.keylog.empty()) not_yet("--keylog (reading TLS sessions)");
  if (!options.prime.empty()) not_yet("--prime");
  if (options.interface.empty() == options.file.empty()) {
    throw Failure(FailureKind::usage, "capture: give either -i INTERFACE (a live tap) or -r FILE (a capture file)");
  }
  if (!options.interface.empty() && options.ports.empty()) throw Failure(FailureKind::usage, "capture -i: name the server's port with --port, so that only MySQL is tapped");
  handle_stop_signals();
  run::InputOptions input;
  input.ports = server_ports(options.ports);
  input.filter = options.filter;
  input.sample_percent = options.sample;

  // The tap first: where it can't be opened, no recording is left behind.
  std::unique_ptr<capture::LiveTap> live;
  std::unique_ptr<capture::FileTap> file;
  if (!options.interface.empty()) {
    capture::LiveTapOptions tapping;
    tapping.ports = input.ports;
    tapping.filter = input.filter;
    live = std::make_unique<capture::LiveTap>(options.interface, tapping);
  } else {
    file = std::make_unique<capture::FileTap>(options.file, options.filter);
  }
  capture::Tap& tap = live ? static_cast<capture::Tap&>(*live) : *file;
  session::RecordingWriter writer(options.output);
  writer.add_file(tap.name());
  Counting counting(writer);
  auto last_flush = std::chrono::steady_clock::now(), last_line = last_flush;
  if (live) std::cerr << "darktap: capturing on " << tap.name() << " into " << options.output << "; Ctrl-C ends it\n";
  session::TapCounters counters = run::read_tap(tap, input, counting, stop_requested, [&] {
    if (stop_requested) tap.stop();
    auto now = std::chrono::steady_clock::now();
    if (now - last_flush >= std::chrono::milliseconds(500)) {
      last_flush = now;
      writer.flush();
    }
    if (live && now - last_line >= std::chrono::seconds(5)) {
      last_line = now;
      std::cerr << "darktap: " << counting.sessions << " sessions, " << counting.exchanges << " exchanges, " << tap.counts().kernel_drops << " kernel drops\n";
    }
  });
  if (file && file->truncated()) {
    counters.end = session::TapCounters::End::truncated;
    std::cerr << "darktap: " << *file->truncated() << '\n';
  }
  writer.finish(counters);
  std::cerr << "darktap: " << options.output << ": " << counting.sessions << " sessions, " << counting.exchanges << " exchanges from "
            << counters.packets << " packets; " << counters.lost_bytes << " bytes lost in " << counters.gaps << " gaps, "
            << counters.kernel_drops << " kernel drops";
  if (counters.tls_sessions > 0) std::cerr << "; " << counters.tls_sessions << " sessions use TLS and can't be read";
  std::cerr << '\n';
  if (file && counting.sessions == 0 && counters.tls_sessions == 0) std::cerr << "darktap: " << tap.name() << ": no MySQL in it; name the server's port with --port\n";
  return fine;
}

}  // namespace

void add_capture(CLI::App& app, Action& action) {
  static Options options;
  CLI::App* command = app.add_subcommand("capture", "Tap an interface, or read a capture file, into a recording");
  command->add_option("-i", options.interface, "Interface to tap")->type_name("IFACE");
  command->add_option("-r", options.file, "A pcap or pcapng file; - for standard input")->type_name("FILE");
  add_ports(*command, options.ports);
  command->add_option("--filter", options.filter, "BPF filter, in addition to the ports")->type_name("BPF");
  command->add_option("--sample", options.sample, "Whole sessions kept, of a hundred")->check(CLI::Range(0.0, 100.0))->type_name("PERCENT");
  command->add_option("--rows", options.rows, "full; digest is not there yet")->check(CLI::IsMember({"full", "digest"}))->capture_default_str();
  command->add_option("--keylog", options.keylog, "TLS key log (not yet)")->type_name("FILE");
  command->add_option("--prime", options.prime, "Read running sessions' state from the server (not yet)")->type_name("URL");
  command->add_option("-w", options.output, "The recording to write")->required()->type_name("OUT.dtap");
  command->callback([&action] { action = [] { return capture_to_file(options); }; });
}

}  // namespace darktap::cli
