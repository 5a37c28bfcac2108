// A window (ORDER BY … LIMIT n) that later writes have moved on, so that the target never shows the source's rows any more. Was its
// first answer the window of an earlier moment, without the last writes that the read should have met?
#pragma once

#include <optional>
#include <vector>

#include "examine.h"
#include "sql/catalogue.h"
#include "write_index.h"

namespace darktap::compare {

inline constexpr std::size_t max_window_writes = 20'000;     // that are looked at, the last ones
inline constexpr std::size_t max_window_moments = 2'000;     // at which the target may have stood
inline constexpr std::size_t window_rows_beyond = 1'000;     // of the list that are asked for, beyond the window's own

// Does each row of the answer stand for rows of its tables as they are, cut out of a list that something sorts?
bool is_window(const Plan& plan);

struct WindowNow {
  const Table &reference, &target;  // the list's first rows, asked for by now: the plan's columns in front
  std::vector<std::size_t> keys;    // its columns that hold the ORDER BY keys
};

struct EarlierWindow {
  std::shared_ptr<const SeenWrite> last;  // that the target had met; none: it had met none of those that were looked at
  std::size_t lacked = 0;                 // writes to what is read between that one and the read
};

// Nothing where no moment explains the first pair, row by row and cell by cell: each row of the source's that the target lacked was
// written by those that it hadn't met, or stood behind its window; each row of the target's is as it was at that moment; no row is
// passed over; and of all these both servers hold the same by now.
std::optional<EarlierWindow> find_earlier_window(const Examination& first, const Plan& plan, const sql::Catalogue& catalogue, const std::vector<DatedWrite>& writes,
                                                 const WindowNow& now);

}  // namespace darktap::compare
