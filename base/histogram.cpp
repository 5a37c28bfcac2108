#include "base/histogram.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>

namespace darktap {

namespace {

constexpr unsigned sub_bucket_bits = 7;
constexpr std::uint64_t sub_buckets = 1U << sub_bucket_bits;

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

std::uint64_t Histogram::count_above(std::uint64_t microseconds) const {
  std::uint64_t above = 0;
  std::uint32_t limit = bucket_of(std::min(microseconds, max_value));
  for (auto at = buckets_.rbegin(); at != buckets_.rend() && at->first > limit; ++at) above += at->second;
  return above;
}

std::uint64_t& Histogram::bucket(std::uint32_t index) {
  auto before = [](const auto& entry, std::uint32_t wanted) { return entry.first < wanted; };
  // Numbers hardly have gaps where most values are: a bucket stands about as far from the first as its number, and never farther.
  std::size_t high = 0, low = 0;
  if (!buckets_.empty() && index >= buckets_.front().first) {
    low = std::min<std::size_t>(index - buckets_.front().first, buckets_.size() - 1);
    high = std::min(low + 1, buckets_.size());
    for (std::size_t step = 1; buckets_[low].first > index; step *= 2) {
      high = low;
      low -= std::min(step, low);
    }
  }
  auto found = std::lower_bound(buckets_.begin() + static_cast<std::ptrdiff_t>(low), buckets_.begin() + static_cast<std::ptrdiff_t>(high), index, before);
  if (found == buckets_.end() || found->first != index) found = buckets_.insert(found, {index, 0});
  return found->second;
}

void Histogram::record(std::uint64_t microseconds, std::uint64_t count) {
  if (count == 0) return;
  std::uint64_t value = std::min(microseconds, max_value);
  bucket(bucket_of(value)) += count;
  count_ += count;
  max_ = std::max(max_, value);
}

void Histogram::merge(const Histogram& other) {
  for (auto [index, count] : other.buckets_) bucket(index) += count;
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
}

std::uint64_t Histogram::quantile(double share) const {
  if (count_ == 0) return 0;
  auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_)));
  wanted = std::clamp<std::uint64_t>(wanted, 1, count_);
  std::uint64_t seen = 0;
  for (auto [index, count] : buckets_) {
    seen += count;
    if (seen >= wanted) return std::min(top_of_bucket(index), max_);
  }
  return max_;
}

std::string Histogram::serialize() const {
  std::string text = std::to_string(max_);
  for (auto [index, count] : buckets_) text += " " + std::to_string(index) + ":" + std::to_string(count);
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
    if (*at++ != ' ' || !number(index) || at == end || *at++ != ':' || !number(count)) return {};
    result.bucket(index) += count;
    result.count_ += count;
  }
  return result;
}

}  // namespace darktap
