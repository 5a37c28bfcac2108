#include "report/report.h"

#include <nlohmann/json.hpp>

#include <algorithm>

#include "base/json.h"

#include "test_support/catch.h"

using namespace darktap;
using compare::Cause;
using compare::Difference;
using report::Counting;

namespace {

CaptureTime at(std::int64_t nanoseconds) { return CaptureTime(std::chrono::nanoseconds(1'763'694'000'000'000'000 + nanoseconds)); }

store::Finding finding(std::string id, Difference difference, Cause cause) {
  store::Finding made;
  made.id = std::move(id);
  made.fingerprint = 0xabc;
  made.normalized = "SELECT name FROM users WHERE id = ?";
  made.difference = difference;
  made.cause = cause;
  made.events = 2;
  made.executions = 10;
  made.examined = 2;
  made.first_time = at(1);
  made.last_time = at(2);
  made.evidence = R"({"why":"test"})";
  store::Example example;
  example.exchange = {SessionId{3}, 4};
  example.time = at(1);
  example.sql = "SELECT name FROM users WHERE id = 7";
  example.parameters = "[]";
  example.source_answer = R"({"outcome":"rows","rows":[["a"]]})";
  example.target_answer = R"({"outcome":"rows","rows":[["b"]]})";
  example.evidence = R"({"why":"test"})";
  example.file = "shop.pcap";
  example.packet = 99;
  made.examples.push_back(example);
  return made;
}

store::RunReport sample_report() {
  store::RunReport made;
  made.run.id = 7;
  made.run.mode = "replay";
  made.run.pace = "recorded";
  made.run.order = "session";
  made.run.started = at(0);
  made.run.finished = at(1'500'000'000);
  made.run.source = "10.0.0.1:3306";
  made.run.target = "10.0.0.2:3306";
  made.run.target_follows = "yes";
  made.run.build = "0.1.0";
  made.run.questions["target"] = {5, 700};
  made.ledger.add(store::Bin::compared, 1100);
  made.ledger.add(store::Bin::skipped, "write", 80);
  made.ledger.add(store::Bin::skipped, "unsafe: user_lock", 10);
  made.coverage = {.exchanges = 1190, .compared = 1100, .fingerprints = 3, .fingerprints_compared = 2, .server_questions = std::nullopt};
  store::LatencyRow row{.fingerprint = 0xabc, .side = compare::Side::source, .vantage = store::Vantage::tap, .histogram = {}};
  for (std::uint64_t i = 1; i <= 100; ++i) row.histogram.record(i);
  made.latency.push_back(row);
  row.side = compare::Side::target;
  row.vantage = store::Vantage::client;
  made.latency.push_back(row);
  made.findings = {finding("1111111111111111", Difference::row_values, Cause::defect),
                   finding("2222222222222222", Difference::row_order, Cause::order_undefined)};
  return made;
}

std::vector<std::string> keys(const nlohmann::ordered_json& object) {
  std::vector<std::string> names;
  for (const auto& [key, value] : object.items()) names.push_back(key);
  return names;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("the JSON report has every key of the contract") {
  auto json = nlohmann::ordered_json::parse(report::to_json(sample_report()));
  CHECK(keys(json) == Names{"run", "ledger", "ledger_reasons", "coverage", "latency", "findings", "staleness"});
  CHECK(keys(json["run"]) == Names{"id", "mode", "pace", "order", "started", "finished", "source", "target", "reference", "target_follows", "build", "questions", "round_trips", "examples_left_out"});
  CHECK(keys(json["ledger"]) == Names{"observed", "compared", "skipped", "shed", "unobserved", "opaque", "undecodable", "target_failed", "pending"});
  CHECK(keys(json["coverage"]) == Names{"exchanges", "compared", "fingerprints", "fingerprints_compared", "server_questions"});
  CHECK(keys(json["latency"][0]) == Names{"fingerprint", "side", "vantage", "n", "p50_us", "p95_us", "p99_us", "p999_us", "max_us"});
  CHECK(keys(json["findings"][0]) == Names{"id", "fingerprint", "normalized", "difference", "cause", "level", "events", "executions", "examined", "first_time", "last_time", "status", "evidence", "examples"});
  CHECK(keys(json["findings"][0]["examples"][0]) == Names{"session", "seq", "time", "sql", "params", "source", "target", "evidence", "session_strip", "explain", "provenance"});
}

TEST_CASE("the JSON report's values are the run's") {
  auto json = nlohmann::json::parse(report::to_json(sample_report()));
  CHECK(json["run"]["started"] == "2025-11-21T03:00:00.000000000Z");
  CHECK(json["run"]["finished"] == "2025-11-21T03:00:01.500000000Z");
  CHECK(json["run"]["reference"].is_null());
  CHECK(json["run"]["questions"]["target"] == nlohmann::json({{"n", 5}, {"time_us", 700}}));
  CHECK(json["run"]["questions"]["source"]["n"] == 0);
  CHECK(json["ledger_reasons"]["skipped"]["unsafe: user_lock"] == 10);
  std::uint64_t sum = 0;
  for (const auto& n : json["ledger"]) sum += n.get<std::uint64_t>();
  CHECK(sum == json["coverage"]["exchanges"]);
  CHECK(json["coverage"]["server_questions"].is_null());
  CHECK(json["latency"][0]["fingerprint"] == "0000000000000abc");
  CHECK(json["latency"][0]["p50_us"] == 50);
  CHECK(json["latency"][0]["max_us"] == 100);
  const auto& example = json["findings"][0]["examples"][0];
  CHECK(example["source"]["rows"][0][0] == "a");
  CHECK(example["provenance"] == nlohmann::json({{"file", "shop.pcap"}, {"packet", 99}}));
  CHECK(json["findings"][0]["evidence"]["why"] == "test");
  CHECK(json["findings"][0]["status"] == "open");
}

TEST_CASE("an interrupted run's finished is null, and an empty run has every key") {
  store::RunReport empty;
  auto json = nlohmann::json::parse(report::to_json(empty));
  CHECK(json["run"]["finished"].is_null());
  CHECK(json["ledger"].size() == store::bin_count);
  CHECK(json["findings"].is_array());
  CHECK(json["latency"].is_array());
}

TEST_CASE("by default defects, violated order, stale reads, unsupported, regressions and timeouts count") {
  Counting counting;
  for (std::size_t cause = 0; cause <= static_cast<std::size_t>(Cause::unexamined); ++cause) {
    for (std::size_t difference = 0; difference <= static_cast<std::size_t>(Difference::timeout); ++difference) {
      auto c = static_cast<Cause>(cause);
      auto d = static_cast<Difference>(difference);
      CHECK(counting.counts(finding("x", d, c)) == compare::counts_by_default(d, c));
    }
  }
}

TEST_CASE("the list of --fail-on replaces what counts by the named causes and differences") {
  store::RunReport run = sample_report();
  CHECK(Counting().of(run).size() == 1);
  CHECK(Counting::parse("order_undefined").of(run).at(0)->id == "2222222222222222");
  CHECK(Counting::parse("row_values, order_undefined").of(run).size() == 2);
  CHECK_FALSE(Counting::parse("none").any(run));
  for (const char* wrong : {"", "defects", "defect,", "none,defect", "defect;timeout"}) {
    try {
      Counting::parse(wrong);
      FAIL("accepted: " << wrong);
    } catch (const Failure& failure) {
      CHECK(failure.kind() == FailureKind::usage);
      CHECK(std::string(failure.what()).find("latency_regression") != std::string::npos);
    }
  }
}

TEST_CASE("against a baseline only findings that it lacks remain, and the ledger stays the run's") {
  store::RunReport run = sample_report(), baseline = sample_report();
  baseline.findings.erase(baseline.findings.begin());
  baseline.findings[0].status = store::TriageStatus::accepted;
  store::RunReport fresh = report::new_against(run, baseline);
  REQUIRE(fresh.findings.size() == 1);
  CHECK(fresh.findings[0].id == "1111111111111111");
  CHECK(fresh.ledger.total() == run.ledger.total());
  CHECK(report::new_against(run, run).findings.empty());
}

TEST_CASE("the text report answers of how many, shows a sample a cause and fits a screen") {
  store::RunReport run = sample_report();
  for (int i = 0; i < 200; ++i) run.findings.push_back(finding("3" + std::to_string(i), Difference::row_values, Cause::nondeterministic));
  std::string text = report::to_text(run, Counting());
  CHECK(text.find("1,190 exchanges = 1,100 compared + 90 skipped") != std::string::npos);
  CHECK(text.find("write 80 · unsafe: user_lock 10") != std::string::npos);
  CHECK(text.find("92.4 % of exchanges compared (1,100 of 1,190), 2 of 3 distinct statements") != std::string::npos);
  CHECK(text.find("202 findings, 1 counts") != std::string::npos);
  CHECK(text.find("! defect") != std::string::npos);
  CHECK(text.find("SELECT name FROM users WHERE id = ?") != std::string::npos);
  CHECK(text.find("source, at the tap") != std::string::npos);
  CHECK(text.find("target, at the client") != std::string::npos);
  CHECK(std::count(text.begin(), text.end(), '\n') <= 40);
  INFO(text);
  run.run.finished.reset();
  CHECK(report::to_text(run, Counting()).find("not finished") != std::string::npos);
}

TEST_CASE("a captured statement can't drive the terminal, break a table or leave the XML") {
  store::RunReport run = sample_report();
  std::string hostile = "SELECT '\x1b]0;owned\x07' \xc2\x9b" "31m | <script>alert(1)</script> ``` ]]> \xff \xe2\x80\xae";
  for (store::Finding& f : run.findings) {
    f.normalized = hostile;
    f.examples[0].sql = hostile;
    f.examples[0].file = hostile;
  }
  for (const std::string& text : {report::to_text(run, Counting()), report::to_markdown(run, Counting()), report::to_junit(run, Counting())}) {
    CHECK(is_utf8(text));
    CHECK(std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n'; }));
    CHECK(text.find("\xc2\x9b") == std::string::npos);
    CHECK(text.find("\xe2\x80\xae") == std::string::npos);
  }
  CHECK(report::to_junit(run, Counting()).find("<script>") == std::string::npos);
  std::string markdown = report::to_markdown(run, Counting());
  CHECK(markdown.find("````sql\n") != std::string::npos);
  std::size_t row = markdown.find("| order\\_undefined |");
  REQUIRE(row != std::string::npos);
  CHECK(markdown.find("<script>", row) == std::string::npos);
  CHECK(nlohmann::json::accept(report::to_json(run)));
}

TEST_CASE("JUnit has a case a finding: failed where it counts, skipped where not") {
  std::string xml = report::to_junit(sample_report(), Counting());
  CHECK(xml.find("tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"1\"") != std::string::npos);
  CHECK(xml.find("<failure type=\"defect\" message=\"row_values in 2 of 10 executions, proved\">") != std::string::npos);
  CHECK(xml.find("<skipped message=\"row_order in") != std::string::npos);
  store::RunReport interrupted = sample_report();
  interrupted.run.finished.reset();
  CHECK(report::to_junit(interrupted, Counting()).find("<error message=") != std::string::npos);
}

TEST_CASE("nearly all is never shown as all") {
  store::RunReport run = sample_report();
  run.coverage.exchanges = 100'000;
  run.coverage.compared = 99'999;
  CHECK(report::to_text(run, Counting()).find("> 99.9 % of exchanges") != std::string::npos);
  run.coverage.compared = 100'000;
  CHECK(report::to_text(run, Counting()).find("100.0 % of exchanges") != std::string::npos);
}

TEST_CASE("an accepted finding is told and doesn't count; a reason that came to nothing is an error") {
  store::RunReport run = sample_report();
  Counting counting;
  counting.accept({"1111111111111111"});
  CHECK_FALSE(counting.any(run));
  std::vector<report::Suite> suites{{.name = "monday.dtap", .report = &run, .error = ""}, {.name = "tuesday.dtap", .report = nullptr, .error = "can't be read"}};
  std::string xml = report::to_junit(suites, counting);
  CHECK(xml.find("<testsuites tests=\"4\" failures=\"0\" errors=\"1\" skipped=\"2\"") != std::string::npos);
  CHECK(xml.find("<skipped message=\"accepted: row_values in") != std::string::npos);
  CHECK(xml.find("<error message=\"can't be read\"/>") != std::string::npos);
  std::string markdown = report::to_markdown(suites, counting);
  CHECK(markdown.find("1 of 2 recordings without findings that count") != std::string::npos);
  CHECK(markdown.find("defect \\(accepted\\)") != std::string::npos);
}

TEST_CASE("how far behind reads were is told by table, in bins that hold each event once") {
  store::RunReport report;
  store::StalenessRow row{"shop.<people>", Cause::read_after_write, 4, {}, {}, {}};
  for (std::uint64_t us : {800U, 1'000U, 40'000U, 90'000'000U}) {
    row.age.record(us / 10);
    row.stale.record(us);
  }
  row.agreed.record(50'000);
  report.staleness = {row, {"shop.orders", Cause::stale_read, 1, {}, row.agreed, row.agreed}};
  auto json = nlohmann::json::parse(report::to_json(report));
  const auto& staleness = json.at("staleness");
  REQUIRE(staleness.size() == 2);
  CHECK(staleness[0].at("table") == "shop.<people>");
  CHECK(staleness[0].at("measured_from") == "write_ok");
  CHECK(staleness[0].at("n") == 4);
  CHECK(staleness[0].at("age").at("n") == 4);
  CHECK(staleness[0].at("agreed_within").at("n") == 1);
  CHECK(staleness[1].at("age").is_null());
  CHECK(staleness[1].at("measured_from") == "source_answer");
  std::map<std::string, std::uint64_t> sums;
  for (const auto& bin : staleness[0].at("bins"))
    for (const char* key : {"age", "stale_for_at_least", "agreed_within"}) sums[key] += bin.at(key).get<std::uint64_t>();
  CHECK(sums == std::map<std::string, std::uint64_t>{{"age", 4}, {"agreed_within", 1}, {"stale_for_at_least", 4}});
  CHECK(staleness[0].at("bins").back().at("up_to_us").is_null());
  CHECK(report::to_text(report, Counting()).find("shop.orders, no write seen") != std::string::npos);
  CHECK(report::to_markdown(report, Counting()).find("&lt;people&gt;") != std::string::npos);
}
