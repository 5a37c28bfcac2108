// A mergeable log-linear histogram of durations (HdrHistogram's layout, http://hdrhistogram.org): 128 linear sub-buckets a
// power of two give a relative error of at most 1/128. Values are microseconds; above one hour they count as one hour.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace darktap {

class Histogram {
 public:
  static constexpr std::uint64_t max_value = 3'600'000'000;  // one hour in microseconds

  void record(std::uint64_t microseconds, std::uint64_t count = 1);
  void merge(const Histogram& other);
  std::uint64_t count() const { return count_; }
  std::uint64_t max() const { return max_; }
  // The smallest bucket top that at least the given share (0..1) of the values lie at or under; 0 when empty.
  std::uint64_t quantile(double share) const;
  std::uint64_t count_above(std::uint64_t microseconds) const;  // to the resolution of a bucket

  // The filled buckets, ascending: {number, count}. Two histograms' buckets of one number cover the same values.
  using Bucket = std::pair<std::uint32_t, std::uint64_t>;
  std::vector<Bucket> buckets() const;
  static std::uint64_t top_of_bucket(std::uint32_t number);  // the largest value that falls into it

  // A compact text of the filled buckets, for storage; parse gives an equal histogram, and an empty one for bad text.
  std::string serialize() const;
  static Histogram parse(std::string_view text);
  bool operator==(const Histogram& other) const { return max_ == other.max_ && buckets() == other.buckets(); }

 private:
  std::uint64_t& bucket(std::uint32_t number);
  void spread_if_worth_it();
  template <typename Visit>
  void each(const Visit& visit) const;

  // Most fingerprints are rare: theirs are listed, sorted. Of those with many buckets close together each has its place, from first_ on.
  std::vector<Bucket> listed_;
  std::vector<std::uint64_t> placed_;
  std::uint32_t first_ = 0;
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace darktap
