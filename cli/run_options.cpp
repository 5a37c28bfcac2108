#include "run_options.h"

#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <iostream>
#include <memory>

#include "base/expected.h"
#include "report/report.h"
#include "store/store.h"

namespace darktap::cli {

namespace {

client::Login login(client::Role role, const std::string& text, const std::string& defaults_file) {
  auto url = client::parse_server_url(text);
  if (!url) throw Failure(FailureKind::usage, "--" + std::string(client::to_string(role)) + ": " + url.error());
  auto login = client::read_login(role, *url, defaults_file.empty() ? std::nullopt : std::optional(defaults_file));
  if (!login) throw Failure(FailureKind::usage, login.error());
  return *login;
}

std::chrono::milliseconds duration(const char* option, const std::string& text) {
  auto parsed = parse_duration(text);
  if (!parsed || *parsed < std::chrono::milliseconds(1)) throw Failure(FailureKind::usage, std::string(option) + " " + text + ": is not a duration; write for example 250ms or 5s");
  return std::chrono::duration_cast<std::chrono::milliseconds>(*parsed);
}

run::LatencyLimits latency_limits(const std::string& budget, const std::string& floor) {
  run::LatencyLimits limits;
  std::vector<std::string> trips = split_list(budget);
  auto number = [&](const std::string& word, unsigned& value) {
    auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    return error == std::errc() && end == word.data() + word.size() && value <= 1000;
  };
  if (trips.size() != 2 || !number(trips[0], limits.read_round_trips) || !number(trips[1], limits.write_round_trips)) {
    throw Failure(FailureKind::usage, "--latency-budget " + budget + ": give round trips for reads and for writes, for example 1,2");
  }
  auto parsed = parse_duration(floor);
  if (!parsed || *parsed < std::chrono::nanoseconds(0)) throw Failure(FailureKind::usage, "--latency-floor " + floor + ": is not a duration; write for example 2ms");
  limits.floor = *parsed;
  return limits;
}

void refuse_what_is_not_yet(const RunArguments& a) {
  if (a.run != "reads") not_yet("--run " + a.run + " (replaying writes)");
  if (!a.map.empty()) not_yet("--map");
  if (!a.ramp.empty()) not_yet("--ramp");
  if (!a.calibrate.empty()) not_yet("--calibrate");
  if (!a.metrics.empty()) not_yet("--metrics");
  if (!a.resume.empty()) not_yet("--resume");
  if (a.dry_run) not_yet("--dry-run");
  if (a.aa) not_yet("--aa");
}

}  // namespace

void add_run_options(CLI::App& command, RunArguments& a) {
  command.add_option("--target", a.target, "The new stack: mysql://user@host:port/schema")->required()->type_name("URL");
  command.add_option("--reference", a.reference, "A server that stands in for production: a replica, a restored backup")->type_name("URL");
  command.add_option("--source", a.source, "Production itself; only asked who it is, so that it can't be the target")->type_name("URL");
  command.add_option("--defaults-file", a.defaults_file, "Option file with [darktap-target], [darktap-reference], [darktap-source]; readable by its owner only")->type_name("FILE");
  command.add_option("--run", a.run, "reads; writes and both are not there yet")->check(CLI::IsMember({"reads", "writes", "both"}))->capture_default_str();
  command.add_option("--sandbox", a.sandbox, "For writes")->check(CLI::IsMember({"rollback", "redirect", "disposable"}))->capture_default_str();
  command.add_option("--pace", a.pace, "recorded, Nx or max")->capture_default_str();
  command.add_option("--order", a.order, "session or none; commit is not there yet")->check(CLI::IsMember({"session", "commit", "none"}))->capture_default_str();
  command.add_option("--target-follows", a.target_follows, "Does the target follow production by replication?")->check(CLI::IsMember({"auto", "yes", "no"}))->capture_default_str();
  command.add_option("--allow", a.allow, "Effects or functions that may be sent all the same, by name")->type_name("NAME,…");
  command.add_option("--fail-on", a.fail_on, "Causes and differences that count, instead of the default ones")->type_name("CAUSE,…");
  command.add_option("--accept-rule", a.accept_rules, "A normalisation rule whose differences count as matches; may be given again")->type_name("NAME");
  command.add_option("--requery-rate", a.requery_rate, "Questions a second, to reference and target together")->check(CLI::Range(0.0, 100000.0))->capture_default_str();
  command.add_option("--requery-budget", a.requery_budget, "Questions a minute for one fingerprint")->capture_default_str();
  command.add_option("--connect-timeout", a.connect_timeout, "For the target and the reference")->capture_default_str();
  command.add_option("--statement-timeout", a.statement_timeout, "For one statement on the target")->capture_default_str();
  command.add_option("--latency-budget", a.latency_budget, "Round trips that a read and a write may take longer than in production")->type_name("READS,WRITES")->capture_default_str();
  command.add_option("--latency-floor", a.latency_floor, "What is slower by less is no regression, however short a round trip is")->capture_default_str();
  command.add_option("--memory", a.memory, "For exchanges that wait for the target")->capture_default_str();
  command.add_option("--map", a.map, "Not yet");
  command.add_option("--ramp", a.ramp, "Not yet");
  command.add_option("--calibrate", a.calibrate, "Not yet");
  command.add_option("--metrics", a.metrics, "Not yet");
  command.add_option("--resume", a.resume, "Not yet");
  command.add_option("--marker", a.marker, "For writes: the sandbox's marker table")->type_name("SCHEMA.TABLE");
  command.add_flag("--dry-run", a.dry_run, "Not yet");
  command.add_flag("--aa", a.aa, "Not yet");
  command.add_option("--store", a.store, "The SQLite store for the run's findings; made where it doesn't exist")->required()->type_name("FILE");
}

run::RunOptions run_options(const RunArguments& a, const std::string& mode) {
  refuse_what_is_not_yet(a);
  counting_of(a.fail_on);  // a misspelt name is told before the run, not after it
  run::RunOptions options;
  options.servers.target = login(client::Role::target, a.target, a.defaults_file);
  if (!a.reference.empty()) options.servers.reference = login(client::Role::reference, a.reference, a.defaults_file);
  if (!a.source.empty()) options.servers.source = login(client::Role::source, a.source, a.defaults_file);
  auto pace = replay::parse_pace(a.pace);
  if (!pace) throw Failure(FailureKind::usage, "--pace: " + pace.error());
  options.pace = *pace;
  auto order = replay::parse_order(a.order);
  if (!order) throw Failure(FailureKind::usage, "--order: " + order.error());
  options.order = *order;
  using Follows = compare::ComparerOptions::TargetFollows;
  options.judging.target_follows = a.target_follows == "yes" ? Follows::yes : a.target_follows == "no" ? Follows::no : Follows::automatic;
  options.judging.questions_per_second = a.requery_rate;
  options.judging.questions_per_fingerprint_minute = a.requery_budget;
  options.judging.accepted_rules = a.accept_rules;
  options.limits.connect = duration("--connect-timeout", a.connect_timeout);
  options.latency = latency_limits(a.latency_budget, a.latency_floor);
  options.limits.statement = duration("--statement-timeout", a.statement_timeout);
  auto memory = parse_size(a.memory);
  if (!memory || *memory < (1U << 20)) throw Failure(FailureKind::usage, "--memory " + a.memory + ": is not a size of at least 1MiB; write for example 128MiB");
  options.limits.queued_bytes = static_cast<std::size_t>(*memory);
  options.allowed = split_list(a.allow);
  options.store = a.store;
  options.mode = mode;
  options.build = DARKTAP_VERSION;
  options.tell = [](const std::string& line) { std::cerr << "darktap: " << line << '\n'; };
  return options;
}

run::OnProgress show_progress() {
  bool terminal = ::isatty(STDERR_FILENO) == 1;
  auto calls = std::make_shared<std::uint64_t>(0);
  return [terminal, calls](const run::Progress& p) {
    if (!terminal && (*calls)++ % 5 != 0) return;
    using store::Bin;
    std::uint64_t done = p.ledger.total();
    double seconds = std::chrono::duration<double>(p.elapsed).count();
    std::string of_total, eta;
    if (p.total > 0) {
      of_total = "/" + std::to_string(p.total);
      if (done > 0 && done < p.total) eta = ", ETA " + std::to_string(static_cast<int>(seconds * static_cast<double>(p.total - done) / static_cast<double>(done)) + 1) + " s";
    }
    char line[320];
    std::snprintf(line, sizeof line, "%5.0f s  %llu%s done, %.0f q/s, late p99 %.1f ms  compared %llu, skipped %llu, failed %llu, shed %llu  mismatches %llu (open %llu)%s%s", seconds,
                  static_cast<unsigned long long>(done), of_total.c_str(), p.sent_per_second, static_cast<double>(p.lateness_p99_us) / 1000,
                  static_cast<unsigned long long>(p.ledger.of(Bin::compared)), static_cast<unsigned long long>(p.ledger.of(Bin::skipped)),
                  static_cast<unsigned long long>(p.ledger.of(Bin::target_failed)), static_cast<unsigned long long>(p.ledger.of(Bin::shed)),
                  static_cast<unsigned long long>(p.mismatches), static_cast<unsigned long long>(p.open_cases), eta.c_str(),
                  p.kernel_drops > 0 ? (", kernel drops " + std::to_string(p.kernel_drops)).c_str() : "");
    if (terminal) std::cerr << "\r\033[K" << line << std::flush;
    else std::cerr << line << '\n';
  };
}

int conclude(const run::RunResult& result, const RunArguments& arguments) {
  if (::isatty(STDERR_FILENO) == 1) std::cerr << '\n';
  if (!result.note.empty()) std::cerr << "darktap: " << result.note << '\n';
  if (result.counters.tls_sessions > 0) std::cerr << "darktap: " << result.counters.tls_sessions << " sessions use TLS and can't be read; tap behind the TLS end point\n";
  if (result.counters.kernel_drops > 0) std::cerr << "darktap: the kernel dropped " << result.counters.kernel_drops << " packets; what they held is not in the ledger\n";
  if (!result.gave_up.empty()) std::cerr << "darktap: " << result.gave_up << '\n';
  store::RunReport report = store::StoreReader(arguments.store).report(result.run);
  bool counts = counting_of(arguments.fail_on).any(report);
  if (counts) return findings_count;
  if (!result.gave_up.empty()) return environment;
  if (result.end == run::RunResult::End::stopped) {
    std::cerr << "darktap: stopped before the recording's end: " << report.ledger.of(store::Bin::pending) << " exchanges were not reached\n";
    return environment;
  }
  return fine;
}

}  // namespace darktap::cli
