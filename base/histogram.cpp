#include "base/histogram.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <optional>

namespace darktap {

namespace {

constexpr unsigned sub_bucket_bits = 7;
constexpr std::uint64_t sub_buckets = 1U << sub_bucket_bits;

constexpr std::size_t fewest_placed = 64;        // buckets; fewer are found quickly in a list
constexpr std::size_t most_places_a_bucket = 8;  // a place takes half of a list's entry

// Values under 2 × 128 have a bucket each; above, each power of two is cut into 128 equal parts.
std::uint32_t bucket_of(std::uint64_t value) {
  if (value < 2 * sub_buckets) return static_cast<std::uint32_t>(value);
  unsigned shift = static_cast<unsigned>(std::bit_width(value)) - sub_bucket_bits - 1;
  return static_cast<std::uint32_t>(shift * sub_buckets + (value >> shift));
}

}  // namespace

std::uint64_t Histogram::top_of_bucket(std::uint32_t number) {
  if (number < 2 * sub_buckets) return number;
  unsigned shift = static_cast<unsigned>(number / sub_buckets) - 1;
  std::uint64_t mantissa = number - shift * sub_buckets;
  return ((mantissa + 1) << shift) - 1;
}

template <typename Visit>
void Histogram::each(const Visit& visit) const {
  for (const auto& [number, count] : listed_) visit(number, count);
  for (std::size_t i = 0; i < placed_.size(); ++i)
    if (placed_[i] != 0) visit(first_ + static_cast<std::uint32_t>(i), placed_[i]);
}

std::vector<Histogram::Bucket> Histogram::buckets() const {
  if (placed_.empty()) return listed_;
  std::vector<Bucket> filled;
  each([&](std::uint32_t number, std::uint64_t count) { filled.emplace_back(number, count); });
  return filled;
}

std::uint64_t Histogram::count_above(std::uint64_t microseconds) const {
  std::uint64_t above = 0;
  const std::uint32_t limit = bucket_of(std::min(microseconds, max_value));
  each([&](std::uint32_t number, std::uint64_t count) { above += number > limit ? count : 0; });
  return above;
}

std::uint64_t& Histogram::bucket(std::uint32_t number) {
  if (placed_.empty()) {
    auto found = std::lower_bound(listed_.begin(), listed_.end(), number, [](const Bucket& entry, std::uint32_t wanted) { return entry.first < wanted; });
    if (found != listed_.end() && found->first == number) return found->second;
    const bool is_longer = std::has_single_bit(listed_.size() + 1);
    found = listed_.insert(found, {number, 0});
    if (!is_longer) return found->second;
    spread_if_worth_it();
    return placed_.empty() ? std::lower_bound(listed_.begin(), listed_.end(), Bucket{number, 0})->second : placed_[number - first_];
  }
  if (number < first_) {
    placed_.insert(placed_.begin(), first_ - number, 0);
    first_ = number;
  }
  if (number - first_ >= placed_.size()) placed_.resize(number - first_ + 1);
  return placed_[number - first_];
}

// Looked at whenever the list has doubled.
void Histogram::spread_if_worth_it() {
  if (listed_.size() < fewest_placed) return;
  const std::size_t places = listed_.back().first - listed_.front().first + 1;
  if (places > most_places_a_bucket * listed_.size()) return;
  first_ = listed_.front().first;
  placed_.assign(places, 0);
  for (const auto& [number, count] : listed_) placed_[number - first_] = count;
  std::vector<Bucket>().swap(listed_);
}

void Histogram::record(std::uint64_t microseconds, std::uint64_t count) {
  if (count == 0) return;
  std::uint64_t value = std::min(microseconds, max_value);
  bucket(bucket_of(value)) += count;
  count_ += count;
  max_ = std::max(max_, value);
}

void Histogram::merge(const Histogram& other) {
  other.each([this](std::uint32_t number, std::uint64_t count) { bucket(number) += count; });
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
}

std::uint64_t Histogram::quantile(double share) const {
  if (count_ == 0) return 0;
  auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_)));
  wanted = std::clamp<std::uint64_t>(wanted, 1, count_);
  std::uint64_t seen = 0;
  std::optional<std::uint32_t> found;
  each([&](std::uint32_t number, std::uint64_t count) {
    seen += count;
    if (seen >= wanted && !found) found = number;
  });
  return found ? std::min(top_of_bucket(*found), max_) : max_;
}

std::string Histogram::serialize() const {
  std::string text;
  auto add = [&text](std::uint64_t value) {
    std::array<char, 20> digits;
    text.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr);
  };
  add(max_);
  each([&](std::uint32_t number, std::uint64_t count) {
    text += ' ';
    add(number);
    text += ':';
    add(count);
  });
  return text;
}

Histogram Histogram::parse(std::string_view text) {
  Histogram result;
  const char* at = text.data();
  const char* end = text.data() + text.size();
  auto number = [&](auto& value) {
    auto [next, error] = std::from_chars(at, end, value);
    at = next;
    return error == std::errc();
  };
  if (!number(result.max_)) return {};
  while (at != end) {
    std::uint32_t index = 0;
    std::uint64_t count = 0;
    if (*at++ != ' ' || !number(index) || at == end || *at++ != ':' || !number(count) || index > bucket_of(max_value)) return {};
    result.bucket(index) += count;
    result.count_ += count;
  }
  return result;
}

}  // namespace darktap
