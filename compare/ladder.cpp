#include "ladder.h"

#include <algorithm>

#include "investigation.h"

namespace darktap::compare {

void Ladder::mark_target_agreed() {
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
    if (entry->side != Side::target) continue;
    entry->agrees = true;
    return;
  }
}

void Ladder::write(JsonWriter& json) const {
  json.key("ladder").begin_array();
  // Of rungs that brought the same, the first and the last: how many lay between hangs on the machine's haste.
  auto same = [](const LadderEntry& x, const LadderEntry& y) { return x.digest == y.digest && x.agrees == y.agrees; };
  auto next_of_side = [&](auto from, auto end, Side side) { return std::find_if(from, end, [&](const LadderEntry& one) { return one.side == side; }); };
  for (auto at = entries_.begin(); at != entries_.end(); ++at) {
    const LadderEntry& entry = *at;
    auto next = next_of_side(at + 1, entries_.end(), entry.side);
    auto before = next_of_side(std::make_reverse_iterator(at), entries_.rend(), entry.side);
    bool between = next != entries_.end() && before != entries_.rend() && same(*next, entry) && same(*before, entry);
    if (between) continue;
    json.begin_object().member("at_us", entry.at_us).member("side", to_string(entry.side));
    json.member("digest", entry.digest).member("agrees", entry.agrees).end_object();
  }
  json.end_array();
}

std::string digest_of(const mysql::Answer& answer) {
  if (const mysql::ServerError* error = answer.error()) return "error " + std::to_string(error->code);
  if (const mysql::ResultSet* rows = answer.first_rows()) return to_hex(rows->digests().ordered_low);
  return std::string(mysql::to_string(answer.kind()));
}

std::chrono::nanoseconds rung_offset(std::size_t rung, std::chrono::nanoseconds limit) {
  using std::chrono::milliseconds;
  constexpr milliseconds first[]{milliseconds(0), milliseconds(50), milliseconds(100), milliseconds(200), milliseconds(400)};
  if (rung < std::size(first)) return std::min<std::chrono::nanoseconds>(first[rung], limit);
  double offset = 400e6;
  for (std::size_t i = std::size(first); i <= rung && offset < static_cast<double>(limit.count()); ++i) offset *= 1.2;
  return std::min(std::chrono::nanoseconds(static_cast<std::int64_t>(offset)), limit);
}

std::size_t last_rung(std::chrono::nanoseconds limit) {
  std::size_t rung = 0;
  while (rung_offset(rung, limit) < limit) ++rung;
  return rung;
}

}  // namespace darktap::compare
