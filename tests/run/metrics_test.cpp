// The figures for Prometheus: valid by a parser of the text format, and served to loopback alone.
#include "run/metrics.h"

#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "base/expected.h"
#include "test_support/catch.h"

using namespace darktap;
using namespace darktap::run;

namespace {

// Every sample by its name and labels; fails the test on a line that the format doesn't have.
std::map<std::string, double> parse(const std::string& text) {
  static const std::regex help("# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) .+"), type("# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|summary|histogram|untyped)");
  static const std::regex sample(R"(([a-zA-Z_:][a-zA-Z0-9_:]*)(\{([a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\["\\n])*",?)*\})? (-?[0-9.]+(e[+-]?[0-9]+)?|NaN))");
  std::map<std::string, double> samples;
  std::set<std::string> typed;
  CHECK(text.ends_with('\n'));
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    INFO(line);
    std::smatch match;
    if (line.starts_with("# HELP")) {
      CHECK(std::regex_match(line, help));
    } else if (line.starts_with("# TYPE")) {
      REQUIRE(std::regex_match(line, match, type));
      CHECK(typed.insert(match[1]).second);
    } else {
      REQUIRE(std::regex_match(line, match, sample));
      std::string name = match[1], family = name;
      for (const char* suffix : {"_sum", "_count"})
        if (name.ends_with(suffix) && typed.contains(name.substr(0, name.size() - std::string(suffix).size()))) family = name.substr(0, name.size() - std::string(suffix).size());
      CHECK(typed.contains(family));
      CHECK(samples.emplace(name + match[2].str(), std::stod(match[5])).second);
    }
  }
  return samples;
}

}  // namespace

TEST_CASE("The metrics are valid text of the format, and say what the progress says") {
  Progress progress;
  progress.total = 100;
  progress.ledger.add(store::Bin::compared, 40);
  progress.ledger.add(store::Bin::skipped, "write", 5);
  progress.sent = 41;
  progress.errors = 3;
  progress.lateness.record(2'000, 10);
  progress.lateness_sum_us = 20'000;
  progress.mismatches_by[{"row_values", "defect"}] = 2;
  progress.mismatches_by[{"odd\"one", "back\\slash\nline"}] = 1;
  auto samples = parse(to_prometheus(progress, 7));
  CHECK(samples.at(R"(darktap_exchanges{run="7",bin="compared"})") == 40);
  CHECK(samples.at(R"(darktap_exchanges{run="7",bin="skipped"})") == 5);
  CHECK(samples.at(R"(darktap_exchanges{run="7",bin="pending"})") == 0);
  CHECK(samples.at(R"(darktap_done_total{run="7"})") == 45);
  CHECK(samples.at(R"(darktap_mismatches_total{run="7",difference="row_values",cause="defect"})") == 2);
  CHECK(samples.at(R"(darktap_lateness_seconds_count{run="7"})") == 10);
  CHECK(samples.at(R"(darktap_lateness_seconds_sum{run="7"})") == 0.02);
  CHECK(samples.at(R"(darktap_errors_total{run="7"})") == 3);
}

TEST_CASE("The metrics are served on loopback alone") {
  MetricsServer server("127.0.0.1:0");
  CHECK(server.address().starts_with("127.0.0.1:"));
  for (const char* wrong : {"0.0.0.0:9104", "192.0.2.1:9104", "[::]:9104", "example.org:9104", "127.0.0.1:x", ""}) {
    INFO(wrong);
    CHECK_THROWS_AS(MetricsServer(wrong), Failure);
  }
  CHECK_THROWS_AS(MetricsServer(server.address()), Failure);  // taken
}
