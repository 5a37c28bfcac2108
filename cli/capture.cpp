// darktap capture: packets into a recording.
#include <chrono>
#include <csignal>
#include <iostream>
#include <memory>
#include <optional>
#include <utility>

#include "base/expected.h"
#include "base/time.h"
#include "client/credentials.h"
#include "command.h"
#include "priming.h"
#include "privileges.h"
#include "recording_series.h"
#include "run/input.h"
#include "run/tap_reader.h"

namespace darktap::cli {

namespace {

struct Options {
  std::string interface, file, filter, rows = "full", keylog, prime, defaults_file, output, user;
  std::string ring = "64MiB", memory = "32MiB", split_size, split_time, key;
  std::vector<std::uint16_t> ports;
  double sample = 100;
  bool follow = false, redact = false;
};

// Nobody waits for a recording: packets may lie so long, and the tap wakes less often.
constexpr std::chrono::milliseconds patience(20);

std::atomic<bool> rotation_requested = false;

void handle_rotation_signal() {
  struct sigaction action{};
  action.sa_handler = [](int) { rotation_requested = true; };
  sigaction(SIGHUP, &action, nullptr);
}

std::uint64_t size_option(const char* option, const std::string& text, std::uint64_t least, std::uint64_t most) {
  const auto size = parse_size(text);
  if (!size || *size < least || *size > most) {
    throw Failure(FailureKind::usage, std::string("capture ") + option + " " + text + ": expected a size with its unit, from " + std::to_string(least >> 10) + "KiB to " +
                                          std::to_string(most >> 20) + "MiB, such as 64MiB");
  }
  return *size;
}

Splitting splitting_of(const Options& options) {
  Splitting splitting;
  if (!options.split_size.empty()) splitting.bytes = size_option("--split-size", options.split_size, 64U << 10, std::uint64_t{1} << 50);
  if (!options.split_time.empty()) {
    const auto time = parse_duration(options.split_time);
    if (!time || *time < std::chrono::seconds(1)) throw Failure(FailureKind::usage, "capture --split-time " + options.split_time + ": expected a duration with its unit, at least 1s, such as 10m");
    splitting.time = *time;
  }
  return splitting;
}

void check(const Options& options) {
  if (!options.key.empty() && options.rows != "digest") throw Failure(FailureKind::usage, "capture --key: is for --rows digest, which seals rows with it");
  const bool live = !options.interface.empty();
  if (live == !options.file.empty()) throw Failure(FailureKind::usage, "capture: give either -i INTERFACE (a live tap) or -r FILE (a capture file)");
  if (live && options.ports.empty()) throw Failure(FailureKind::usage, "capture -i: name the server's port with --port, so that only MySQL is tapped");
  if (options.follow && (live || options.file == "-")) throw Failure(FailureKind::usage, "capture --follow: is for a file that grows, named by -r; a live tap and a pipe go on by themselves");
}

Discretion discretion_of(const Options& options) {
  Discretion discretion;
  if (options.rows == "digest") discretion.key = session::SealKey::load_or_make(options.key.empty() ? options.output + ".key" : options.key);
  if (options.redact) discretion.statements = session::RecordingOptions::Statements::redacted;
  return discretion;
}

// The tap: an interface or a file.
struct OpenTap {
  std::unique_ptr<capture::LiveTap> live;
  std::unique_ptr<capture::FileTap> file;
  capture::Tap& tap() { return live ? static_cast<capture::Tap&>(*live) : *file; }
};

OpenTap open_tap(const Options& options, const run::InputOptions& input) {
  OpenTap open;
  if (!options.interface.empty()) {
    capture::LiveTapOptions tapping;
    tapping.ports = input.ports;
    tapping.filter = input.filter;
    tapping.buffer_bytes = static_cast<int>(size_option("--ring", options.ring, std::uint64_t{1} << 20, std::uint64_t{1} << 30));
    tapping.batch = patience;
    open.live = std::make_unique<capture::LiveTap>(options.interface, tapping);
  } else {
    capture::FileTapOptions reading;
    reading.filter = input.filter;
    if (input.secrets) reading.on_secrets = [secrets = input.secrets](std::string_view text) { secrets->add(text); };
    if (options.follow) reading.end = capture::FileTapOptions::End::followed;
    open.file = std::make_unique<capture::FileTap>(options.file, std::move(reading));
  }
  return open;
}

// A failed rotation costs no exchange: the file at hand goes on.
void rotate(RecordingSeries& series) {
  try {
    const std::string before = series.current();
    series.rotate();
    std::cerr << "darktap: " << before << " is complete; going on in " << series.current() << '\n';
  } catch (const Failure& failure) {
    std::cerr << "darktap: can't rotate, going on in " << series.current() << ": " << failure.what() << '\n';
  }
}

void tell_end(const Options& options, const OpenTap& open, const RecordingSeries& series, const session::TapCounters& counters, std::uint64_t shed_sessions) {
  std::cerr << "darktap: " << options.output << ": " << series.sessions() << " sessions, " << series.exchanges() << " exchanges from " << counters.packets
            << " packets; " << counters.lost_bytes << " bytes lost in " << counters.gaps << " gaps, " << counters.kernel_drops << " kernel drops";
  if (series.files() > 1) std::cerr << "; in " << series.files() << " files, the last one " << series.current();
  if (counters.shed_exchanges > 0) std::cerr << "; " << counters.shed_exchanges << " exchanges left out";
  if (options.sample < 100) std::cerr << " (" << options.sample << " % of the sessions are kept)";
  if (shed_sessions > 0) std::cerr << "; the rest of " << shed_sessions << " sessions was shed because the decoder was too slow: sample with --sample, or give it more --memory";
  std::cerr << '\n';
  tell_opaque(open.live ? open.live->name() : open.file->name(), counters);
  if (open.file && series.sessions() == 0 && counters.tls_sessions == 0) std::cerr << "darktap: " << open.file->name() << ": no MySQL in it; name the server's port with --port\n";
}

int capture_to_file(const Options& options) {
  check(options);
  const Splitting splitting = splitting_of(options);
  const std::uint64_t memory = size_option("--memory", options.memory, std::uint64_t{1} << 20, std::uint64_t{1} << 34);
  handle_stop_signals();
  handle_rotation_signal();
  run::InputOptions input;
  input.ports = server_ports(options.ports);
  input.filter = options.filter;
  input.sample_percent = options.sample;
  const bool live = !options.interface.empty();
  input.secrets = tls_secrets(options.keylog, live ? run::TlsSecrets::Missing::awaited : run::TlsSecrets::Missing::refused);
  if (!input.secrets && !live) input.secrets = std::make_shared<run::TlsSecrets>();
  const std::optional<client::Login> primed_by = prime_login(options.prime, options.defaults_file);
  const std::string folder = RecordingSeries::folder_of(options.output);
  const RunAs user = options.interface.empty() && options.user.empty() ? RunAs{} : choose_user(options.user, folder);

  // The tap first: where it can't be opened, no recording is left behind.
  OpenTap open = open_tap(options, input);
  // The list after the tap: what a session does from here on is seen.
  if (primed_by) input.primer = prime(*primed_by);
  capture::Tap& tap = open.tap();
  run::TapReader* reading = nullptr;
  RecordingSeries series(options.output, splitting, tap.name(), [&] { return reading->counters(); }, discretion_of(options));
  if (!user.name.empty()) {
    if (splitting.any() && !may_write(user, folder)) {
      throw Failure(FailureKind::usage, folder + ": the next files are to be made as user " + user.name + ", who may not write there; give the folder to " + user.name + ", or name another --user");
    }
    series.give_to(user.user, user.group);
    drop_privileges(user);
  }
  run::TapReader reader(tap, input, series, {.patience = patience, .queued_bytes = open.live ? memory : 0});
  series.tell_round_trips([&reader] { return reader.round_trips(); });
  reading = &reader;

  if (open.live) std::cerr << "darktap: capturing on " << tap.name() << " into " << series.current() << " as user " << user.name << "; Ctrl-C ends it, SIGHUP goes on in another file\n";
  auto last_line = std::chrono::steady_clock::now();
  session::TapCounters counters = reader.read(stop_requested, [&] {
    if (series.flush_and_is_due() || rotation_requested.exchange(false)) rotate(series);
    if (const auto now = std::chrono::steady_clock::now(); open.live && now - last_line >= std::chrono::seconds(5)) {
      last_line = now;
      std::cerr << "darktap: " << series.sessions() << " sessions, " << series.exchanges() << " exchanges, " << reader.counters().kernel_drops << " kernel drops";
      if (const std::uint64_t shed = reader.shed_sessions(); shed > 0) std::cerr << ", " << shed << " sessions shed";
      std::cerr << '\n';
    }
  });
  if (open.file && open.file->truncated()) {
    counters.end = session::TapCounters::End::truncated;
    std::cerr << "darktap: " << *open.file->truncated() << '\n';
  }
  series.finish(counters);
  tell_end(options, open, series, counters, reader.shed_sessions());
  if (input.primer) std::cerr << "darktap: " << input.primer->summary() << '\n';
  return fine;
}

}  // namespace

void add_capture(CLI::App& app, Action& action) {
  static Options options;
  CLI::App* command = app.add_subcommand("capture", "Tap an interface, or read a capture file, into a recording");
  command->add_option("-i", options.interface, "Interface to tap")->type_name("IFACE");
  command->add_option("-r", options.file, "A pcap or pcapng file; - for standard input")->type_name("FILE");
  command->add_flag("--follow", options.follow, "The file of -r goes on growing: read on until a signal");
  add_ports(*command, options.ports);
  command->add_option("--filter", options.filter, "BPF filter, in addition to the ports; of a tunnel it sees the outside")->type_name("BPF");
  command->add_option("--sample", options.sample, "Whole sessions kept, of a hundred")->check(CLI::Range(0.0, 100.0))->type_name("PERCENT");
  command->add_option("--rows", options.rows, "full, or digest: rows are kept as keyed digests, which can be compared and not read")->check(CLI::IsMember({"full", "digest"}))->capture_default_str();
  command->add_option("--key", options.key, "Key file of --rows digest (default OUT.dtap.key; made where there is none)")->type_name("FILE");
  command->add_flag("--redact", options.redact, "Leave out the values of statements; such a recording can't be replayed");
  add_keylog(*command, options.keylog);
  add_prime(*command, options.prime);
  command->add_option("--defaults-file", options.defaults_file, "Option file with [darktap-source] for --prime; readable by its owner only")->type_name("FILE");
  command->add_option("--ring", options.ring, "The kernel's ring for packets of a live tap")->capture_default_str()->type_name("SIZE");
  command->add_option("--memory", options.memory, "Segments waiting for the decoder of a live tap; beyond it whole sessions are shed")->capture_default_str()->type_name("SIZE");
  command->add_option("--user", options.user, "Who to be once the interface and the recording are open")->type_name("NAME");
  command->add_option("--split-size", options.split_size, "Go on in another file when this one has reached it: OUT-000001.dtap, …")->type_name("SIZE");
  command->add_option("--split-time", options.split_time, "The same after as long a time")->type_name("DURATION");
  command->add_option("-w", options.output, "The recording to write")->required()->type_name("OUT.dtap");
  command->callback([&action] { action = [] { return capture_to_file(options); }; });
}

}  // namespace darktap::cli
