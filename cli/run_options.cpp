#include "run_options.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <iostream>
#include <memory>

#include "base/expected.h"
#include "compare/rules.h"
#include "replay/sandbox.h"
#include "report/report.h"
#include "run/metrics.h"
#include "store/store.h"

namespace darktap::cli {

namespace {

// What the command line says of TLS goes before the option file.
void add_tls(client::Role role, const RunArguments::Tls& a, client::TlsOptions& tls) {
  using Mode = client::TlsOptions::Mode;
  std::string option = "--" + std::string(client::to_string(role)) + "-ssl-mode";
  if (!a.ca.empty()) tls.ca = a.ca;
  if (!a.cert.empty()) tls.cert = a.cert;
  if (!a.key.empty()) tls.key = a.key;
  bool has_files = !a.ca.empty() || !a.cert.empty() || !a.key.empty();
  if (!a.mode.empty()) {
    auto mode = client::parse_tls_mode(a.mode);
    if (!mode) throw Failure(FailureKind::usage, option + " " + a.mode + ": is not one of disabled, preferred, required, verify_identity (which verifies the authority, too)");
    tls.mode = *mode;
  } else if (has_files && tls.mode == Mode::disabled) {
    tls.mode = Mode::required;
  }
  if (tls.cert.empty() != tls.key.empty()) throw Failure(FailureKind::usage, option + ": a client certificate needs both -cert and -key");
  for (const std::string* file : {&tls.ca, &tls.cert, &tls.key})
    if (!file->empty() && ::access(file->c_str(), R_OK) != 0) throw Failure(FailureKind::usage, *file + ": can't be read; check --" + std::string(client::to_string(role)) + "-ssl-ca, -cert and -key, and the option file");
}

client::Login login(client::Role role, const std::string& text, const std::string& defaults_file, const RunArguments::Tls& tls) {
  auto url = client::parse_server_url(text);
  if (!url) throw Failure(FailureKind::usage, "--" + std::string(client::to_string(role)) + ": " + url.error());
  auto login = client::read_login(role, *url, defaults_file.empty() ? std::nullopt : std::optional(defaults_file));
  if (!login) throw Failure(FailureKind::usage, login.error());
  add_tls(role, tls, login->tls);
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

}  // namespace

void add_run_options(CLI::App& command, RunArguments& a) {
  command.add_option("--target", a.target, "The new stack: mysql://user@host:port/schema")->required()->type_name("URL");
  command.add_option("--reference", a.reference, "A server that stands in for production: a replica, a restored backup")->type_name("URL");
  command.add_option("--source", a.source, "Production itself; only asked who it is, so that it can't be the target")->type_name("URL");
  command.add_option("--defaults-file", a.defaults_file, "Option file with [darktap-target], [darktap-reference], [darktap-source]; readable by its owner only")->type_name("FILE");
  auto add_tls_options = [&](const std::string& side, RunArguments::Tls& tls) {
    command.add_option("--" + side + "-ssl-mode", tls.mode, "disabled (the default), preferred, required or verify_identity")->type_name("MODE");
    command.add_option("--" + side + "-ssl-ca", tls.ca, "Authorities whose certificates are trusted")->type_name("FILE");
    command.add_option("--" + side + "-ssl-cert", tls.cert, "Our certificate")->type_name("FILE");
    command.add_option("--" + side + "-ssl-key", tls.key, "Its key")->type_name("FILE");
  };
  add_tls_options("target", a.target_tls);
  command.add_flag("--target-compress", a.compress, "Compress what goes between here and the target, where it can");
  add_tls_options("reference", a.reference_tls);
  add_tls_options("source", a.source_tls);
  command.add_option("--run", a.run, "reads, writes or both; for writes the target must be marked as a sandbox")->check(CLI::IsMember({"reads", "writes", "both"}))->capture_default_str();
  command.add_option("--sandbox", a.sandbox, "For writes: rollback runs each transaction and rolls it back, disposable keeps what was written, redirect runs on copies of the schemas that it makes")->check(CLI::IsMember({"rollback", "redirect", "disposable"}))->capture_default_str();
  command.add_option("--pace", a.pace, "recorded, Nx or max")->capture_default_str();
  command.add_option("--order", a.order, "session: each in its own order; commit: after the commits that it had seen; none")->check(CLI::IsMember({"session", "commit", "none"}))->capture_default_str();
  command.add_option("--target-follows", a.target_follows, "Does the target follow production by replication?")->check(CLI::IsMember({"auto", "yes", "no"}))->capture_default_str();
  command.add_option("--allow", a.allow, "Effects or functions that may be sent all the same, by name")->type_name("NAME,…");
  command.add_option("--fail-on", a.fail_on, "Causes and differences that count, instead of the default ones")->type_name("CAUSE,…");
  command.add_option("--accept-rule", a.accept_rules, "A normalisation rule whose differences count as matches; may be given again")->type_name("NAME");
  command.add_option("--requery-rate", a.requery_rate, "Questions a second, to reference and target together")->check([](const std::string& text) { return text.find_first_not_of("0123456789.") == std::string::npos ? std::string() : text + " is not a number of questions from 0 to 100000"; })->check(CLI::Range(0.0, 100000.0))->capture_default_str();
  command.add_option("--requery-budget", a.requery_budget, "Questions a minute for one fingerprint")->capture_default_str();
  command.add_option("--connect-timeout", a.connect_timeout, "For the target and the reference")->capture_default_str();
  command.add_option("--statement-timeout", a.statement_timeout, "For one statement on the target")->capture_default_str();
  command.add_option("--latency-budget", a.latency_budget, "Round trips that a read and a write may take longer than in production")->type_name("READS,WRITES")->capture_default_str();
  command.add_option("--latency-floor", a.latency_floor, "What is slower by less is no regression, however short a round trip is")->capture_default_str();
  command.add_option("--max-error-rate", a.max_error_rate, "Of the target's answers in a second, as 20%; beyond a limit the run eases off, and stops with exit 4 where it was given here (default: 90%, eases off only)")->type_name("PERCENT");
  command.add_option("--max-latency", a.max_latency, "The target's p95 in a second")->type_name("DURATION");
  command.add_option("--max-threads-running", a.max_threads_running, "On the target")->check(CLI::Range(1U, 1'000'000U))->type_name("N");
  command.add_option("--max-lag", a.max_lag, "Of the target's replication")->type_name("DURATION");
  command.add_option("--max-target-memory", a.max_target_memory, "That the target says it uses (MariaDB)")->type_name("SIZE");
  command.add_option("--breaker-patience", a.breaker_patience, "How long a run eases off before a limit stops it")->capture_default_str();
  command.add_option("--memory", a.memory, "For exchanges that wait for the target")->capture_default_str();
  command.add_option("--map", a.map, "[HOST:PORT/]SCHEMA=SCHEMA or SCHEMA.TABLE=SCHEMA.TABLE: what is called otherwise on the target; # on the left stands for a number; may be given again")->delimiter(',')->type_name("FROM=TO,…");
  command.add_option("--map-user", a.map_users, "As which of the target's users a captured user's sessions are replayed; * stands for all others; passwords as [darktap-target-NAME] in the option file, or DARKTAP_TARGET_PASSWORD_NAME; may be given again")->delimiter(',')->type_name("USER=NAME,…");
  command.add_option("--ramp", a.ramp, "Load that rises by whole sessions, as in 1%..100%/10m")->type_name("FROM..TO/DURATION");
  command.add_option("--target-connections", a.target_connections, "Connections to the target at most; sessions share them, their state restored (default: one a session)")->check(CLI::Range(1U, 1'000'000U))->type_name("N");
  command.add_option("--calibrate", a.calibrate, "The first so many reads are asked twice of the reference, to learn which statements it answers differently itself")->check(CLI::Range(1U, 1'000'000U))->type_name("READS");
  command.add_option("--metrics", a.metrics, "Serve the run's figures to Prometheus at /metrics; loopback only")->type_name("ADDR:PORT");
  command.add_option("--marker", a.marker, "For writes: the sandbox's marker table")->type_name("SCHEMA.TABLE");
  command.add_flag("--aa", a.aa, "The target is meant to be the reference (which it is where none is given), or its like: reads only, to learn how a server differs from itself");
  command.add_option("--store", a.store, "The SQLite store for the run's findings; made where it doesn't exist")->required()->type_name("FILE");
  command.add_option("--store-limit", a.store_limit, "How large the store may grow: runs that have ended go first, the oldest before others, then the examples of this one; 0 for no limit")->type_name("SIZE")->capture_default_str();
}

void add_recording_options(CLI::App& command, RunArguments& a) {
  command.add_option("--max-idle", a.max_idle, "Where the recording is silent for longer, the rest of the silence is left out")->type_name("DURATION");
  command.add_option("--from", a.from, "Only what was asked from this time on (RFC 3339, UTC)")->type_name("TIME");
  command.add_option("--to", a.to, "Only what was asked before this time (RFC 3339, UTC)")->type_name("TIME");
  command.add_option("--session", a.sessions, "Only this session, by inspect's number; may be given again")->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 62))->type_name("N");
  command.add_option("--user", a.users, "Only sessions of this user; may be given again")->type_name("NAME");
  command.add_option("--fingerprint", a.fingerprints, "Only statements of this fingerprint, and session state; may be given again")->type_name("HEX");
  command.add_option("--resume", a.resume, "Go on with this run of the store, which was stopped or whose writer died: each exchange is counted once")
      ->check([](const std::string& text) { return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos && text != "0" ? std::string() : "'" + text + "' is no run's number; runs of a store are numbered from 1"; })->type_name("RUN");
  command.add_option("--loops", a.loops, "How many times the recording is run, one after the other")->check(CLI::Range(1U, 1'000'000U))->capture_default_str();
}

