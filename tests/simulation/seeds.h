// What was planted, and what was reported as its cause.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <utility>

class Confusion {
 public:
  void count(const std::string& planted, const std::string& reported) { ++cells_[{planted, reported}]; }
  void add(const Confusion& other) {
    for (const auto& [cell, n] : other.cells_) cells_[cell] += n;
  }
  std::size_t of(const std::string& planted, const std::string& reported) const {
    auto cell = cells_.find({planted, reported});
    return cell == cells_.end() ? 0 : cell->second;
  }
  // As a table: a row for what was planted, a column for what was reported.
  void print() const {
    std::set<std::string> rows, columns;
    for (const auto& [cell, n] : cells_) {
      rows.insert(cell.first);
      columns.insert(cell.second);
    }
    std::string head = "| planted |", line = "|---|";
    for (const std::string& column : columns) {
      head += " " + column + " |";
      line += "---|";
    }
    std::printf("%s\n%s\n", head.c_str(), line.c_str());
    for (const std::string& row : rows) {
      std::printf("| %s |", row.c_str());
      for (const std::string& column : columns) {
        std::size_t n = of(row, column);
        std::printf(" %s |", n == 0 ? "" : std::to_string(n).c_str());
      }
      std::printf("\n");
    }
  }

 private:
  std::map<std::pair<std::string, std::string>, std::size_t> cells_;
};

// Of the 500 that a test is named after, a build with sanitizers runs the first: it takes ten times as long for the same verdicts.
#ifdef __SANITIZE_ADDRESS__
inline constexpr std::uint64_t seeds_a_test = 40;
#else
inline constexpr std::uint64_t seeds_a_test = 500;
#endif

// DARKTAP_SIMULATION_SEEDS: "346" or "1-5000"; 1 to 100 where it isn't given.
inline std::pair<std::uint64_t, std::uint64_t> wanted_seeds() {
  const char* given = std::getenv("DARKTAP_SIMULATION_SEEDS");
  if (given == nullptr) return {1, 100};
  std::string text = given;
  std::size_t dash = text.find('-');
  std::uint64_t first = std::stoull(text);
  return {first, dash == std::string::npos ? first : std::stoull(text.substr(dash + 1))};
}
