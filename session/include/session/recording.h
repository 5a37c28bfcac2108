// Recordings (.dtap): sessions and their exchanges in a file. The format is in docs/recording.md.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/round_trips.h"
#include "session/exchange.h"

namespace darktap::session {

// What a recording says about itself, so that a reader knows before the first exchange.
struct RecordingOptions {
  enum class Rows : std::uint8_t { full, sealed } rows = Rows::full;
  enum class Statements : std::uint8_t { verbatim, redacted } statements = Statements::verbatim;
  std::uint64_t key_id = 0;  // of the key that sealed the rows
  std::uint32_t part = 0;    // of a series, from 0
};

// Appends to a new file, created 0600 and never through a symlink. Records gather in a block that is compressed,
// checksummed and written when it is full or when flush() is called; after a crash the reader gets every whole block.
// Throws Failure(environment) where the file can't be written; what was written before stays readable.
class RecordingWriter final : public ExchangeSink {
 public:
  static constexpr std::size_t block_bytes = 1U << 20;

  explicit RecordingWriter(const std::string& path, const RecordingOptions& options = {});
  ~RecordingWriter() override;

  // Provenance: the capture that the coming exchanges are from; its index is what Provenance::file holds.
  void add_file(const std::string& name);
  void on_session(const SessionInfo& info) override;
  void on_exchange(Exchange& exchange) override;
  void on_session_end(SessionId session, CaptureTime time) override;
  void flush();
  // What is in the file; the block at hand comes on top.
  std::uint64_t bytes_written() const;
  // Writes the counters and the index, and closes the file; a recording without them reads as truncated.
  // round_trips: as the tap measured them; where none were, the recording says nothing of them.
  void finish(const TapCounters& counters, const RoundTrips& round_trips = {});

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Which exchanges of a recording are wanted; the rest of the file is not read where its index tells.
struct Selection {
  std::optional<SessionId> session;
  std::optional<CaptureTime> from, to;  // of the request's first byte; `to` itself is not in it
  // `heads`: of each exchange its id, times, user, schema and command's code; the rest of it is not read, nor whether it is damaged.
  enum class Depth : std::uint8_t { whole, heads } depth = Depth::whole;
  bool is_all() const { return !session && !from && !to; }
  bool wants(SessionId id) const { return !session || *session == id; }
  bool wants(CaptureTime time) const { return (!from || time >= *from) && (!to || time < *to); }
};

// A part of a recording that could not be read.
struct Damage {
  std::uint64_t offset = 0, bytes = 0;
  enum class Kind : std::uint8_t { cut_off, damaged } kind = Kind::damaged;
};

class RecordingReader {
 public:
  // True for a regular file that begins as a recording.
  static bool is_recording(const std::string& path);

  // Throws Failure(environment) where the file can't be opened, isn't a recording, or is of another version.
  explicit RecordingReader(const std::string& path);
  ~RecordingReader();

  const RecordingOptions& options() const;
  // Hands every record to the sink, in the file's order, one block in memory at a time; returns what the tap had counted.
  // Damaged blocks are passed over, and those exchanges whose rows they held are handed over as unobserved. Where the file
  // wasn't finished, or anything of it is lost, the counters say truncated, and hold what could be counted.
  // `stop` is asked before each block, and ends the reading where it says true.
  TapCounters read(ExchangeSink& sink, const Selection& selection = {}, const std::function<bool()>& stop = {});
  // The captures that the recording was made of; complete after read().
  const std::vector<std::string>& files() const;

  // Of the last read():
  static constexpr std::size_t damages_kept = 100;
  const std::vector<Damage>& damages() const;  // the first of them
  std::uint64_t damage_count() const;
  std::uint64_t without_rows() const;          // exchanges whose rows were in a damaged block
  std::uint64_t bytes_read() const;
  const RoundTrips& round_trips() const;       // empty where the recording says nothing of them, or its end was not read
  // A sentence about damages and an unfinished file, for the user; empty where all is well.
  std::string problem() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace darktap::session