namespace {

run::BreakerLimits breaker(const RunArguments& a) {
  run::BreakerLimits limits;
  if (!a.max_error_rate.empty()) {
    std::string_view text = a.max_error_rate;
    if (text.ends_with('%')) text.remove_suffix(1);
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limits.error_percent);
    if (error != std::errc{} || end != text.data() + text.size() || !(limits.error_percent >= 0 && limits.error_percent <= 100))
      throw Failure(FailureKind::usage, "--max-error-rate " + a.max_error_rate + ": is not a share; write for example 20%");
    limits.error_limit = run::BreakerLimits::ErrorLimit::by_user;
  }
  if (!a.max_latency.empty()) limits.latency_p95 = duration("--max-latency", a.max_latency);
  if (a.max_threads_running > 0) limits.threads_running = a.max_threads_running;
  if (!a.max_lag.empty()) {
    auto lag = duration("--max-lag", a.max_lag);
    if (lag < std::chrono::seconds(1)) throw Failure(FailureKind::usage, "--max-lag " + a.max_lag + ": servers tell their lag in whole seconds; give 1s at least");
    limits.replication_lag = std::chrono::duration_cast<std::chrono::seconds>(lag);
  }
  if (!a.max_target_memory.empty()) {
    auto size = parse_size(a.max_target_memory);
    if (!size) throw Failure(FailureKind::usage, "--max-target-memory " + a.max_target_memory + ": is not a size; write for example 8GiB");
    limits.memory_bytes = *size;
  }
  limits.patience = std::chrono::duration_cast<std::chrono::seconds>(duration("--breaker-patience", a.breaker_patience));
  return limits;
}

