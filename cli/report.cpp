// darktap report: the findings of a run, or what is new against another.
#include "report/report.h"

#include <charconv>
#include <iostream>

#include "base/expected.h"
#include "command.h"
#include "store/store.h"

namespace darktap::cli {

namespace {

struct Options {
  std::string store, format = "text", fail_on;
  std::int64_t run = 0, baseline = 0;
};

int print_report(const Options& options) {
  report::Counting counting = counting_of(options.fail_on);
  store::StoreReader reader(options.store);
  std::int64_t id = options.run;
  if (id == 0) {
    auto latest = reader.latest_run();
    if (!latest) throw Failure(FailureKind::usage, options.store + ": holds no run yet; darktap replay or shadow makes one");
    id = *latest;
  }
  store::RunReport report = reader.report(id);
  if (options.baseline != 0) report = report::new_against(std::move(report), reader.report(options.baseline));
  if (options.format == "json") std::cout << report::to_json(report) << '\n';
  else if (options.format == "markdown") std::cout << report::to_markdown(report, counting);
  else if (options.format == "junit") std::cout << report::to_junit(report, counting);
  else std::cout << report::to_text(report, counting);
  return counting.any(report) ? findings_count : fine;
}

std::string is_run_number(const std::string& text) {
  std::int64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size() && number > 0) return "";
  return text + ": expected a run's number, such as 3";
}

}  // namespace

void add_report(CLI::App& app, Action& action) {
  static Options options;
  CLI::App* command = app.add_subcommand("report", "Print the findings of a run");
  command->add_option("STORE", options.store, "The store that a run wrote")->required();
  command->add_option("--run", options.run, "Which run; the newest by default")->check(CLI::Validator(is_run_number, ""))->type_name("ID");
  command->add_option("--baseline", options.baseline, "Only what is new against this run")->check(CLI::Validator(is_run_number, ""))->type_name("RUN");
  command->add_option("--format", options.format, "text, json, markdown or junit")->check(CLI::IsMember({"text", "json", "markdown", "junit"}))->capture_default_str();
  command->add_option("--fail-on", options.fail_on, "Causes and differences that count, instead of the default ones")->type_name("CAUSE,…");
  command->callback([&action] { action = [] { return print_report(options); }; });
}

}  // namespace darktap::cli
