// One case's investigation: what it knows, and the steps of its story. investigation.cpp tells the story, behind.cpp what follows
// from a target that changed its mind.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "evidence.h"
#include "explained_rows.h"
#include "inquiry.h"
#include "investigation.h"
#include "ladder.h"
#include "leeway.h"

namespace darktap::compare {

inline std::int64_t since(CaptureTime from, CaptureTime to) { return to_microseconds(to - from); }
inline std::string written(const sql::QualifiedName& table) { return table.first.empty() ? table.second : table.first + "." + table.second; }
// When others could see the write: its COMMIT's OK where it had one, unless the read came before that.
inline CaptureTime visible_from(const Attribution& found) { return !found.uncommitted && found.write->committed ? *found.write->committed : found.write->ok; }

// Writes that far back may have moved what hangs on an order.
inline constexpr std::chrono::seconds order_quiet{10};

// A refuted excuse is looked at again, since a target that lags may come to hold the rows that it lacked.
inline constexpr std::chrono::milliseconds inquiry_pause{1000};

// What a rung of the ladder brought.
struct Rung {
  enum class Reference : std::uint8_t { not_asked, heard } reference = Reference::not_asked;
  enum class Target : std::uint8_t { stays, moved } target = Target::stays;  // since the rung before
  enum class Place : std::uint8_t { between, last } place = Place::between;
};

class Investigator {
 public:
  Investigator(const CaseFile& file, Interview& interview, World world)
      : file_(file), interview_(interview), world_(world), source_(&file.exchange.answer), target_(&file.target.answer), whole_(file.plan), plan_(in_question(file)),
        last_stale_(file.target.sent) {}

  Task<Conclusion> run();

 private:
  Task<Conclusion> climb();
  Task<std::optional<Conclusion>> weigh(const mysql::Answer& target, CaptureTime agreed, CaptureTime now, Rung rung);
  Task<std::optional<Conclusion>> look_back(CaptureTime now);
  Task<bool> still_apart(CaptureTime now);
  // values_over_rows.cpp
  bool may_agree_by_chance() const;
  Task<bool> values_still_apart(CaptureTime now);
  Task<bool> list_is_out_of_order(const Table& reference, const Table& target, CaptureTime now);
  Task<bool> find_stand_ins();
  // gtid_witness.cpp
  struct GtidQuestion {
    mysql::Command command;
    std::string gtid;
  };
  std::optional<GtidQuestion> gtid_question(const SeenWrite& write, std::chrono::seconds wait) const;
  Task<bool> ask_gtid();
  Task<bool> ask_gtid_again();
  bool target_held_it_while_stale() const { return gtid_at_first_ && last_stale_ > gtid_asked_; }
  void write_gtid(JsonWriter& json, const SeenWrite* write) const;  // of that write; of any where there is none
  // older_version.cpp
  void write_older_version(JsonWriter& json) const;
  std::optional<Conclusion> passed_by() const;
  std::optional<std::string> healed_column() const;
  Task<bool> agrees_after_inquiry(const Examination& pair, CaptureTime now, bool is_first_pair);

  Conclusion verdict(Cause cause, Level level, Evidence&& extra = {}) const;
  Conclusion unexamined(const std::string& reason) const;
  Conclusion wavered(const std::string& reason) const;
  Conclusion without_questions() const;
  Conclusion undefined_order() const;
  Conclusion behind(CaptureTime agreed, bool known_to_be_older);
  Task<Conclusion> both_moved(CaptureTime agreed, CaptureTime now);
  Task<std::optional<Conclusion>> window_moved_on(CaptureTime now);
  // by_own_writes.cpp
  enum class Agreement : std::uint8_t { with_source, with_reference, at_first, none };
  bool refuted_by_ladder() const;
  std::optional<Conclusion> by_own_writes(CaptureTime agreed, Agreement agreement) const;
  Conclusion skipped(const Attribution& write, Level level) const;
  Conclusion stayed_away(const Attribution& write) const;
  Conclusion uncommitted(const Attribution& write) const;
  Conclusion settle();

