// darktap check: recordings replayed one after the other, and one exit status for all of them, as a CI job wants it.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <list>

#include "accepted.h"
#include "base/expected.h"
#include "base/json.h"
#include "output_file.h"
#include "report/report.h"
#include "run_options.h"
#include "store/store.h"

namespace darktap::cli {

namespace {

struct Options {
  std::vector<std::string> files;
  std::string keylog, accept, junit, markdown, format = "text";
  std::vector<std::uint16_t> ports;
  RunArguments run;
};

// Where the findings lie while nobody asked for a store: only its owner can look into the folder, and it goes away.
class TemporaryStore {
 public:
  TemporaryStore() : folder_((std::filesystem::temp_directory_path() / "darktap-check-XXXXXX").string()) {
    if (::mkdtemp(folder_.data()) == nullptr) throw Failure(FailureKind::environment, folder_ + ": no folder can be made there; name a store with --store, or another folder in TMPDIR");
  }
  ~TemporaryStore() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  TemporaryStore(const TemporaryStore&) = delete;
  TemporaryStore& operator=(const TemporaryStore&) = delete;
  std::string path() const { return folder_ + "/check.db"; }

 private:
  std::string folder_;
};

// A recording, and what became of it.
struct Checked {
  std::string file;
  int status = environment;
  std::string error;  // why its end was not reached; empty where it was
  std::optional<store::RunReport> report;
};

// Before anything is sent: a job that names a file that isn't there has a mistake, not a finding.
void check_readable(const std::vector<std::string>& files) {
  for (const std::string& file : files) {
    std::error_code error;
    if (std::filesystem::is_directory(file, error)) throw Failure(FailureKind::environment, file + ": is a folder; name the recordings in it");
    int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) throw Failure(FailureKind::environment, file + ": can't be opened; check its name and its permissions (nothing was sent)");
    ::close(descriptor);
  }
}

std::string why_it_ended(const run::RunResult& result) {
  if (!result.limit_broken.empty()) return result.limit_broken;
  if (!result.gave_up.empty()) return result.gave_up;
  return result.end == run::RunResult::End::stopped ? "stopped before the recording's end" : "";
}

// A guard rail ends all of it: the next recording would be refused as well.
Checked check_one(const std::string& file, const run::InputOptions& input, const run::RunOptions& options, const report::Counting& counting, const run::OnProgress& progress) {
  Checked checked{.file = file, .status = environment, .error = {}, .report = {}};
  if (stop_requested) {
    checked.error = "stopped before it was begun";
    return checked;
  }
  std::cerr << "darktap: " << file << '\n';
  try {
    run::RunResult result = run::replay_recording(file, input, options, stop_requested, progress);
    tell_opaque(file, result.counters);
    checked.status = conclude(result, options.store, counting);
    checked.error = why_it_ended(result);
    checked.report = store::StoreReader(options.store).report(result.run);
  } catch (const Failure& failure) {
    if (failure.kind() == FailureKind::usage) throw;
    std::cerr << "darktap: " << failure.what() << '\n';
    checked.error = failure.what();
    checked.status = static_cast<int>(failure.kind());
  }
  return checked;
}

// A refusal before everything, then findings, then what failed.
int status_of(const std::list<Checked>& all) {
  for (int status : {guard_rail, findings_count, environment})
    if (std::ranges::any_of(all, [&](const Checked& one) { return one.status == status; })) return status;
  return fine;
}

std::vector<report::Suite> suites_of(const std::list<Checked>& all) {
  std::vector<report::Suite> suites;
  for (const Checked& one : all) suites.push_back({.name = one.file, .report = one.report ? &*one.report : nullptr, .error = one.error});
  return suites;
}

// What was accepted and didn't come: the list may grow shorter.
std::vector<std::string> unseen(const std::set<std::string, std::less<>>& accepted, const std::list<Checked>& all) {
  std::set<std::string, std::less<>> left = accepted;
  for (const Checked& one : all) {
    if (!one.report) continue;
    for (const store::Finding& finding : one.report->findings) left.erase(finding.id);
  }
  return {left.begin(), left.end()};
}

std::string as_json(const std::list<Checked>& all, int status, const std::vector<std::string>& not_seen) {
  JsonWriter json;
  json.begin_object().member("status", status).key("accepted_unseen").begin_array();
  for (const std::string& id : not_seen) json.string(id);
  json.end_array().key("recordings").begin_array();
  for (const Checked& one : all) {
    json.begin_object().member("file", one.file).member("status", one.status).key("error");
    if (one.error.empty()) json.null();
    else json.string(one.error);
    json.key("report");
    if (one.report) json.raw(report::to_json(*one.report));
    else json.null();
    json.end_object();
  }
  json.end_array().end_object();
  return json.take();
}

std::string as_text(const std::list<Checked>& all, const report::Counting& counting) {
  std::string text;
  for (const Checked& one : all) {
    text += one.file + "\n";
    if (one.report) text += report::to_text(*one.report, counting);
    if (!one.error.empty()) text += "  " + one.error + "\n";
    text += "\n";
  }
  auto good = std::ranges::count(all, static_cast<int>(fine), &Checked::status);
  return text + std::to_string(good) + " of " + std::to_string(all.size()) + (all.size() == 1 ? " recording" : " recordings") + " without findings that count\n";
}

int check(Options& options) {
  std::set<std::string, std::less<>> accepted;
  if (!options.accept.empty()) accepted = read_accepted(options.accept);
  report::Counting counting = counting_of(options.run.fail_on);
  counting.accept(accepted);
  std::optional<OutputFile> junit, markdown;
  if (!options.junit.empty()) junit.emplace(options.junit);
  if (!options.markdown.empty()) markdown.emplace(options.markdown);
  check_readable(options.files);
  std::optional<TemporaryStore> temporary;
  if (options.run.store.empty()) options.run.store = temporary.emplace().path();
  run::RunOptions run = run_options(options.run, "check");
  run::InputOptions input;
  input.ports = server_ports(options.ports);
  input.secrets = tls_secrets(options.keylog, run::TlsSecrets::Missing::refused);
  handle_stop_signals();
  run::OnProgress progress = show_progress(options.run);

  std::list<Checked> all;
  for (const std::string& file : options.files) {
    all.push_back(check_one(file, input, run, counting, progress));
    if (all.back().status == guard_rail) break;
  }
  int status = status_of(all);
  std::vector<std::string> not_seen = unseen(accepted, all);
  if (junit) junit->finish(report::to_junit(suites_of(all), counting));
  if (markdown) markdown->finish(report::to_markdown(suites_of(all), counting));
  if (options.format == "json") std::cout << as_json(all, status, not_seen) << '\n';
  else std::cout << as_text(all, counting);
  if (!not_seen.empty()) {
    std::cerr << "darktap: " << not_seen.size() << " of " << accepted.size() << " accepted findings did not come; take them out of " << options.accept << ":";
    for (std::size_t i = 0; i < std::min<std::size_t>(not_seen.size(), 5); ++i) std::cerr << ' ' << not_seen[i];
    std::cerr << (not_seen.size() > 5 ? " …\n" : "\n");
  }
  return status;
}

}  // namespace

void add_check(CLI::App& app, Action& action) {
  static Options options;
  CLI::App* command = app.add_subcommand("check", "CI: replay recordings against a target, and say by the exit status whether findings count");
  command->add_option("FILE", options.files, "Recordings or capture files, run one after the other")->required();
  command->add_option("--accept", options.accept, "Findings that don't count: a report as JSON, or {\"accepted\": [ID, …]}")->type_name("ACCEPTED.json");
  command->add_option("--junit", options.junit, "A test suite a recording, for the CI server; holds production's rows, made readable by its owner only")->type_name("OUT.xml");
  command->add_option("--markdown", options.markdown, "The same for a pull request")->type_name("OUT.md");
  add_ports(*command, options.ports);
  add_keylog(*command, options.keylog);
  add_run_options(*command, options.run);
  command->get_option("--store")->required(false)->description("Keep the runs in this store (default: none is kept)");
  add_recording_options(*command, options.run);
  command->remove_option(command->get_option("--resume"));
  command->add_option("--format", options.format, "Of what is printed at the end")->check(CLI::IsMember({"text", "json"}))->capture_default_str();
  command->callback([&action] { action = [] { return check(options); }; });
}

}  // namespace darktap::cli
