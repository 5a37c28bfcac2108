// The source's time, written into a write's text, for targets that will not be told it (vtgate), and for SYSDATE(), which
// SET timestamp does not reach. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "sql/meaning.h"

namespace darktap::replay {

// What a target makes of SET timestamp.
enum class TargetClock : std::uint8_t {
  told,         // NOW() and SYSDATE() follow it
  told_of_now,  // NOW() alone: as servers come
  its_own,      // it refuses or ignores it
};

// The text with its clock functions as expressions of a literal (FROM_UNIXTIME(1700000000.250) for NOW(3)), so that they mean the
// same in any time zone; byte for byte the same elsewhere. Nothing where there is nothing to write in, or it can't be done with certainty.
std::optional<std::string> with_time_written_in(std::string_view text, const sql::Meaning& meaning, const sql::Dialect& dialect, CaptureTime time, TargetClock clock);

}  // namespace darktap::replay