  bool one_result_is_longer_than_kept() const {
    const mysql::ResultSet *a = source_->first_rows(), *b = target_->first_rows();
    return source_->results.size() == 1 && target_->results.size() == 1 && a != nullptr && b != nullptr && (!a->all_rows_kept() || !b->all_rows_kept());
  }
  const Plan& plan_for(const Examination& pair) const { return pair.part && *pair.part < whole_.parts.size() ? whole_.parts[*pair.part] : whole_; }
  static const Plan& in_question(const CaseFile& file) {
    if (file.plan.parts.empty()) return file.plan;
    Examination found = examine(file.exchange.answer, file.target.answer, file.plan);
    return found.part && *found.part < file.plan.parts.size() ? file.plan.parts[*found.part] : file.plan;
  }
  bool has_reference() const { return world_.options.reference == ComparerOptions::Reference::available; }
  bool unchanged(const mysql::Answer& target) const { return identical(*target_, target) || examine(*target_, target, whole_).agrees(); }
  std::optional<Attribution> cause_of_staleness() const;
  // standing_copy.cpp
  enum class Explained : std::uint8_t { as_a_whole, row_by_row };
  std::optional<Attribution> left_out(Explained* how = nullptr) const;
  bool copy_has_more_to_tell(bool sides_agree, bool is_last);
  Task<bool> wait_for_copy(CaptureTime now);
  bool both_stayed_apart() const;
  bool copy_refutes() const { return world_.target.reference_is_a_copy() && both_stayed_apart(); }
  Conclusion left_out_or_refuted(const Attribution& write) const;
  // Under a LIMIT a write moves other rows into the window: the leftovers don't have to hold its own.
  const RowMatch* leftovers() const { return plan_.has_limit ? nullptr : &first_.match; }
  bool environmental_error() const;
  bool reference_may_lack_write(CaptureTime now) const;
  // Was the read at the target before the write that the run replayed there?
  bool is_ahead_of_replay(const SeenWrite& write) const { return write.id.session != file_.exchange.id.session && (write.replayed == Replayed::applied || write.replayed == Replayed::applied_about_then) && (!write.kept || *write.kept > file_.target.sent); }
  std::optional<Attribution> left_out_schema() const;
  bool lacks_a_name() const;     // a table or column that the source knew
  bool depends_on_rows() const;  // for the errors of a write: could other rows have made the difference?
  // The same data may answer otherwise when asked again: then a change of mind proves no lag.
  bool hangs_on_order() const {
    if (world_.writes.written_since(file_.scope, file_.exchange.request_first - order_quiet)) return false;
    if (plan_.rows_hang_on_order || first_.relation == Relation::open) return true;
    const mysql::ResultSet* rows = source_->first_rows();  // where more was answered than is kept, the columns are known all the same
    if (rows == nullptr) return false;
    if (!first_.a && plan_.has_limit) return true;
    std::vector<Leeway> leeway = leeways(plan_, rows->columns);
    return std::any_of(leeway.begin(), leeway.end(), [](Leeway one) { return one != Leeway::none; });
  }
  void write_attribution(JsonWriter& json, const Attribution& write) const;
  Staleness staleness_of(const Attribution& write, std::optional<CaptureTime> agreed) const;

  const CaseFile& file_;
  Interview& interview_;
  World world_;
  const mysql::Answer *source_, *target_;  // as captured, or what stands in for them
  std::optional<mysql::Answer> source_stand_in_, target_stand_in_;
  const Plan& whole_;  // of all that the text says, by which answers are examined
  const Plan& plan_;   // of the statement in it whose result differs
  Examination first_, latest_;  // latest_: the target's last answer against the authority's
  Ladder ladder_;
  std::vector<mysql::Answer> references_;  // in the order of asking
  std::optional<mysql::Answer> previous_target_;
  CaptureTime last_stale_;                 // when the target was last seen with an answer that didn't agree
  std::size_t inquiries_ = 0;
  bool target_moved_ = false;              // it gave more than one answer
  bool last_chance_ = false;               // the last rung may always inquire
  CaptureTime next_inquiry_{};
  CaptureTime next_list_question_{};        // about the whole lists
  std::size_t refuted_ = 0;
  bool order_refuted_ = false;             // the last inquiry found the order itself wrong
  bool reference_differs_ = false;         // from the source's answer, when it was last asked
  bool reference_differed_ = false;        // once, at least
  bool sides_agree_without_source_ = false;
  std::string unknown_, apart_;  // why nothing could be settled: the excuse was open; the whole lists still differ
  std::string gtid_;             // of the write that may explain it, where the target could tell whether it has it
  bool gtid_at_first_ = false;
  std::optional<bool> gtid_when_agreed_;
  CaptureTime gtid_asked_{};     // for the first time
  std::shared_ptr<const SeenWrite> gtid_write_;
  struct Answered {
    CaptureTime asked, answered;
    mysql::Answer answer;
  };
  std::vector<Answered> walked_;  // the target's answers on the ladder, each as long as it stayed: asked is its last rung
  std::string refutation_;       // what the last settled inquiry showed
};

}  // namespace darktap::compare
