// The bytes of a capture file, a pipe or a growing file, as one window that moves forward. Nothing is copied but what stands
// at the window's end when it moves.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace darktap::capture {

class ByteSource {
 public:
  enum class Growth : std::uint8_t { ends, followed };  // what the end of a regular file means
  enum class Fill : std::uint8_t { more, timeout, end };

  // "-" is standard input. Throws Failure(environment) where the file can't be opened.
  ByteSource(const std::string& path, Growth growth);
  ~ByteSource();
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  // What was read and not consumed yet; lives until the next fill().
  Bytes window() const { return Bytes(buffer_).subspan(begin_, end_ - begin_); }
  // May exceed the window: the rest is left out of what comes.
  void consume(std::uint64_t count);
  // Tries to make the window longer, to `needed` bytes if they are there; waits only for a pipe and a followed file.
  Fill fill(std::size_t needed, std::chrono::milliseconds wait);
  // fill() answers `end` from now on; may be called from a signal handler.
  void stop() noexcept;
  bool stopped() const { return stopped_.load(std::memory_order_relaxed); }

  const std::string& name() const { return name_; }
  std::uint64_t offset() const { return offset_; }  // of the window's first byte in the file
  // A regular file that is read to its end: it never waits.
  bool is_whole() const { return kind_ == Kind::file && growth_ == Growth::ends; }

 private:
  enum class Kind : std::uint8_t { file, stream };

  std::size_t read_some(std::byte* to, std::size_t room);
  bool wait_for_bytes(std::chrono::milliseconds wait) const;

  std::string name_;
  Growth growth_;
  Kind kind_ = Kind::file;
  int file_ = -1;
  int wakeup_ = -1;
  std::vector<std::byte> buffer_;
  std::size_t begin_ = 0, end_ = 0;
  std::uint64_t offset_ = 0, to_skip_ = 0;
  std::atomic<bool> stopped_ = false;
};

}  // namespace darktap::capture
