// What a run writes comes back as values: grouping, bounds, examples, triage.
#include <sqlite3.h>

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <random>
#include <set>

#include "test_support/catch.h"
#include "test_support/property.h"
#include "test_support/sample_store.h"
#include "test_support/temporary_folder.h"

using namespace darktap;
using compare::Cause;
using compare::Difference;
using compare::Level;
using store::Execution;
using store::RunWriter;
using store::StoreReader;

namespace {

session::ExchangeId exchange(std::uint64_t session, std::uint32_t seq) { return {SessionId{session}, seq}; }

std::vector<std::uint32_t> kept(const store::Finding& finding) {
  std::vector<std::uint32_t> seqs;
  for (const store::Example& example : finding.examples) seqs.push_back(example.exchange.seq);
  return seqs;
}

}  // namespace

TEST_CASE("verdicts group by fingerprint, difference and cause; the level is the weakest, times the outermost") {
  TemporaryFolder folder;
  store::RunInfo info = sample::run_info();
  RunWriter writer(folder.file("run.db"), info);
  sample::add(writer, exchange(1, 5), {.level = Level::proved});
  writer.flush();
  sample::add(writer, exchange(1, 2), {.level = Level::assumed});
  writer.flush();
  sample::add(writer, exchange(2, 9), {.level = Level::confirmed});
  sample::add(writer, exchange(2, 10), {.difference = Difference::row_values, .cause = Cause::unexamined});
  for (int i = 0; i < 4; ++i) writer.count_execution(0x1111, "", Execution::compared);
  writer.count_execution(0x1111, "", Execution::not_compared);
  writer.count_execution(0x2222, "SELECT ?", Execution::not_compared);
  writer.finish(sample::at(60));

  store::RunReport report = StoreReader(folder.file("run.db")).report(info.id);
  REQUIRE(report.findings.size() == 2);
  CHECK(report.findings[0].id < report.findings[1].id);
  const store::Finding& ordered = report.findings[report.findings[0].cause == Cause::order_undefined ? 0 : 1];
  const store::Finding& unexamined = report.findings[report.findings[0].cause == Cause::order_undefined ? 1 : 0];
  CHECK(ordered.id == compare::signature(0x1111, Difference::row_order, Cause::order_undefined));
  CHECK(ordered.events == 3);
  CHECK(ordered.examined == 3);
  CHECK(ordered.executions == 8);
  CHECK(ordered.level == Level::assumed);
  CHECK(ordered.first_time == sample::at(2));
  CHECK(ordered.last_time == sample::at(9));
  CHECK(ordered.normalized == sample::Event{}.normalized);
  CHECK(unexamined.events == 1);
  CHECK(unexamined.examined == 0);
  CHECK(report.coverage.fingerprints == 2);
  CHECK(report.coverage.fingerprints_compared == 1);
  CHECK(report.run.finished == sample::at(60));
}

TEST_CASE("two like verdicts on one execution are one event") {
  TemporaryFolder folder;
  store::RunInfo info = sample::run_info();
  RunWriter writer(folder.file("run.db"), info);
  compare::Judgement judgement = sample::judgement(exchange(1, 1), {});
  judgement.verdicts.push_back(judgement.verdicts[0]);
  writer.add(judgement, "a.pcap");
  writer.flush();
  CHECK(StoreReader(folder.file("run.db")).report(1).findings.at(0).events == 1);
}

TEST_CASE("examples are whole: statement verbatim, both answers, evidence, file and packet") {
  TemporaryFolder folder;
  store::RunInfo info = sample::run_info();
  RunWriter writer(folder.file("run.db"), info);
  compare::Judgement judgement = sample::judgement(exchange(3, 7), {});
  judgement.sql = "SELECT /* \xe2\x82\xac */ 'it''s'";
  judgement.parameters = R"([1,"a",null])";
  writer.add(judgement, "shop.pcap");
  writer.flush();
  auto finding = StoreReader(folder.file("run.db")).finding(1, compare::signature(0x1111, Difference::row_order, Cause::order_undefined));
  REQUIRE(finding);
  REQUIRE(finding->examples.size() == 1);
  const store::Example& example = finding->examples[0];
  CHECK(example.exchange == exchange(3, 7));
  CHECK(example.sql == judgement.sql);
  CHECK(example.parameters == judgement.parameters);
  CHECK(example.source_answer == judgement.source_answer);
  CHECK(example.target_answer == judgement.target_answer);
  CHECK(example.evidence == judgement.verdicts[0].evidence);
  CHECK(example.file == "shop.pcap");
  CHECK(example.packet == 307);
  CHECK(finding->evidence == example.evidence);
}

