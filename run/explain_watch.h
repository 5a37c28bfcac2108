// How both servers run a statement that one of them answers wrongly or slowly: EXPLAIN, put to target and reference. Asked of one
// execution a statement, the smallest by hash(session, seq), so that threads don't decide; at most once a quarter of an hour and
// once more at the run's end.
#pragma once

#include <deque>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>

#include "client/asker.h"
#include "compare/comparer.h"
#include "store/store.h"

namespace darktap::run {

class ExplainWatch {
 public:
  static constexpr std::size_t max_statements = store::fingerprint_cap;
  static constexpr std::size_t max_statement_bytes = 16 * 1024, max_bytes = 32 << 20;  // of a statement; of all
  static constexpr std::size_t shown_rows = 30;                                        // of a plan
  static constexpr std::chrono::minutes between_plans{15};

  // Of the sides to ask: a reference that is production itself gets the ladder's reads only.
  enum class Sides : std::uint8_t { both, target };
  // vtgate hands EXPLAIN to one of its shards; how it runs a statement over all of them is VEXPLAIN's to say.
  enum class TargetKind : std::uint8_t { server, vtgate };
  // Both must outlive it; a reference may come later, or never.
  ExplainWatch(client::Asker& target, std::optional<client::Asker>& reference, Sides sides, double questions_per_second, TargetKind kind);

  // Every exchange passes here: one execution of each read is kept.
  void note(const session::Exchange& exchange, const sql::Meaning& meaning);
  void want(std::uint64_t fingerprint) { wanted_.insert(fingerprint); }
  // Queues what is wanted and was not asked lately; the last one whatever has another sample by now.
  enum class Round : std::uint8_t { between, last };
  void begin(Round round);
  // Puts the next question where it is due, and hands over what was answered.
  void turn(store::RunWriter& writer);
  bool is_idle() const { return queue_.empty() && open_ == 0; }
  compare::Comparer::QuestionCount questions(compare::Side side) const { return counts_[static_cast<std::size_t>(side)]; }

 private:
  struct Sample {
    std::uint64_t rank = 0;
    std::string schema;
    std::uint16_t collation = 0;
    mysql::Command command;
    std::size_t bytes() const { return schema.size() + command.text.size() + command.parameters.size() * sizeof(mysql::Parameter); }
  };
  struct Asked {
    std::optional<std::string> reference, target;  // JSON
    unsigned missing = 0;
  };
  enum class Tried : std::uint8_t { vexplain, explain, explain_last };

  void ask(std::uint64_t fingerprint, compare::Side side, Tried tried);
  void heard(std::uint64_t fingerprint, compare::Side side, Tried tried, Expected<client::Reply, std::string>&& reply);

  client::Asker& target_;
  std::optional<client::Asker>& reference_;
  Sides sides_;
  TargetKind kind_;
  std::chrono::nanoseconds pause_;
  std::unordered_map<std::uint64_t, Sample> samples_;
  std::size_t bytes_ = 0;
  std::set<std::uint64_t> wanted_;
  struct LastAsked {
    std::chrono::steady_clock::time_point when;
    std::uint64_t rank = 0;
  };
  std::unordered_map<std::uint64_t, LastAsked> last_asked_;
  std::deque<std::uint64_t> queue_;
  std::unordered_map<std::uint64_t, Asked> asked_;
  std::vector<std::pair<std::uint64_t, std::string>> done_;
  std::size_t open_ = 0;
  std::chrono::steady_clock::time_point next_;
  compare::Comparer::QuestionCount counts_[3];
};

}  // namespace darktap::run