std::optional<CaptureTime> moment(const char* option, const std::string& text) {
  if (text.empty()) return std::nullopt;
  auto parsed = parse_rfc3339(text);
  if (!parsed) throw Failure(FailureKind::usage, std::string(option) + " " + text + ": is not a time; write for example 2026-11-21T03:05:52Z, as inspect prints it");
  return parsed;
}

std::vector<std::string> accepted_rules(const std::vector<std::string>& names) {
  const auto known = compare::normalization_rules();
  for (const std::string& name : names) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    std::string list;
    for (std::string_view rule : known) list += (list.empty() ? "" : ", ") + std::string(rule);
    throw Failure(FailureKind::usage, "--accept-rule " + name + ": is no rule; there are " + list);
  }
  return names;
}

run::Selection selection(const RunArguments& a) {
  run::Selection result;
  result.from = moment("--from", a.from);
  result.to = moment("--to", a.to);
  if (result.from && result.to && *result.from >= *result.to) throw Failure(FailureKind::usage, "--from " + a.from + " is not before --to " + a.to);
  result.sessions.insert(a.sessions.begin(), a.sessions.end());
  result.users.insert(a.users.begin(), a.users.end());
  for (const std::string& text : a.fingerprints) {
    std::uint64_t value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
    if (error != std::errc{} || end != text.data() + text.size() || text.size() != 16)
      throw Failure(FailureKind::usage, "--fingerprint " + text + ": is not a fingerprint; inspect prints them, 16 hex digits each");
    result.fingerprints.insert(value);
  }
  return result;
}

}  // namespace

