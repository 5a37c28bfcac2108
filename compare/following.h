// Does the target follow production by replication? Told by an option, or found out: a write that the run left out shows up there,
// or it stays away from so many ladders that nothing brings it.
#pragma once

#include "compare/comparer.h"

namespace darktap::compare {

enum class Follows : std::uint8_t { unknown, yes, no };

class Following {
 public:
  // So many reads of rows that a left-out write has changed kept their first answer for a whole ladder.
  static constexpr unsigned enough_ladders = 10;
  // So many reads showed that the reference lacks left-out writes, too: it is a backup that nothing is added to.
  static constexpr unsigned enough_lacks = 3;

  explicit Following(ComparerOptions::TargetFollows told) { tell(told); }
  void tell(ComparerOptions::TargetFollows told) {
    using Told = ComparerOptions::TargetFollows;
    automatic_ = told == Told::automatic;
    follows_ = told == Told::yes ? Follows::yes : told == Told::no ? Follows::no : Follows::unknown;
  }

  Follows follows() const { return follows_; }
  bool is_inferred() const { return automatic_; }
  void write_arrived() {
    if (automatic_) follows_ = Follows::yes;
  }
  void write_stayed_away() {
    if (automatic_ && follows_ == Follows::unknown && ++ladders_ >= enough_ladders) follows_ = Follows::no;
  }

  // It was seen to change its mind where no write of the run's own had come to it.
  void seen_to_lag() { lags_ = true; }
  bool lags() const { return lags_; }

  void reference_lacked_write() { ++lacks_; }
  bool reference_stands_still() const { return lacks_ >= enough_lacks; }
  // It gave the source's answer where that shows a left-out write.
  void reference_showed_write() { shows_ = true; }
  // More is needed to believe that wherever it differs from the target a row is wrong.
  bool reference_may_be_a_copy() const { return lacks_ < enough_ladders && !shows_; }
  bool reference_is_a_copy() const { return lacks_ >= enough_ladders && !shows_; }

 private:
  Follows follows_ = Follows::unknown;
  bool automatic_ = true, lags_ = false, shows_ = false;
  unsigned ladders_ = 0, lacks_ = 0;
};

}  // namespace darktap::compare
