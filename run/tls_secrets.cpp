#include "run/tls_secrets.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>


#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/expected.h"

namespace darktap::run {

TlsSecrets::TlsSecrets(std::string path, Missing missing) : path_(std::move(path)) {
  log_.expect();
  log_.ask_for_more_by([this] { poll(); });
  if (!open() && (errno != ENOENT || missing == Missing::refused))
    throw Failure(FailureKind::environment, path_ + ": can't read the TLS key log (" + std::strerror(errno) +
                                                "); expected the file that a client or server writes where SSLKEYLOGFILE is set");
  poll();
}

TlsSecrets::~TlsSecrets() {
  if (file_ >= 0) ::close(file_);
}

bool TlsSecrets::open() {
  file_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file_ < 0) return false;
  struct stat status {};
  if (::fstat(file_, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(std::exchange(file_, -1));
    throw Failure(FailureKind::environment, path_ + ": expected a TLS key log, found something that is no plain file; name the file itself");
  }
  offset_ = 0;
  if ((status.st_mode & (S_IRGRP | S_IROTH)) != 0)
    warning_ = path_ + ": others can read these TLS secrets, and so the traffic they belong to; chmod 600 " + path_;
  return true;
}

void TlsSecrets::poll() {
  if (path_.empty()) return;
  struct stat named {}, opened {};
  if (file_ >= 0 && ::stat(path_.c_str(), &named) == 0 && ::fstat(file_, &opened) == 0 &&
      (named.st_ino != opened.st_ino || named.st_dev != opened.st_dev || static_cast<std::uint64_t>(opened.st_size) < offset_))
    ::close(std::exchange(file_, -1));
  if (file_ < 0 && !open()) return;
  std::array<char, 16384> text{};
  ssize_t size = 0;
  while ((size = ::pread(file_, text.data(), text.size(), static_cast<off_t>(offset_))) > 0) {
    offset_ += static_cast<std::uint64_t>(size);
    log_.add({text.data(), static_cast<std::size_t>(size)});
  }
}

void TlsSecrets::settle() {
  poll();
  log_.settle();
}

}  // namespace darktap::run
