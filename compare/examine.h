// Lays two answers to one statement side by side and says what follows from them alone: the same, different, excused by
// proof, or open: an excuse is possible, but only the servers can tell.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "compare/verdict.h"
#include "mysql/answer.h"
#include "plan.h"
#include "row_match.h"

namespace darktap::compare {

enum class Relation : std::uint8_t { same, excused, open, different };

// What would have to be true for an open pair to be excused.
enum class OpenQuestion : std::uint8_t {
  none,
  equal_spellings,   // ORDER BY keys that are spelled differently are equal under the source's collation
  cut_in_ties,       // the rows on one side only belong to the tie group that LIMIT cuts
  unordered_limit,   // LIMIT without a useful ORDER BY: the rows on one side only exist on the other side too
  hidden_keys,       // ORDER BY keys that are not in the output
  representatives,   // which spelling stands for a group, which row gave a bare column, how floats were added up …
  rows_below,        // which rows come out hangs on an order in a subquery: both sides must hold the same rows below
};

// Two spellings of one ORDER BY key at the same place.
struct Spellings {
  std::size_t key = 0;  // of Plan::keys
  std::string a, b;
  auto operator<=>(const Spellings&) const = default;
};

struct Examination {
  Relation relation = Relation::same;
  Difference difference = Difference::row_values;
  Cause cause = Cause::defect;  // where excused: the excuse; where different: what it is if it stays so
  std::string evidence;         // members of a JSON object
  std::set<std::string_view> rules;  // named rules that made cells equal, in whatever relation

  OpenQuestion open = OpenQuestion::none;
  std::vector<Spellings> spellings;  // also for cut_in_ties and representatives
  bool hidden_order = false;         // representatives: the paired rows' order hangs on keys that are not in the output
  // Of a text of several statements: which result it is about, and those that are open beside it.
  std::optional<std::size_t> part;
  std::vector<std::shared_ptr<const Examination>> also_open;
  // Present where both are row sets whose rows were all kept.
  std::shared_ptr<const Table> a, b;
  RowMatch match;

  bool agrees() const { return relation == Relation::same || relation == Relation::excused; }
};

// Which of the two is the authority decides how a difference is named: a is the source (or the reference), b the target.
Examination examine(const mysql::Answer& a, const mysql::Answer& b, const Plan& plan);

// Equal as they came: no plan is needed, nothing is decoded.
bool identical(const mysql::Answer& a, const mysql::Answer& b);

}  // namespace darktap::compare
