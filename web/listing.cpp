#include "listing.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "web/triage_api.h"

namespace darktap::web {

namespace {

bool contains_ignoring_case(std::string_view text, std::string_view part) {
  return std::search(text.begin(), text.end(), part.begin(), part.end(), [](char a, char b) { return lower(a) == lower(b); }) != text.end();
}

template <class Value, class Parse>
bool take(const std::map<std::string, std::string>& query, const char* name, Parse parse, std::optional<Value>& into) {
  auto found = query.find(name);
  if (found == query.end() || found->second.empty()) return true;
  into = parse(found->second);
  return into.has_value();
}

std::string wrong(const std::map<std::string, std::string>& query, const std::string& name) {
  return name + " '" + query.at(name) + "' is not known";
}

}  // namespace

Expected<Filters, std::string> parse_filters(const std::map<std::string, std::string>& query) {
  Filters filters;
  if (!take(query, "cause", compare::parse_cause, filters.cause)) return Unexpected<std::string>(wrong(query, "cause"));
  if (!take(query, "difference", compare::parse_difference, filters.difference)) return Unexpected<std::string>(wrong(query, "difference"));
  if (!take(query, "status", store::parse_triage_status, filters.status)) return Unexpected<std::string>(wrong(query, "status"));
  auto parse_limit = [](const std::string& text) -> std::optional<std::size_t> {
    std::size_t number = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number > most_findings) return std::nullopt;
    return number;
  };
  std::optional<std::size_t> limit;
  if (!take(query, "limit", parse_limit, limit)) {
    return Unexpected<std::string>("limit '" + query.at("limit") + "' is not a number up to " + std::to_string(most_findings));
  }
  filters.limit = limit.value_or(default_findings);
  if (auto text = query.find("q"); text != query.end()) filters.text = text->second;
  return filters;
}

Listing list_findings(const store::RunReport& run, const report::Counting& counting, const Filters& filters) {
  Listing listing;
  for (const store::Finding& finding : run.findings) {
    if (!filters.text.empty() && !contains_ignoring_case(finding.normalized, filters.text) && !finding.id.starts_with(filters.text)) continue;
    bool cause = !filters.cause || *filters.cause == finding.cause;
    bool difference = !filters.difference || *filters.difference == finding.difference;
    bool status = !filters.status || *filters.status == finding.status;
    if (difference && status) ++listing.causes[std::string(to_string(finding.cause))];
    if (cause && status) ++listing.differences[std::string(to_string(finding.difference))];
    if (cause && difference) ++listing.statuses[std::string(to_string(finding.status))];
    if (cause && difference && status) listing.findings.push_back(&finding);
  }
  // Ties keep the report's order, by id.
  std::stable_sort(listing.findings.begin(), listing.findings.end(), [&](const store::Finding* a, const store::Finding* b) {
    if (counting.counts(*a) != counting.counts(*b)) return counting.counts(*a);
    return a->events > b->events;
  });
  listing.matching = listing.findings.size();
  if (listing.findings.size() > filters.limit) listing.findings.resize(filters.limit);
  return listing;
}

}  // namespace darktap::web
