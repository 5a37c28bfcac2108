#include "web/triage_api.h"

#include <nlohmann/json.hpp>

#include <charconv>
#include <vector>

#include "listing.h"
#include "report/json_parts.h"
#include "store/store.h"

namespace darktap::web {

namespace {

ApiResponse error(unsigned status, std::string_view line) {
  return {status, JsonWriter().begin_object().member("error", line).end_object().take()};
}

std::vector<std::string> segments(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    path.remove_prefix(path.starts_with('/') ? 1 : 0);
    std::string_view part = path.substr(0, path.find('/'));
    parts.emplace_back(part);
    path.remove_prefix(part.size());
  }
  return parts;
}

std::optional<std::int64_t> number(const std::string& text) {
  std::int64_t value = 0;
  auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size() || value < 1) return std::nullopt;
  return value;
}

// At most limit bytes, cut between characters.
std::string shortened(const std::string& text, std::size_t limit) {
  if (text.size() <= limit) return text;
  std::size_t end = limit;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

void write_run(JsonWriter& json, const store::RunInfo& run) {
  json.begin_object();
  report::write_run_members(json, run);
  json.member("flushed", to_rfc3339(run.flushed)).end_object();
}

// The histograms of all statements, one row a side and vantage: the report's rows with the rest bin's fingerprint.
std::vector<store::LatencyRow> summed(const std::vector<store::LatencyRow>& rows) {
  std::map<std::pair<compare::Side, store::Vantage>, Histogram> sums;
  for (const store::LatencyRow& row : rows) sums[{row.side, row.vantage}].merge(row.histogram);
  std::vector<store::LatencyRow> sides;
  for (auto& [key, histogram] : sums) sides.push_back({store::rest_fingerprint, key.first, key.second, std::move(histogram)});
  return sides;
}

void write_facet(JsonWriter& json, const char* name, const std::map<std::string, std::uint64_t>& counts) {
  json.key(name).begin_object();
  for (const auto& [value, n] : counts) json.member(value, n);
  json.end_object();
}

void write_triage_members(JsonWriter& json, const store::StoreReader& reader, const std::string& finding) {
  json.key("history").begin_array();
  for (const store::AuditLine& line : reader.history(finding)) {
    json.begin_object().member("time", to_rfc3339(line.time)).member("author", line.author);
    json.member("before", to_string(line.before)).member("after", to_string(line.after)).member("note", line.note).end_object();
  }
  json.end_array();
}

ApiResponse list_runs(const store::StoreReader& reader) {
  JsonWriter json;
  json.begin_object().key("runs").begin_array();
  for (const store::RunInfo& run : reader.runs()) write_run(json, run);
  json.end_array().end_object();
  return {200, json.take()};
}

ApiResponse one_run(const store::StoreReader& reader, std::int64_t id, const Filters& filters) {
  store::RunReport run = reader.summary(id);
  report::Counting counting;
  Listing listing = list_findings(run, counting, filters);
  JsonWriter json;
  json.begin_object().key("run");
  write_run(json, run.run);
  report::write_ledger_members(json, run.ledger);
  report::write_coverage_member(json, run.coverage);
  report::write_latency_member(json, summed(run.latency));
  report::write_staleness_member(json, run.staleness);
  json.member("findings_total", run.findings.size()).member("findings_matching", listing.matching);
  json.member("findings_counting", counting.of(run).size());
  json.key("facets").begin_object();
  write_facet(json, "cause", listing.causes);
  write_facet(json, "difference", listing.differences);
  write_facet(json, "status", listing.statuses);
  json.end_object().key("findings").begin_array();
  for (const store::Finding* finding : listing.findings) {
    store::Finding listed = *finding;
    listed.normalized = shortened(finding->normalized, listed_text_limit);
    json.begin_object();
    report::write_finding_members(json, listed);
    json.member("counts", counting.counts(*finding)).member("note", shortened(finding->note, listed_text_limit)).end_object();
  }
  json.end_array().end_object();
  return {200, json.take()};
}

ApiResponse one_finding(const store::StoreReader& reader, std::int64_t run, const std::string& id) {
  std::optional<store::Finding> finding = reader.finding(run, id);
  if (!finding) return error(404, "run " + std::to_string(run) + " has no finding " + shortened(id, 40));
  JsonWriter json;
  json.begin_object();
  report::write_finding_members(json, *finding);
  json.member("counts", report::Counting().counts(*finding)).member("note", finding->note).member("author", finding->author);
  report::write_examples_members(json, *finding);
  report::write_latency_member(json, reader.latency(run, finding->fingerprint));
  write_triage_members(json, reader, id);
  json.end_object();
  return {200, json.take()};
}

// A member that may be missing; false where it is there and no string.
bool take_text(const nlohmann::json& object, const char* name, std::string& into) {
  auto member = object.find(name);
  if (member == object.end()) return true;
  if (!member->is_string()) return false;
  into = member->get<std::string>();
  return true;
}

ApiResponse change_triage(const std::string& store, const std::string& id, const ApiRequest& request, CaptureTime now) {
  if (!request.content_type.starts_with("application/json")) return error(415, "the body must be application/json");
  nlohmann::json body = nlohmann::json::parse(request.body, nullptr, false);
  if (!body.is_object()) return error(400, "the body is no JSON object");
  store::TriageChange change;
  change.finding = id;
  std::string status;
  if (!take_text(body, "status", status) || !take_text(body, "note", change.note) || !take_text(body, "author", change.author)) {
    return error(400, "status, note and author are strings");
  }
  auto parsed = store::parse_triage_status(status);
  if (!parsed) return error(400, "status '" + shortened(status, 40) + "' is none of open, accepted, fixed, ignored");
  change.status = *parsed;
  if (change.note.size() > store::note_limit) return error(400, "the note has more than " + std::to_string(store::note_limit) + " bytes");
  if (change.author.size() > store::author_limit) return error(400, "the author has more than " + std::to_string(store::author_limit) + " bytes");
  store::StoreReader reader(store);
  store::apply(store, change, now);
  JsonWriter json;
  json.begin_object().member("id", id).member("status", to_string(change.status)).member("note", change.note).member("author", change.author);
  write_triage_members(json, reader, id);
  json.end_object();
  return {200, json.take()};
}

}  // namespace

