// The question that most pairs of answers end with: are they equal? Pure, and callable from any thread.
#pragma once

#include "mysql/answer.h"

namespace darktap::compare {

// The same content: rows by digest and order, counts, errors by class. Columns and warnings may differ.
bool same_answer(const mysql::Answer& a, const mysql::Answer& b);

// True where two observed answers are equal in everything that a verdict could be about: rows by digest and order, counts,
// errors by class, columns, warnings. Comparer::compare would find nothing; tell Comparer::matched instead.
bool is_match(const mysql::Answer& source, const mysql::Answer& target);

}  // namespace darktap::compare