TEST_CASE("the kept examples depend on the events, not on their order or on the flushes between them") {
  require_property("same set, same examples", [](std::uint32_t seed) {
    std::vector<std::uint32_t> seqs(40);
    std::iota(seqs.begin(), seqs.end(), 0U);
    std::mt19937 random(seed);
    std::vector<std::vector<std::uint32_t>> kept_in;
    for (int pass = 0; pass < 2; ++pass) {
      TemporaryFolder folder;
      store::RunInfo info = sample::run_info();
      RunWriter writer(folder.file("run.db"), info);
      for (std::uint32_t seq : seqs) {
        // Ten distinct statements: each finding's examples differ in their values.
        compare::Judgement judgement = sample::judgement(exchange(1, seq), {});
        judgement.sql = "SELECT " + std::to_string(seq % 10);
        writer.add(judgement, "a.pcap");
        if (random() % 8 == 0) writer.flush();
      }
      writer.flush();
      store::Finding finding = StoreReader(folder.file("run.db")).report(1).findings.at(0);
      RC_ASSERT(finding.examples.size() == store::examples_per_finding);
      std::set<std::string> distinct;
      for (const store::Example& example : finding.examples) distinct.insert(example.sql);
      RC_ASSERT(distinct.size() == store::examples_per_finding);
      kept_in.push_back(kept(finding));
      std::shuffle(seqs.begin(), seqs.end(), random);
    }
    RC_ASSERT(kept_in[0] == kept_in[1]);
  });
}

TEST_CASE("an example's text is kept up to its limit, and says so above it") {
  TemporaryFolder folder;
  store::RunInfo info = sample::run_info();
  RunWriter writer(folder.file("run.db"), info);
  auto add = [&](std::uint32_t seq, std::size_t size) {
    compare::Judgement judgement = sample::judgement(exchange(1, seq), {.fingerprint = 0x100 + seq});
    judgement.sql = std::string(size, 'x');
    judgement.source_answer = "\"" + std::string(size - 2, 'y') + "\"";
    writer.add(judgement, "a.pcap");
  };
  std::vector<std::size_t> sizes{store::example_field_limit - 1, store::example_field_limit, store::example_field_limit + 1};
  for (std::uint32_t i = 0; i < 3; ++i) add(i, sizes[i]);
  writer.flush();
  store::RunReport report = StoreReader(folder.file("run.db")).report(1);
  for (const store::Finding& finding : report.findings) {
    const store::Example& example = finding.examples.at(0);
    std::size_t size = sizes[example.exchange.seq];
    if (size <= store::example_field_limit) {
      CHECK(example.sql.size() == size);
      CHECK(example.source_answer.size() == size);
    } else {
      CHECK(example.sql.find("(cut: 1048577 bytes in all)") != std::string::npos);
      CHECK(example.source_answer == R"({"too_long_to_keep":true,"bytes":1048577})");
    }
  }
}

