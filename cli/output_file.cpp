#include "output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "base/expected.h"

namespace darktap::cli {

namespace {

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw Failure(FailureKind::environment, path + ": " + what + " (" + std::strerror(errno) + "); name a file in a folder that you may write to");
}

}  // namespace

OutputFile::OutputFile(std::string path) : path_(std::move(path)), part_(path_ + ".part") {
  struct stat found{};
  if (::lstat(path_.c_str(), &found) == 0 && !S_ISREG(found.st_mode) && !S_ISLNK(found.st_mode))
    throw Failure(FailureKind::usage, path_ + ": is no plain file; name one, or one that isn't there yet");
  ::unlink(part_.c_str());  // of a process that was killed
  file_ = ::open(part_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file_ < 0) fail(path_, "can't be written");
}

OutputFile::~OutputFile() {
  if (file_ < 0) return;
  ::close(file_);
  ::unlink(part_.c_str());
}

void OutputFile::finish(std::string_view text) {
  while (!text.empty()) {
    ssize_t written = ::write(file_, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail(path_, "can't be written to its end");
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::close(std::exchange(file_, -1)) != 0 || std::rename(part_.c_str(), path_.c_str()) != 0) {
    int why = errno;
    ::unlink(part_.c_str());
    errno = why;
    fail(path_, "can't be written to its end");
  }
}

}  // namespace darktap::cli
