#include "accepted.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/expected.h"

namespace darktap::cli {

namespace {

using nlohmann::json;

constexpr std::size_t accepted_limit = std::size_t{256} << 20;  // bytes; a report of 20,000 fingerprints has some 100 MiB at most
constexpr std::size_t id_digits = 16;

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw Failure(FailureKind::usage, "--accept " + path + ": " + why +
                                        "; give a report (darktap report STORE --format json), or {\"accepted\": [\"0123456789abcdef\", …]}");
}

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text;
  for (char buffer[1 << 16]; file.read(buffer, sizeof buffer) || file.gcount() > 0;) {
    text.append(buffer, static_cast<std::size_t>(file.gcount()));
    if (text.size() > accepted_limit) refuse(path, "is longer than " + std::to_string(accepted_limit >> 20) + " MiB");
  }
  if (!file.eof()) refuse(path, "can't be read");
  return text;
}

bool is_id(const std::string& text) {
  return text.size() == id_digits && std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

std::set<std::string, std::less<>> read_accepted(const std::string& path) {
  json whole = json::parse(text_of(path), nullptr, false);
  if (whole.is_discarded()) refuse(path, "is not JSON");
  bool report = whole.is_object() && whole.contains("findings");
  const json* list = report ? &whole["findings"] : whole.is_object() && whole.contains("accepted") ? &whole["accepted"] : &whole;
  if (!list->is_array()) refuse(path, "holds no list of findings");
  std::set<std::string, std::less<>> ids;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const json& entry = (*list)[i];
    const json* id = entry.is_object() ? (entry.contains("id") ? &entry["id"] : nullptr) : &entry;
    if (id == nullptr || !id->is_string() || !is_id(*id)) refuse(path, "entry " + std::to_string(i + 1) + " of its list has no id of 16 hex digits");
    if (report && entry.value("status", json()) == "fixed") continue;  // it came back: that is news
    ids.insert(*id);
  }
  return ids;
}

}  // namespace darktap::cli
