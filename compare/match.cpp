#include "compare/match.h"

#include "examine.h"
#include "side_verdicts.h"

namespace darktap::compare {

bool same_answer(const mysql::Answer& a, const mysql::Answer& b) { return identical(a, b); }

bool is_match(const mysql::Answer& source, const mysql::Answer& target) {
  using State = mysql::Answer::State;
  return source.state == State::complete && target.state == State::complete && identical(source, target) && !column_verdict(source, target) &&
         !warning_verdict(source, target, Evaluated::all);
}

}  // namespace darktap::compare
