// Recordings (.dtap): sessions and their exchanges in a file. The format is in docs/recording.md.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "session/exchange.h"

namespace darktap::session {

// Appends to a new file, created 0600 and never through a symlink. Records gather in a block that is compressed,
// checksummed and written when it is full or when flush() is called; after a crash the reader gets every whole block.
// Throws Failure(environment) where the file can't be written.
class RecordingWriter final : public ExchangeSink {
 public:
  static constexpr std::size_t block_bytes = 1U << 20;

  explicit RecordingWriter(const std::string& path);
  ~RecordingWriter() override;

  // Provenance: the capture that the coming exchanges are from; its index is what Provenance::file holds.
  void add_file(const std::string& name);
  void on_session(const SessionInfo& info) override;
  void on_exchange(Exchange& exchange) override;
  void on_session_end(SessionId session, CaptureTime time) override;
  void flush();
  // Writes the counters and closes the file; a recording without them reads as truncated.
  void finish(const TapCounters& counters);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

class RecordingReader {
 public:
  static bool is_recording(const std::string& path);

  // Throws Failure(environment) where the file can't be opened, isn't a recording, or is of a newer version.
  explicit RecordingReader(const std::string& path);
  ~RecordingReader();

  // Hands every record to the sink, in the file's order, one block in memory at a time; returns what the tap had counted.
  // A damaged or unfinished tail ends the reading: the counters say truncated, and hold what could be counted.
  TapCounters read(ExchangeSink& sink);
  // The captures that the recording was made of; complete after read().
  const std::vector<std::string>& files() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace darktap::session
