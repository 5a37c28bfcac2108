#include "web/triage_api.h"

#include <nlohmann/json.hpp>

#include "test_support/catch.h"
#include "test_support/sample_store.h"
#include "test_support/temporary_folder.h"

using namespace darktap;
using compare::Cause;
using compare::Difference;
using nlohmann::json;

namespace {

struct Sample {
  TemporaryFolder folder;
  std::string path = folder.file("run.db");
  web::TriageApi api{path, [] { return sample::at(500); }};

  Sample() {
    store::RunInfo info = sample::run_info();
    store::RunWriter writer(path, info);
    std::uint32_t seq = 0;
    // order_undefined 1 finding with 5 events; defects: 2 findings with 1 and 3 events; nondeterministic: one with 2.
    for (int i = 0; i < 5; ++i) sample::add(writer, {SessionId{1}, seq++});
    sample::Event defect{.fingerprint = 0x21, .normalized = "SELECT name FROM users", .difference = Difference::row_values, .cause = Cause::defect};
    sample::add(writer, {SessionId{1}, seq++}, defect);
    defect.fingerprint = 0x22;
    defect.normalized = "SELECT stock FROM products " + std::string(2000, 'x');
    for (int i = 0; i < 3; ++i) sample::add(writer, {SessionId{1}, seq++}, defect);
    for (int i = 0; i < 2; ++i) sample::add(writer, {SessionId{1}, seq++}, {.fingerprint = 0x31, .difference = Difference::row_values, .cause = Cause::nondeterministic});
    writer.record_latency(0x21, compare::Side::source, store::Vantage::tap, sample::at(1), 100);
    writer.record_latency(0x22, compare::Side::source, store::Vantage::tap, sample::at(1), 300);
    store::Ledger ledger;
    ledger.add(store::Bin::compared, seq);
    writer.set_ledger(ledger);
    writer.finish(sample::at(60));
  }

  web::ApiResponse ask(const std::string& path_, std::map<std::string, std::string> query = {}, const std::string& method = "GET", const std::string& body = "") {
    return api.handle({.method = method, .path = path_, .query = std::move(query), .content_type = "application/json", .body = body});
  }
  json get(const std::string& path_, std::map<std::string, std::string> query = {}) {
    web::ApiResponse answer = ask(path_, std::move(query));
    INFO(answer.body);
    CHECK(answer.status == 200);
    return json::parse(answer.body);
  }
};

const std::string defect_id = compare::signature(0x21, Difference::row_values, Cause::defect);

std::vector<int> events(const json& run) {
  std::vector<int> n;
  for (const json& finding : run["findings"]) n.push_back(finding["events"].get<int>());
  return n;
}

}  // namespace

TEST_CASE("a run's findings come what counts first, then by events, without their examples") {
  Sample sample;
  json run = sample.get("/api/runs/1");
  CHECK(events(run) == std::vector<int>{3, 1, 5, 2});
  CHECK(run["findings"][0]["counts"] == true);
  CHECK(run["findings"][2]["counts"] == false);
  CHECK_FALSE(run["findings"][0].contains("examples"));
  CHECK(run["findings"][0]["normalized"].get<std::string>().size() == web::listed_text_limit + 3);
  CHECK(run["findings_total"] == 4);
  CHECK(run["findings_counting"] == 2);
  CHECK(run["ledger"]["compared"] == run["coverage"]["exchanges"]);
  CHECK(run["latency"].size() == 1);
  CHECK(run["latency"][0]["n"] == 2);
  CHECK(run["run"]["flushed"].is_string());
}

TEST_CASE("filters narrow the list, and a facet says what its other values would show") {
  Sample sample;
  json run = sample.get("/api/runs/1", {{"cause", "defect"}});
  CHECK(events(run) == std::vector<int>{3, 1});
  CHECK(run["facets"]["cause"] == json({{"defect", 2}, {"order_undefined", 1}, {"nondeterministic", 1}}));
  CHECK(run["facets"]["difference"] == json({{"row_values", 2}}));
  CHECK(events(sample.get("/api/runs/1", {{"difference", "row_values"}, {"cause", "nondeterministic"}})) == std::vector<int>{2});
  CHECK(events(sample.get("/api/runs/1", {{"q", "FROM Users"}})) == std::vector<int>{1});
  CHECK(events(sample.get("/api/runs/1", {{"q", defect_id.substr(0, 8)}})) == std::vector<int>{1});
  CHECK(events(sample.get("/api/runs/1", {{"status", "accepted"}})).empty());
  json cut = sample.get("/api/runs/1", {{"limit", "1"}});
  CHECK(events(cut) == std::vector<int>{3});
  CHECK(cut["findings_matching"] == 4);
  for (auto [name, value] : std::map<std::string, std::string>{{"cause", "defects"}, {"difference", "x"}, {"status", "done"}, {"limit", "5001"}, {"limit", "-1"}}) {
    web::ApiResponse answer = sample.ask("/api/runs/1", {{name, value}});
    CHECK(answer.status == 400);
    CHECK(json::parse(answer.body)["error"].get<std::string>().find(value) != std::string::npos);
  }
}