TEST_CASE("above the cap of fingerprints the rest are counted in one bin, their findings too") {
  TemporaryFolder folder;
  store::RunInfo info = sample::run_info();
  RunWriter writer(folder.file("run.db"), info);
  for (std::uint64_t i = 1; i <= store::fingerprint_cap; ++i) writer.count_execution(i, "SELECT " + std::to_string(i), Execution::compared);
  writer.flush();
  StoreReader reader(folder.file("run.db"));
  CHECK(reader.summary(1).coverage.fingerprints == store::fingerprint_cap);
  CHECK_FALSE(reader.summary(1).fingerprints.contains(store::rest_fingerprint));

  sample::add(writer, exchange(1, 1), {.fingerprint = 999'999});
  sample::add(writer, exchange(1, 2), {.fingerprint = 999'998});
  writer.record_latency(999'997, compare::Side::target, store::Vantage::client, sample::at(1), 10);
  sample::add(writer, exchange(1, 3), {.fingerprint = 7});
  writer.flush();
  store::RunReport report = reader.report(1);
  CHECK(report.coverage.fingerprints == store::fingerprint_cap + 1);
  CHECK(report.fingerprints.at(store::rest_fingerprint).find("beyond the first 20000") != std::string::npos);
  REQUIRE(report.findings.size() == 2);
  for (const store::Finding& finding : report.findings) {
    if (finding.fingerprint == store::rest_fingerprint) CHECK(finding.events == 2);
    else CHECK(finding.fingerprint == 7);
  }
  REQUIRE(report.latency.size() == 1);
  CHECK(report.latency[0].fingerprint == store::rest_fingerprint);
}

TEST_CASE("latency histograms of several flushes are one") {
  TemporaryFolder folder;
  store::RunInfo info = sample::run_info();
  RunWriter writer(folder.file("run.db"), info);
  Histogram expected;
  for (std::uint64_t i = 1; i <= 300; ++i) {
    writer.record_latency(0x1111, compare::Side::source, store::Vantage::tap, sample::at(static_cast<std::int64_t>(i)), i * 7);
    writer.record_latency(0x1111, compare::Side::target, store::Vantage::client, sample::at(static_cast<std::int64_t>(i)), i * 9);
    expected.record(i * 7);
    if (i % 50 == 0) writer.flush();
  }
  StoreReader reader(folder.file("run.db"));
  std::vector<store::LatencyRow> rows = reader.report(1).latency;
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].side == compare::Side::source);
  CHECK(rows[0].vantage == store::Vantage::tap);
  CHECK(rows[0].histogram == expected);
  CHECK(rows[1].histogram.count() == 300);
  CHECK(reader.latency(1, 0x1111).size() == 2);
  CHECK(reader.latency(1, 0x2222).empty());
}

TEST_CASE("the ledger, its reasons, the questions and the run's words come back as they were last set") {
  TemporaryFolder folder;
  store::RunInfo info = sample::run_info();
  RunWriter writer(folder.file("run.db"), info);
  store::Ledger ledger;
  ledger.add(store::Bin::pending, 10);
  writer.set_ledger(ledger);
  writer.flush();
  ledger = {};
  ledger.add(store::Bin::compared, 6);
  ledger.add(store::Bin::skipped, "write", 3);
  ledger.add(store::Bin::skipped);
  writer.set_ledger(ledger);
  info.target_follows = "no";
  info.questions["target"] = {17, 4200};
  writer.set_info(info);
  writer.set_server_questions(12);
  writer.finish(sample::at(5));

  store::RunReport report = StoreReader(folder.file("run.db")).report(1);
  CHECK(report.ledger.of(store::Bin::pending) == 0);
  CHECK(report.ledger.of(store::Bin::skipped) == 4);
  CHECK(report.ledger.reasons().at(store::Bin::skipped).at("write") == 3);
  CHECK(report.coverage.exchanges == 10);
  CHECK(report.coverage.compared == 6);
  CHECK(report.coverage.server_questions == 12);
  CHECK(report.run.target_follows == "no");
  CHECK(report.run.started == sample::at(0));
  CHECK(report.run.questions.at("target") == std::pair<std::uint64_t, std::uint64_t>(17, 4200));
}

TEST_CASE("a triage decision holds in every run of the store, and is in the audit with who, when and why") {
  TemporaryFolder folder;
  std::string path = folder.file("run.db");
  for (int i = 0; i < 2; ++i) {
    store::RunInfo info = sample::run_info();
    RunWriter writer(path, info);
    sample::add(writer, exchange(1, 1));
    writer.finish(sample::at(9));
    if (i == 0) {
      std::string id = compare::signature(0x1111, Difference::row_order, Cause::order_undefined);
      store::apply(path, {id, "ann", store::TriageStatus::ignored, "not sure"}, sample::at(100));
      store::apply(path, {id, "bo", store::TriageStatus::accepted, "no ORDER BY"}, sample::at(101));
    }
  }
  StoreReader reader(path);
  REQUIRE(reader.runs().size() == 2);
  CHECK(reader.runs()[0].id == 2);
  for (std::int64_t run : {1, 2}) {
    store::Finding finding = reader.report(run).findings.at(0);
    CHECK(finding.status == store::TriageStatus::accepted);
    CHECK(finding.note == "no ORDER BY");
    CHECK(finding.author == "bo");
  }
  auto history = reader.history(reader.report(1).findings.at(0).id);
  REQUIRE(history.size() == 2);
  CHECK(history[0].after == store::TriageStatus::ignored);
  CHECK(history[1].before == store::TriageStatus::ignored);
  CHECK(history[1].author == "bo");
  CHECK(history[1].time == sample::at(101));
}

TEST_CASE("triage of a finding that no run has, or with a note over its limit, is a usage failure and changes nothing") {
  TemporaryFolder folder;
  std::string path = folder.file("run.db");
  store::RunInfo info = sample::run_info();
  RunWriter writer(path, info);
  sample::add(writer, exchange(1, 1));
  writer.finish(sample::at(9));
  std::string id = compare::signature(0x1111, Difference::row_order, Cause::order_undefined);
  auto kind_of = [&](const store::TriageChange& change) -> std::optional<FailureKind> {
    try {
      store::apply(path, change, sample::at(1));
    } catch (const Failure& failure) {
      return failure.kind();
    }
    return std::nullopt;
  };
  using store::TriageStatus;
  CHECK(kind_of({"ffff", "ann", TriageStatus::fixed, ""}) == FailureKind::usage);
  CHECK(kind_of({id, "ann", TriageStatus::fixed, std::string(store::note_limit + 1, 'n')}) == FailureKind::usage);
  CHECK(kind_of({id, std::string(store::author_limit + 1, 'a'), TriageStatus::fixed, ""}) == FailureKind::usage);
  CHECK(StoreReader(path).report(1).findings.at(0).status == TriageStatus::open);
  CHECK_FALSE(kind_of({id, std::string(store::author_limit, 'a'), TriageStatus::fixed, std::string(store::note_limit, 'n')}));
}

TEST_CASE("a run that isn't there is a usage failure") {
  TemporaryFolder folder;
  store::RunInfo info = sample::run_info();
  RunWriter writer(folder.file("run.db"), info);
  StoreReader reader(folder.file("run.db"));
  CHECK_THROWS_AS(reader.report(99), Failure);
  CHECK_FALSE(reader.finding(1, "nothing"));
}

TEST_CASE("what is not JSON in a store becomes a JSON string, and unknown names are left out") {
  TemporaryFolder folder;
  std::string path = folder.file("run.db");
  store::RunInfo info = sample::run_info();
  {
    RunWriter writer(path, info);
    sample::add(writer, exchange(1, 1), {.evidence = "{not json"});
    sample::add(writer, exchange(1, 2), {.fingerprint = 0x22});
    writer.finish(sample::at(9));
  }
  sqlite3* handle = nullptr;
  REQUIRE(sqlite3_open(path.c_str(), &handle) == SQLITE_OK);
  CHECK(sqlite3_exec(handle, "UPDATE findings SET cause = 'sunspots' WHERE fingerprint = '0000000000000022'", nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(handle);
  store::RunReport report = StoreReader(path).report(1);
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].evidence == R"("{not json")");
}

TEST_CASE("time windows of several flushes are one, and rows stay bounded however long the run is") {
  TemporaryFolder folder;
  store::RunInfo info = sample::run_info();
  RunWriter writer(folder.file("run.db"), info);
  WindowedHistogram source, target;
  for (std::int64_t second = 0; second < 1000; ++second) {
    auto took = static_cast<std::uint64_t>(second % 17 + 1);
    writer.record_latency(0x1111, compare::Side::source, store::Vantage::tap, sample::at(second), took);
    writer.record_latency(0x1111, compare::Side::target, store::Vantage::client, sample::at(second), 2 * took);
    source.record(sample::at(second), took);
    target.record(sample::at(second), 2 * took);
    if (second % 7 == 0) writer.flush();
  }
  writer.record_latency(0x2222, compare::Side::target, store::Vantage::client, sample::at(5), 9);
  writer.flush();
  std::vector<std::uint64_t> seen;
  writer.each_latency([&](std::uint64_t fingerprint, const store::LatencyWindows& windows) {
    seen.push_back(fingerprint);
    if (fingerprint != 0x1111) return;
    CHECK(windows.source == source);
    CHECK(windows.target == target);
  });
  CHECK(seen == std::vector<std::uint64_t>{0x1111, 0x2222});
  sqlite3* database = nullptr;
  REQUIRE(sqlite3_open(folder.file("run.db").c_str(), &database) == SQLITE_OK);
  sqlite3_stmt* count = nullptr;
  REQUIRE(sqlite3_prepare_v2(database, "SELECT count(*) FROM latency_windows", -1, &count, nullptr) == SQLITE_OK);
  REQUIRE(sqlite3_step(count) == SQLITE_ROW);
  CHECK(sqlite3_column_int(count, 0) <= 2 * (128 + 64 + 7));
  sqlite3_finalize(count);
  sqlite3_close(database);
}

TEST_CASE("latency findings replace those given before, and carry their own evidence") {
  TemporaryFolder folder;
  store::RunInfo info = sample::run_info();
  RunWriter writer(folder.file("run.db"), info);
  writer.count_execution(0x1111, "SELECT ?", Execution::compared);
  sample::add(writer, exchange(1, 1));
  store::LatencyFinding finding{.fingerprint = 0x1111, .events = 7, .evidence = R"({"windows":9})", .first_time = sample::at(1), .last_time = sample::at(3)};
  writer.set_latency_findings({finding, {.fingerprint = 0x2222, .events = 1, .evidence = "{}"}});
  writer.flush();
  writer.set_latency_findings({finding});
  writer.flush();
  writer.flush();
  store::RunReport report = StoreReader(folder.file("run.db")).report(1);
  REQUIRE(report.findings.size() == 2);
  const store::Finding& slower = report.findings[report.findings[0].difference == Difference::latency_regression ? 0 : 1];
  CHECK(slower.difference == Difference::latency_regression);
  CHECK(slower.id == compare::signature(0x1111, Difference::latency_regression, Cause::defect));
  CHECK(slower.events == 7);
  CHECK(slower.evidence == R"({"windows":9})");
  CHECK(slower.examples.empty());
  CHECK(slower.normalized == "SELECT ?");
}

TEST_CASE("how far behind reads were is added up by table and cause, over flushes and a run that goes on") {
  TemporaryFolder folder;
  store::RunInfo info = sample::run_info();
  auto add = [](RunWriter& writer, std::uint32_t seq, compare::Staleness staleness, Cause cause) {
    compare::Judgement judgement = sample::judgement(exchange(1, seq), {.difference = Difference::row_values, .cause = cause});
    judgement.verdicts[0].staleness = std::move(staleness);
    writer.add(judgement, "a.pcap");
  };
  {
    RunWriter writer(folder.file("run.db"), info);
    add(writer, 1, {"shop.people", 1000, 20'000, 30'000}, Cause::read_after_write);
    writer.flush();
    add(writer, 2, {"shop.people", 3000, 40'000, std::nullopt}, Cause::read_after_write);
    add(writer, 3, {"shop.people", std::nullopt, 50'000, 60'000}, Cause::stale_read);
  }
  {
    RunWriter writer(folder.file("run.db"), info, info.id);
    add(writer, 4, {"shop.orders", -5, -5, 7}, Cause::read_after_write);
    add(writer, 5, {"shop.people", 5000, 10'000, 15'000}, Cause::read_after_write);
    writer.finish(sample::at(9));
  }
  auto rows = StoreReader(folder.file("run.db")).summary(info.id).staleness;
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].table == "shop.orders");
  CHECK(rows[0].stale.max() == 0);
  CHECK(rows[1].cause == Cause::read_after_write);
  CHECK(rows[1].events == 3);
  CHECK(rows[1].age.count() == 3);
  CHECK(rows[1].agreed.count() == 2);
  CHECK(rows[1].stale.max() >= 40'000);
  CHECK(rows[2].cause == Cause::stale_read);
  CHECK(rows[2].age.count() == 0);
}

TEST_CASE("tables beyond the cap share one row of staleness") {
  for (std::size_t tables : {store::staleness_table_cap - 1, store::staleness_table_cap, store::staleness_table_cap + 1}) {
    TemporaryFolder folder;
    store::RunInfo info = sample::run_info();
    RunWriter writer(folder.file("run.db"), info);
    for (std::size_t i = 0; i < tables + 1; ++i) {  // the last two are of one table
      compare::Judgement judgement = sample::judgement(exchange(1, static_cast<std::uint32_t>(i)), {.cause = Cause::read_after_write});
      judgement.verdicts[0].staleness = compare::Staleness{"shop.t" + std::to_string(std::min(i, tables - 1)), 1, 2, 3};
      writer.add(judgement, "a.pcap");
      if (i == 500) writer.flush();
    }
    writer.flush();
    auto rows = StoreReader(folder.file("run.db")).summary(1).staleness;
    CHECK(rows.size() == tables);
    std::uint64_t events = 0;
    for (const store::StalenessRow& row : rows) events += row.events;
    CHECK(events == tables + 1);
    bool shared = std::any_of(rows.begin(), rows.end(), [](const store::StalenessRow& row) { return row.table.find("beyond the first 1000") != std::string::npos && row.events == 2; });
    CHECK(shared == (tables > store::staleness_table_cap));
  }
}

TEST_CASE("a store at its limit drops older runs that have ended, then examples, never a count or what people decided") {
  TemporaryFolder folder;
  const std::string path = folder.file("run.db"), big(100'000, 'x');
  std::vector<std::string> told;
  auto fill = [&](RunWriter& writer, std::uint32_t examples) {
    for (std::uint32_t i = 0; i < examples; ++i) {
      compare::Judgement judgement = sample::judgement(exchange(1, i), {.fingerprint = 0x1000 + i});
      judgement.sql = std::to_string(i) + big;
      writer.count_execution(judgement.fingerprint, judgement.normalized, Execution::compared);
      writer.add(judgement, "a.pcap");
    }
  };
  for (int run = 0; run < 3; ++run) {
    store::RunInfo info = sample::run_info();
    RunWriter writer(path, info);
    fill(writer, 15);
    if (run < 2) writer.finish(sample::at(60));  // the third one's writer dies
  }
  store::apply(path, {.finding = compare::signature(0x1000, Difference::row_order, Cause::order_undefined), .author = "ann", .status = store::TriageStatus::accepted, .note = "known"}, sample::at(61));
  store::RunInfo info = sample::run_info();
  {
    RunWriter writer(path, info);
    writer.set_limit(6 << 20, [&](const std::string& line) { told.push_back(line); });
    fill(writer, 100);
    writer.finish(sample::at(70));
  }
  StoreReader reader(path);
  std::vector<std::int64_t> runs;
  for (const store::RunInfo& run : reader.runs()) runs.push_back(run.id);
  CHECK(runs == std::vector<std::int64_t>{4, 3});
  REQUIRE(told.size() == 3);
  CHECK(told[0].find("run 1, its oldest, was removed") != std::string::npos);
  CHECK(told[2].find("all counts go on") != std::string::npos);
  store::RunReport report = reader.report(info.id);
  CHECK(report.findings.size() == 100);
  CHECK(report.coverage.fingerprints == 100);
  std::size_t examples = 0;
  for (const store::Finding& finding : report.findings) examples += finding.examples.size();
  CHECK(examples > 10);
  CHECK(examples + report.run.examples_left_out == 100);
  auto decided = std::find_if(report.findings.begin(), report.findings.end(), [](const store::Finding& finding) { return finding.fingerprint == 0x1000; });
  CHECK(decided->status == store::TriageStatus::accepted);
  CHECK(std::filesystem::file_size(path) <= (6U << 20) + (1U << 20));
}
