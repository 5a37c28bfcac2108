// A recording in one file or in several: OUT.dtap, or OUT-000001.dtap and so on where it is split by size or time. Each file is
// complete: it has its counters, and the sessions that were open when it began.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "session/recording.h"
#include "session/row_seal.h"
#include "session/session_settings.h"
#include "session/understanding.h"

namespace darktap::cli {

struct Splitting {
  std::uint64_t bytes = 0;              // 0: not by size
  std::chrono::nanoseconds time{0};     // 0: not by time
  bool any() const { return bytes > 0 || time.count() > 0; }
};

// What the recording must not tell.
struct Discretion {
  std::optional<session::SealKey> key{};  // rows are sealed with it
  session::RecordingOptions::Statements statements = session::RecordingOptions::Statements::verbatim;
};

class RecordingSeries final : public session::ExchangeSink {
 public:
  // How often what was recorded is written out: what a crash may cost.
  static constexpr std::chrono::milliseconds flush_interval{500};
  using Counters = std::function<session::TapCounters()>;

  // Opens the first file. `counters` tells what the tap has counted so far.
  RecordingSeries(const std::string& path, const Splitting& splitting, const std::string& captured_from, Counters counters,
                  const Discretion& discretion = {});

  void on_session(const session::SessionInfo& info) override;
  void on_exchange(session::Exchange& exchange) override;
  void on_session_end(SessionId session, CaptureTime time) override;

  // Makes the file at hand that user's, before we become that user.
  void give_to(unsigned user, unsigned group) const;
  // Writes out what was recorded, where it is time to. True where it is also time to rotate().
  bool flush_and_is_due();
  // Goes on in another file: in the first one's name where somebody has moved that away, else in the next number. Throws
  // Failure(environment) where it can't be made; the file at hand stays open then.
  void rotate();
  // Writes the last file's counters.
  void finish(const session::TapCounters& all);
  // What each file's end tells of the tap's place: as measured up to then.
  void tell_round_trips(std::function<RoundTrips()> round_trips) { round_trips_ = std::move(round_trips); }

  std::uint64_t sessions() const { return sessions_; }
  std::uint64_t exchanges() const { return exchanges_; }
  const std::string& current() const { return current_; }
  std::uint64_t files() const { return files_; }
  static std::string folder_of(const std::string& path);

 private:
  std::string numbered(std::uint64_t number) const;
  std::string next_path();
  void open(const std::string& path);
  session::TapCounters since_last_file(const session::TapCounters& all) const;

  std::string path_, captured_from_;
  session::RecordingOptions options_;
  std::optional<session::RowSeal> seal_;
  session::Understanding understanding_;  // of statements that are redacted
  session::SessionSettings settings_;     // what the sessions carry into the next file
  Splitting splitting_;
  Counters counters_;
  std::function<RoundTrips()> round_trips_;
  std::uint64_t number_ = 0;  // of the last numbered file
  std::unique_ptr<session::RecordingWriter> writer_;
  std::string current_;
  std::map<SessionId, session::SessionInfo> open_sessions_;
  session::TapCounters before_;  // all that was counted when this file began
  std::uint64_t sessions_ = 0, exchanges_ = 0, files_ = 0, sessions_here_ = 0, carried_here_ = 0;
  std::chrono::steady_clock::time_point opened_{}, flushed_{};
};

}  // namespace darktap::cli