run::RunOptions run_options(const RunArguments& a, const std::string& mode) {
  counting_of(a.fail_on);  // a misspelt name is told before the run, not after it
  run::RunOptions options;
  options.servers.target = login(client::Role::target, a.target, a.defaults_file, a.target_tls);
  if (a.compress) options.servers.target.compression = client::Compression::where_possible;
  if (!a.reference.empty()) options.servers.reference = login(client::Role::reference, a.reference, a.defaults_file, a.reference_tls);
  if (a.aa && a.reference.empty()) options.servers.reference = options.servers.target;  // one server against itself
  if (!a.source.empty()) options.servers.source = login(client::Role::source, a.source, a.defaults_file, a.source_tls);
  auto pace = replay::parse_pace(a.pace);
  if (!pace) throw Failure(FailureKind::usage, "--pace: " + pace.error());
  options.pace = *pace;
  if (!a.ramp.empty()) {
    auto ramp = replay::parse_ramp(a.ramp);
    if (!ramp) throw Failure(FailureKind::usage, ramp.error());
    options.ramp = *ramp;
  }
  if (!a.max_idle.empty()) options.longest_idle = duration("--max-idle", a.max_idle);
  options.loops = a.loops;
  if (a.resume > 0) options.resume = a.resume;
  if (a.resume > 0 && a.loops > 1) throw Failure(FailureKind::usage, "--resume with --loops: a run of several rounds is not resumed");
  options.selection = selection(a);
  options.limits.connections = a.target_connections;
  auto order = replay::parse_order(a.order);
  if (!order) throw Failure(FailureKind::usage, "--order: " + order.error());
  options.order = *order;
  if (mode == "shadow" && options.order == replay::Order::commit) throw Failure(FailureKind::usage, "--order commit: a shadow sends each command when it comes; capture first, and replay the recording in this order");
  using Follows = compare::ComparerOptions::TargetFollows;
  options.judging.target_follows = a.target_follows == "yes" ? Follows::yes : a.target_follows == "no" ? Follows::no : Follows::automatic;
  options.judging.questions_per_second = a.requery_rate;
  options.judging.questions_per_fingerprint_minute = a.requery_budget;
  options.judging.accepted_rules = accepted_rules(a.accept_rules);
  options.judging.calibrate = a.calibrate;
  if (a.calibrate > 0 && !options.servers.reference) throw Failure(FailureKind::usage, "--calibrate " + std::to_string(a.calibrate) + ": it is the reference that is asked twice; give --reference");
  options.limits.connect = duration("--connect-timeout", a.connect_timeout);
  options.latency = latency_limits(a.latency_budget, a.latency_floor);
  options.limits.statement = duration("--statement-timeout", a.statement_timeout);
  options.breaker = breaker(a);
  auto memory = parse_size(a.memory);
  if (!memory || *memory < (1U << 20)) throw Failure(FailureKind::usage, "--memory " + a.memory + ": is not a size of at least 1MiB; write for example 128MiB");
  options.limits.queued_bytes = static_cast<std::size_t>(*memory);
  options.aa = a.aa;
  if (a.aa && a.run != "reads") throw Failure(FailureKind::guard_rail, "--aa with --run " + a.run + ": a server is compared with itself by reads only; leave --run out");
  options.allowed = split_list(a.allow);
  if (a.run != "reads") options.writes.kept = a.sandbox == "disposable" ? replay::Writes::applied : a.sandbox == "redirect" ? replay::Writes::redirected : replay::Writes::rolled_back;
  if (mode == "shadow" && options.writes.kept == replay::Writes::redirected) throw Failure(FailureKind::usage, "--sandbox redirect: a shadow can't know which schemas will be written to; capture first, and replay the recording");
  options.writes.reads_too = a.run != "writes";
  if (!a.marker.empty()) {
    if (auto marker = replay::parse_marker(a.marker); !marker) throw Failure(FailureKind::usage, marker.error());
    options.writes.marker = a.marker;
  }
  for (const std::string& text : a.map) {
    auto rule = replay::parse_map_rule(text);
    if (!rule) throw Failure(FailureKind::usage, rule.error());
    if (std::any_of(options.map.begin(), options.map.end(), [&](const replay::MapRule& other) { return other.same_source(*rule); }))
      throw Failure(FailureKind::usage, "--map " + text + ": " + text.substr(0, text.find('=')) + " is mapped twice");
    options.map.push_back(std::move(*rule));
  }
  for (const std::string& text : a.map_users) {
    auto equals = text.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) throw Failure(FailureKind::usage, "--map-user " + text + ": expected USER=NAME: as captured, and as the target calls it");
    auto login = client::read_login_as(text.substr(equals + 1), options.servers.target, a.defaults_file.empty() ? std::nullopt : std::optional(a.defaults_file));
    if (!login) throw Failure(FailureKind::usage, login.error());
    if (!options.users.emplace(text.substr(0, equals), *login).second) throw Failure(FailureKind::usage, "--map-user " + text + ": " + text.substr(0, equals) + " is mapped twice");
  }
  options.store = a.store;
  auto store_limit = a.store_limit == "0" ? std::optional<std::uint64_t>(0) : parse_size(a.store_limit);
  if (!store_limit || (*store_limit != 0 && *store_limit < store::smallest_store_limit))
    throw Failure(FailureKind::usage, "--store-limit " + a.store_limit + ": is neither 0 nor a size of at least 1MiB; write for example 10GiB");
  options.store_limit = *store_limit;
  options.mode = mode;
  options.build = DARKTAP_VERSION;
  options.tell = [](const std::string& line) { std::cerr << "darktap: " << line << '\n'; };
  return options;
}

