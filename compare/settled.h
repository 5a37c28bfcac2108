// Conclusions that hold for the same statement with the same two answers as long as nothing is written: a wrong row that is
// read a thousand times is examined once.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>

#include "investigation.h"

namespace darktap::compare {

inline constexpr std::size_t max_settled = 1000;
inline constexpr std::chrono::seconds settled_for{30};  // of production's time

class SettledCases {
 public:
  // The statement, its parameters, the session's schema and collation, and both answers.
  static std::string key_of(const CaseFile& file);

  // Only what time did not decide is remembered: defects and undefined order.
  void remember(const std::string& key, const CaseFile& file, const Conclusion& conclusion);
  // The earlier conclusion, with its evidence.
  std::optional<Conclusion> find(const std::string& key, const CaseFile& file, const WriteIndex& writes) const;

 private:
  struct Entry {
    Verdict verdict;
    CaptureTime read;  // when production read it
  };
  std::map<std::string, Entry> entries_;
  std::deque<std::string> order_;
};

}  // namespace darktap::compare
