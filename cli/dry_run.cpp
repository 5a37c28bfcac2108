#include "dry_run.h"

#include <cstdio>

#include "base/json.h"

namespace darktap::cli {

namespace {

double seconds(std::chrono::nanoseconds duration) { return std::chrono::duration<double>(duration).count(); }

void list(std::string& out, const char* title, const std::map<std::string, std::uint64_t>& counts) {
  for (const auto& [name, count] : counts) {
    char line[32];
    std::snprintf(line, sizeof line, "%12llu  ", static_cast<unsigned long long>(count));
    out += std::string(title) + line + name + "\n";
    title = "            ";
  }
}

void lines(std::string& out, const char* title, const std::vector<std::string>& values) {
  for (const std::string& value : values) {
    out += std::string(title) + value + "\n";
    title = "            ";
  }
}

}  // namespace

std::string plan_as_text(const run::Plan& plan) {
  std::string out = "Dry run: the servers were asked who they are and what tables they have; nothing else was sent.\n";
  char line[160];
  std::snprintf(line, sizeof line, "Recording   %zu sessions, at most %zu at once; %llu exchanges of %zu distinct statements in %.1f s\n", plan.sessions, plan.open_at_once,
                static_cast<unsigned long long>(plan.exchanges), plan.fingerprints, seconds(plan.recorded));
  out += line;
  if (plan.expected) std::snprintf(line, sizeof line, "Time        %.1f s at this pace\n", seconds(*plan.expected));
  else std::snprintf(line, sizeof line, "Time        as fast as the target answers\n");
  out += line;
  std::snprintf(line, sizeof line, "Connections %zu to the target, unless --target-connections says less\n", plan.open_at_once);
  out += line;
  std::snprintf(line, sizeof line, "Sent        %12llu\n", static_cast<unsigned long long>(plan.sent));
  out += line;
  list(out, "Skipped     ", plan.skipped);
  if (plan.unobserved > 0) list(out, "Unobserved  ", {{"their answers were not captured", plan.unobserved}});
  list(out, "Classes     ", plan.classes);
  list(out, "Tables read ", plan.tables);
  list(out, "   written  ", plan.tables_written);
  lines(out, "Tap needs   ", plan.tap_grants);
  lines(out, "Target needs", plan.target_grants);
  lines(out, "Ref. needs  ", plan.reference_grants);
  return out;
}

std::string plan_as_json(const run::Plan& plan) {
  JsonWriter json;
  auto counts = [&](const char* key, const std::map<std::string, std::uint64_t>& map) {
    json.key(key).begin_object();
    for (const auto& [name, count] : map) json.member(name, count);
    json.end_object();
  };
  auto names = [&](const char* key, const auto& list) {
    json.key(key).begin_array();
    for (const std::string& name : list) json.string(name);
    json.end_array();
  };
  json.begin_object();
  json.member("sessions", plan.sessions).member("connections", plan.open_at_once).member("exchanges", plan.exchanges).member("fingerprints", plan.fingerprints);
  json.member("recorded_us", to_microseconds(plan.recorded));
  if (plan.expected) json.member("expected_us", to_microseconds(*plan.expected));
  else json.key("expected_us").null();
  json.member("sent", plan.sent).member("unobserved", plan.unobserved);
  counts("skipped", plan.skipped);
  counts("classes", plan.classes);
  counts("tables", plan.tables);
  counts("tables_written", plan.tables_written);
  names("schemas", plan.schemas);
  names("users", plan.users);
  names("servers", plan.servers);
  json.key("grants").begin_object();
  names("tap", plan.tap_grants);
  names("target", plan.target_grants);
  names("reference", plan.reference_grants);
  json.end_object().end_object();
  return json.take();
}

}  // namespace darktap::cli