TriageApi::TriageApi(std::string store, std::function<CaptureTime()> now) : store_(std::move(store)), now_(std::move(now)) {}

ApiResponse TriageApi::handle(const ApiRequest& request) const {
  std::vector<std::string> path = segments(request.path);
  if (path.size() < 2 || path[0] != "api") return error(404, "there is nothing at " + shortened(request.path, 100));
  bool get = request.method == "GET";
  try {
    if (path[1] == "runs" && (path.size() == 2 || path.size() == 3 || (path.size() == 5 && path[3] == "findings"))) {
      if (!get) return error(405, "runs are only read");
      if (path.size() == 2) return list_runs(store::StoreReader(store_));
      std::optional<std::int64_t> run = number(path[2]);
      if (!run) return error(404, "a run's id is a number");
      if (path.size() == 5) return one_finding(store::StoreReader(store_), *run, path[4]);
      auto filters = parse_filters(request.query);
      if (!filters) return error(400, filters.error());
      return one_run(store::StoreReader(store_), *run, *filters);
    }
    if (path.size() == 4 && path[1] == "findings" && path[3] == "triage") {
      if (request.method != "POST") return error(405, "a triage decision is posted");
      return change_triage(store_, path[2], request, now_());
    }
    return error(404, "there is nothing at " + shortened(request.path, 100));
  } catch (const Failure& failure) {
    // A run or finding that isn't there is the asker's error; a locked or missing store is not.
    return error(failure.kind() == FailureKind::usage ? 404 : 503, failure.what());
  }
}

}  // namespace darktap::web
