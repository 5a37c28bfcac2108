#include "names.h"

#include <charconv>

namespace darktap::store {

namespace {

template <class Enum>
std::optional<Enum> by_name(std::string_view name, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    if (to_string(static_cast<Enum>(i)) == name) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_string(Bin bin) {
  switch (bin) {
    case Bin::observed: return "observed";
    case Bin::compared: return "compared";
    case Bin::skipped: return "skipped";
    case Bin::shed: return "shed";
    case Bin::unobserved: return "unobserved";
    case Bin::opaque: return "opaque";
    case Bin::undecodable: return "undecodable";
    case Bin::target_failed: return "target_failed";
    case Bin::pending: return "pending";
  }
  return "";
}

std::string_view to_string(Vantage vantage) {
  switch (vantage) {
    case Vantage::tap: return "tap";
    case Vantage::client: return "client";
  }
  return "";
}

std::string_view to_string(TriageStatus status) {
  switch (status) {
    case TriageStatus::open: return "open";
    case TriageStatus::accepted: return "accepted";
    case TriageStatus::fixed: return "fixed";
    case TriageStatus::ignored: return "ignored";
  }
  return "";
}

std::optional<TriageStatus> parse_triage_status(std::string_view name) { return by_name<TriageStatus>(name, 4); }
std::optional<Bin> parse_bin(std::string_view name) { return by_name<Bin>(name, bin_count); }
std::optional<Vantage> parse_vantage(std::string_view name) { return by_name<Vantage>(name, 2); }

std::optional<compare::Side> parse_side(std::string_view name) {
  for (compare::Side side : {compare::Side::source, compare::Side::target, compare::Side::reference}) {
    if (compare::to_string(side) == name) return side;
  }
  return std::nullopt;
}

std::uint64_t parse_fingerprint(std::string_view hex) {
  std::uint64_t value = 0;
  auto [end, error] = std::from_chars(hex.data(), hex.data() + hex.size(), value, 16);
  return error == std::errc() && end == hex.data() + hex.size() && hex.size() == 16 ? value : rest_fingerprint;
}

}  // namespace darktap::store