namespace {

// What a run still does when all is sent.
std::string questions_left(const run::Progress& p) {
  if (p.total == 0 || p.ledger.total() < p.total || p.open_cases == 0) return "";
  std::string line = ", " + std::to_string(p.open_cases) + " cases open";
  if (p.questions_per_second <= 0) return line;
  double a_case = p.mismatches > 0 ? static_cast<double>(p.questions) / static_cast<double>(p.mismatches) : 0;
  a_case = std::max(a_case, 2.0);  // most of those before were told without
  return line + ", ~" + std::to_string(static_cast<int>(a_case * static_cast<double>(p.open_cases) / p.questions_per_second) + 1) + " s by the question rate";
}

std::string progress_line(const run::Progress& p) {
  using store::Bin;
  auto count = [](std::uint64_t n) { return static_cast<unsigned long long>(n); };
  std::uint64_t done = p.ledger.total();
  double seconds = std::chrono::duration<double>(p.elapsed).count();
  std::string of_total, eta, recorded, drops;
  if (p.total > 0) {
    of_total = "/" + std::to_string(p.total);
    if (done > 0 && done < p.total) eta = ", ETA " + std::to_string(static_cast<int>(seconds * static_cast<double>(p.total - done) / static_cast<double>(done)) + 1) + " s";
  }
  if (p.recorded_per_second > 0) recorded = " (recorded: " + std::to_string(static_cast<std::uint64_t>(p.recorded_per_second)) + ")";
  eta += questions_left(p);
  if (p.kernel_drops > 0) drops = ", kernel drops " + std::to_string(p.kernel_drops);
  char line[400];
  std::snprintf(line, sizeof line, "%5.0f s  %llu%s done, %.0f q/s%s, late p99 %.1f ms  compared %llu, skipped %llu, failed %llu, shed %llu, errors %llu  mismatches %llu (open %llu)%s%s",
                seconds, count(done), of_total.c_str(), p.sent_per_second, recorded.c_str(), static_cast<double>(p.lateness.quantile(0.99)) / 1000, count(p.ledger.of(Bin::compared)),
                count(p.ledger.of(Bin::skipped)), count(p.ledger.of(Bin::target_failed)), count(p.ledger.of(Bin::shed)), count(p.errors), count(p.mismatches), count(p.open_cases),
                eta.c_str(), drops.c_str());
  return p.eased.empty() ? line : line + ("; eased off: " + p.eased);
}

}  // namespace

