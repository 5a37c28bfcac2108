// A LIMIT cut excuses a row only where the other server holds it too, in the place that was cut.
#pragma once

#include <map>
#include <memory>

#include "inquiry.h"

namespace darktap::compare {

// Rows by row_key, and how often each is there.
using RowCounts = std::map<std::string, std::size_t>;

// The rows from which either server might have chosen: what both answered to every question.
struct Choices {
  std::vector<std::shared_ptr<const Table>> reference_tables, target_tables;  // a question each
  std::vector<RowCounts> reference, target;  // the same, by the plan's columns
  RowCounts reference_inside, target_inside;  // what the statement shows strictly between the cuts, where that was asked
  RowCounts reference_window, target_window;  // what the statement itself shows there, where that was asked too
  std::size_t reference_rows = 0, target_rows = 0;
  bool whole = true;   // no answer was as long as the bound
  std::string reason;  // why there are none; empty where there are
  std::string evidence;
};
RowCounts count_rows(const Table& table, ColumnPlans plan);
Task<Choices> ask_choices(const Plan& plan, std::vector<mysql::Command> questions, Interview& interview, CaptureTime now);

// Excused where each side's leftovers are among what the other side might have chosen.
// columns: how rows are told apart; the plan's, or wider ones, for which the window's own rows don't count.
InquiryResult check_containment(const Examination& open, const Plan& plan, ColumnPlans columns, const Choices& choices);

// Is each row on one side only among what the other side might have chosen, in another spelling at most?
bool held_within(const Examination& open, const Plan& plan, const Choices& choices);

}  // namespace darktap::compare
