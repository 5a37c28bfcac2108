// The A/A phase of a run (--calibrate N): the first N reads are asked twice of the reference, one after the other. A statement
// that the reference itself answers differently is noisy: where it then differs on the target, the reference is sampled at every
// rung of the ladder. Calibration alone excuses nothing.
#pragma once

#include <deque>
#include <optional>
#include <set>
#include <unordered_map>

#include "client/asker.h"
#include "compare/comparer.h"

namespace darktap::run {

class Calibration {
 public:
  static constexpr std::size_t max_of_a_statement = 5;   // executions
  static constexpr std::size_t max_waiting = 1000;       // reads that wait for their turn
  static constexpr std::size_t max_statement_bytes = 64 * 1024;

  // Both must outlive it; a reference may come later. reads: 0 for none.
  Calibration(compare::Comparer& comparer, std::optional<client::Asker>& reference, std::size_t reads) : comparer_(comparer), reference_(reference), reads_(reads) {}

  void note(const session::Exchange& exchange, const sql::Meaning& meaning);
  // Puts the next pair, as far as the budget of questions goes.
  void turn(CaptureTime now);
  bool is_idle() const { return !under_way_ && (waiting_.empty() || !reference_); }
  std::size_t asked() const { return asked_; }
  std::size_t noisy() const { return noisy_.size(); }
  compare::Comparer::QuestionCount questions() const { return count_; }

 private:
  struct Read {
    std::uint64_t fingerprint = 0;
    std::string schema;
    std::uint16_t collation = 0;
    mysql::Command command;
  };
  void heard(const Read& read, Expected<client::Reply, std::string>&& reply);

  compare::Comparer& comparer_;
  std::optional<client::Asker>& reference_;
  std::size_t reads_, taken_ = 0, asked_ = 0;
  std::deque<Read> waiting_;
  std::unordered_map<std::uint64_t, std::size_t> of_statement_;
  std::optional<mysql::Answer> first_;  // of the pair that is under way
  bool under_way_ = false;
  std::set<std::uint64_t> noisy_;
  compare::Comparer::QuestionCount count_;
};

}  // namespace darktap::run