run::OnProgress show_progress(const RunArguments& arguments) {
  bool terminal = ::isatty(STDERR_FILENO) == 1;
  auto calls = std::make_shared<std::uint64_t>(0);
  std::shared_ptr<run::MetricsServer> metrics;
  if (!arguments.metrics.empty()) {
    metrics = std::make_shared<run::MetricsServer>(arguments.metrics);
    std::cerr << "darktap: metrics: http://" << metrics->address() << "/metrics\n";
  }
  return [terminal, calls, metrics](std::int64_t run, const run::Progress& p) {
    if (metrics) metrics->publish(run::to_prometheus(p, run));
    if (!terminal && (*calls)++ % 5 != 0) return;
    std::string line = progress_line(p);
    if (terminal) std::cerr << "\r\033[K" << line << std::flush;
    else std::cerr << line << '\n';
  };
}

int conclude(const run::RunResult& result, const std::string& store, const report::Counting& counting) {
  if (::isatty(STDERR_FILENO) == 1) std::cerr << '\n';
  if (!result.note.empty()) std::cerr << "darktap: " << result.note << '\n';
  if (result.counters.tls_sessions > 0) std::cerr << "darktap: " << result.counters.tls_sessions << " sessions use TLS and can't be read; tap behind the TLS end point\n";
  if (result.counters.kernel_drops > 0) std::cerr << "darktap: the kernel dropped " << result.counters.kernel_drops << " packets; what they held is not in the ledger\n";
  if (!result.gave_up.empty()) std::cerr << "darktap: " << result.gave_up << '\n';
  if (!result.limit_broken.empty()) {
    std::cerr << "darktap: " << result.limit_broken << '\n';
    return guard_rail;
  }
  store::RunReport report = store::StoreReader(store).report(result.run);
  if (counting.any(report)) return findings_count;
  if (!result.gave_up.empty()) return environment;
  if (result.end == run::RunResult::End::stopped) {
    std::cerr << "darktap: stopped before the recording's end: " << report.ledger.of(store::Bin::pending) << " exchanges were not reached\n";
    return environment;
  }
  return fine;
}

}  // namespace darktap::cli
