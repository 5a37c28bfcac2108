#include "byte_source.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/expected.h"

namespace darktap::capture {

namespace {

// Fits a processor's second-level cache, so that what the kernel copied is still there when it is decoded.
constexpr std::size_t window_bytes = std::size_t{256} << 10;
// A followed file is looked at again as often; nothing tells of its growth on every file system.
constexpr std::chrono::milliseconds follow_interval(50);

}  // namespace

ByteSource::ByteSource(const std::string& path, Growth growth) : name_(path == "-" ? "standard input" : path), growth_(growth), buffer_(window_bytes) {
  const auto failure = [&](const std::string& line) { return Failure(FailureKind::environment, name_ + ": " + line); };
  // O_NONBLOCK: the name of a pipe without a writer must not hold us up; files don't care.
  file_ = path == "-" ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file_ < 0) {
    switch (errno) {
      case ENOENT: throw failure("no such file; expected a pcap or pcapng capture");
      case EACCES: throw failure("permission denied; make the capture readable for this user");
      default: throw failure(std::string("can't be opened: ") + std::strerror(errno));
    }
  }
  struct stat status {};
  if (fstat(file_, &status) != 0 || !S_ISREG(status.st_mode)) kind_ = Kind::stream;
  if (S_ISDIR(status.st_mode)) {
    close(file_);
    throw failure("expected a pcap or pcapng capture, found a folder; name one file");
  }
  wakeup_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

ByteSource::~ByteSource() {
  close(file_);
  if (wakeup_ >= 0) close(wakeup_);
}

void ByteSource::consume(std::uint64_t count) {
  const std::uint64_t here = std::min<std::uint64_t>(count, end_ - begin_);
  begin_ += static_cast<std::size_t>(here);
  offset_ += count;
  to_skip_ += count - here;
}

ByteSource::Fill ByteSource::fill(std::size_t needed, std::chrono::milliseconds wait) {
  bool waited = false;
  while (!stopped()) {
    if (buffer_.size() - begin_ < needed || begin_ == end_) {
      std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
      if (buffer_.size() < needed) buffer_.resize(needed);
    }
    if (kind_ == Kind::stream && !wait_for_bytes(waited ? std::chrono::milliseconds(0) : wait)) return stopped() ? Fill::end : Fill::timeout;
    waited = true;
    const std::size_t count = read_some(buffer_.data() + end_, buffer_.size() - end_);
    if (count == static_cast<std::size_t>(-1)) continue;  // interrupted
    if (count == 0) {
      if (kind_ == Kind::stream || growth_ == Growth::ends) return Fill::end;
      wait_for_bytes(std::min(wait, follow_interval));
      return stopped() ? Fill::end : Fill::timeout;
    }
    if (to_skip_ > 0) {  // bytes that were consumed before they came
      const std::size_t skipped = static_cast<std::size_t>(std::min<std::uint64_t>(count, to_skip_));
      std::memmove(buffer_.data() + end_, buffer_.data() + end_ + skipped, count - skipped);
      to_skip_ -= skipped;
      end_ += count - skipped;
    } else {
      end_ += count;
    }
    if (end_ - begin_ >= needed || kind_ == Kind::stream) return Fill::more;
  }
  return Fill::end;
}

// All ones: try again.
std::size_t ByteSource::read_some(std::byte* to, std::size_t room) {
  const ssize_t count = read(file_, to, room);
  if (count >= 0) return static_cast<std::size_t>(count);
  if (errno == EINTR || errno == EAGAIN) return static_cast<std::size_t>(-1);
  throw Failure(FailureKind::environment, name_ + ": can't be read on at byte " + std::to_string(offset_ + (end_ - begin_)) + ": " +
                                              std::strerror(errno) + "; copy the file to another disk and try again");
}

// True where reading won't wait (there are bytes, or the writer is gone).
bool ByteSource::wait_for_bytes(std::chrono::milliseconds wait) const {
  pollfd waits[2] = {{wakeup_, POLLIN, 0}, {file_, POLLIN, 0}};
  const nfds_t count = kind_ == Kind::stream ? 2 : 1;
  const int ready = poll(waits, count, static_cast<int>(std::clamp<std::int64_t>(wait.count(), 0, 60'000)));
  return ready > 0 && waits[1].revents != 0;
}

void ByteSource::stop() noexcept {
  stopped_.store(true, std::memory_order_relaxed);
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(wakeup_, &one, sizeof one);
}

}  // namespace darktap::capture