TEST_CASE("one finding comes with its examples, evidence, latency and history") {
  Sample sample;
  json finding = sample.get("/api/runs/1/findings/" + defect_id);
  CHECK(finding["examples"][0]["sql"].get<std::string>().starts_with("SELECT * FROM orders"));
  CHECK(finding["examples"][0]["source"]["rows"] == json({{1}, {2}}));
  CHECK(finding["examples"][0]["provenance"]["file"] == "shop.pcap");
  CHECK(finding["evidence"]["ties"].is_array());
  CHECK(finding["latency"].size() == 1);
  CHECK(finding["latency"][0]["max_us"] == 100);
  CHECK(finding["history"].empty());
  CHECK(finding["note"] == "");
}

TEST_CASE("a decision is kept, holds for the list, and is told who made it") {
  Sample sample;
  web::ApiResponse answer = sample.ask("/api/findings/" + defect_id + "/triage", {}, "POST", R"({"status":"fixed","note":"SHOP-1 <b>","author":"Ann"})");
  REQUIRE(answer.status == 200);
  CHECK(json::parse(answer.body)["history"][0]["after"] == "fixed");
  json finding = sample.get("/api/runs/1/findings/" + defect_id);
  CHECK(finding["status"] == "fixed");
  CHECK(finding["note"] == "SHOP-1 <b>");
  CHECK(finding["author"] == "Ann");
  CHECK(finding["history"][0] == json({{"time", to_rfc3339(sample::at(500))}, {"author", "Ann"}, {"before", "open"}, {"after", "fixed"}, {"note", "SHOP-1 <b>"}}));
  CHECK(sample.get("/api/runs/1", {{"status", "fixed"}})["facets"]["status"] == json({{"open", 3}, {"fixed", 1}}));
}

TEST_CASE("a decision that can't be understood changes nothing and says why") {
  Sample sample;
  std::string path = "/api/findings/" + defect_id + "/triage";
  for (const std::string& body : {std::string(), std::string("[]"), std::string("{"), std::string("{\"status\":\"done\"}"), std::string("{\"note\":\"x\"}"), std::string("{\"status\":1}"),
                                  std::string(100, '['), "{\"status\":\"open\",\"note\":\"" + std::string(store::note_limit + 1, 'n') + "\"}"}) {
    CHECK(sample.ask(path, {}, "POST", body).status == 400);
  }
  CHECK(sample.api.handle({.method = "POST", .path = path, .query = {}, .content_type = "text/plain", .body = R"({"status":"fixed"})"}).status == 415);
  CHECK(sample.ask("/api/findings/0000000000000000/triage", {}, "POST", R"({"status":"fixed"})").status == 404);
  CHECK(sample.ask(path).status == 405);
  CHECK(sample.get("/api/runs/1/findings/" + defect_id)["history"].empty());
}

TEST_CASE("what isn't there is 404, and a run is never written") {
  Sample sample;
  for (const char* path : {"/api/runs/2", "/api/runs/x", "/api/runs/0", "/api/runs/1/findings/zz", "/api/runs/1/findings", "/api", "/api/", "/api/nothing", "/", "/api/runs/1/findings/a/b", "/api/runs/99999999999999999999"}) {
    INFO(path);
    CHECK(sample.ask(path).status == 404);
  }
  CHECK(sample.ask("/api/runs", {}, "POST").status == 405);
  CHECK(sample.ask("/api/runs/1", {}, "DELETE").status == 405);
}

TEST_CASE("a store that went away is 503 with its name, and is found again") {
  Sample sample;
  std::filesystem::rename(sample.path, sample.folder.file("away.db"));
  web::ApiResponse answer = sample.ask("/api/runs");
  CHECK(answer.status == 503);
  CHECK(json::parse(answer.body)["error"].get<std::string>().find("run.db") != std::string::npos);
  std::filesystem::rename(sample.folder.file("away.db"), sample.path);
  CHECK(sample.get("/api/runs")["runs"].size() == 1);
}
