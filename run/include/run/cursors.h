// Server-side cursors. The capture has an execute that answers with columns alone, and fetches that bring the rows; the target
// executes without a cursor. What was fetched is joined and laid beside the target's rows when the last of it was seen. Pure.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "replay/replayer.h"
#include "session/exchange.h"
#include "store/model.h"

namespace darktap::run {

// An execute after which rows come by COM_STMT_FETCH. (The flag alone says only what the client wished.)
bool opens_cursor(const session::Exchange& exchange);

struct CursorLimits {
  std::size_t rows = 1000, bytes = std::size_t{4} << 20;  // kept of one cursor, as of any other answer
  std::size_t all_bytes = std::size_t{64} << 20;          // kept of all that are open
  std::size_t fetches = 1'000'000;                        // remembered of all that are open; further ones are skipped
};

class Cursors {
 public:
  // Reasons of the ledger for what can't be compared.
  static constexpr const char* unfetched = "cursor";                       // its execute was not replayed, or not seen
  static constexpr const char* closed_early = "cursor_closed_early";       // rows were left unfetched, and those seen are not the target's first
  static constexpr const char* not_kept = "cursor_rows_not_kept";          // more rows at once than an answer keeps, in an order that counts
  static constexpr const char* fetch_unobserved = "cursor_fetch_unobserved";  // the tap lost one of its fetches

  // A cursor that has come to its end, with the fetches that end with it.
  struct Judged {
    enum class How : std::uint8_t {
      whole,  // the exchange's answer holds all rows that were fetched
      equal,  // closed before its last row, and what was fetched are the target's first rows
      left,   // neither, for the reason given
    } how = How::whole;
    session::Exchange exchange;
    replay::MeaningPtr meaning;
    replay::TargetAnswer target;
    std::vector<session::ExchangeId> fetches;
    std::string reason;
    store::Bin bin = store::Bin::compared;  // of the fetches; where it isn't compared nothing but these is told
  };

  explicit Cursors(const CursorLimits& limits = {}) : limits_(limits) {}

  // An execute that opens a cursor is about to be replayed.
  void open(const session::Exchange& execute);
  // True where the fetch belongs to an open cursor, and will come back with it.
  bool fetched(const session::Exchange& fetch);
  // The client closed, reset or executed its statement again.
  void close(SessionId session, std::uint32_t statement);
  void end_session(SessionId session);
  void end();

  // What became of the execute at the target.
  void answered(session::Exchange&& execute, const replay::MeaningPtr& meaning, replay::TargetAnswer&& target);
  void drop(const session::Exchange& execute, store::Bin bin, const std::string& reason);

  std::optional<Judged> next();

 private:
  struct Cursor {
    session::ExchangeId execute;
    mysql::ResultSet rows;
    std::size_t bytes = 0;
    CaptureTime last;
    std::vector<session::ExchangeId> fetches;
    bool has_all_rows = true;   // kept, of those that were fetched
    bool has_lost = false;      // a fetch whose answer the tap did not see
    bool is_whole = false;      // the last row was sent
    bool is_closed = false;
    struct Replay {
      session::Exchange exchange;
      replay::MeaningPtr meaning;
      replay::TargetAnswer target;
    };
    std::optional<Replay> replayed;
  };
  using Key = std::pair<SessionId, std::uint32_t>;
  using Entry = std::map<Key, Cursor>::iterator;

  void shut(Entry entry);
  void finish(Cursor&& cursor);

  const CursorLimits limits_;
  std::map<Key, Cursor> open_;
  std::map<session::ExchangeId, Cursor> closed_;  // that wait for the target's answer
  std::deque<Judged> judged_;
  std::size_t kept_bytes_ = 0, kept_fetches_ = 0;
};

}  // namespace darktap::run
