// Is the order of b's rows one that the statement allows, given a's? Both hold the same rows.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "examine.h"

namespace darktap::compare {

enum class KeyOrder : std::uint8_t {
  same_keys,  // row for row the same keys: only ties are permuted
  spellings,  // … if some differently spelled text keys are equal
  violated,
};
struct KeySequence {
  KeyOrder order = KeyOrder::same_keys;
  std::vector<Spellings> spellings;  // each once, sorted
  std::size_t first_violation = 0;   // row
};
// Every key is a column of the output, and both tables have as many rows. Where these are the very same rows, what a key might have
// been instead leaves nothing open: each server shows the one that it sorted by.
enum class KeyLeeway : std::uint8_t { counts, same_rows };
KeySequence compare_key_sequences(const Table& a, const Table& b, const Plan& plan, KeyLeeway rows = KeyLeeway::counts);

// The order of a complete match that is not in place.
void judge_order(Examination& examination, const Plan& plan);

// The rows of one tie: [begin, end) in the table, by the bytes of the keys.
struct TieGroup {
  std::size_t begin = 0, end = 0;
};
TieGroup tie_around(const Table& table, std::size_t row, const Plan& plan);

// Could some collation hold the two texts equal? Not where plain letters and digits differ by more than case.
bool may_be_equal(std::string_view a, std::string_view b);

// How many characters both texts begin with alike, as long as each of them is a letter, a digit or the like to every character set: of a
// long text a server sorts by the first max_sort_length bytes only (1,024 by default). Nothing below long_beginning, nor where one text
// is the other's beginning.
inline constexpr std::size_t long_beginning = 1000;
std::size_t shared_beginning(std::string_view a, std::string_view b);
// May the two be ties: under some collation, or by their beginnings?
bool may_sort_alike(std::string_view a, std::string_view b);

bool same_key(const Table& a, std::size_t row_a, const Table& b, std::size_t row_b, const Plan& plan);

// The same, but for spellings that a collation may hold equal.
bool may_tie(const Table& a, std::size_t row_a, const Table& b, std::size_t row_b, const Plan& plan);

// Numbers and times sort as everyone knows: is the sequence of these columns, which hold the ORDER BY keys, out of order by itself?
bool out_of_order(const Table& table, const std::vector<std::size_t>& key_columns, const Plan& plan);
// The table's columns from the first one on: keys that were projected behind the statement's own.
std::vector<std::size_t> columns_from(std::size_t first, const Table& table);

// "keys": [{"key", "descending", "column"}]
void write_keys(JsonWriter& json, const Plan& plan);

}  // namespace darktap::compare
