#include "run/sent_journal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/expected.h"

namespace darktap::run {
namespace {

// A session's place in the file: its number and the seq, in this machine's byte order.
struct Entry {
  std::uint64_t session;
  std::uint64_t seq;
};

[[noreturn]] void fail(const std::string& path, const char* what) {
  throw Failure(FailureKind::environment, path + ": " + what + " (" + std::strerror(errno) + "); it notes what was sent, so that --resume sends nothing twice: make room beside the store");
}

}  // namespace

SentJournal::SentJournal(std::string path, Open how) : path_(std::move(path)) {
  const int fresh = how == Open::anew ? O_TRUNC : 0;
  file_ = ::open(path_.c_str(), O_RDWR | O_CREAT | fresh | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file_ < 0 || ::fchmod(file_, 0600) != 0) fail(path_, "can't be written");
  Entry entry{};
  for (std::uint64_t place = 0; ::pread(file_, &entry, sizeof entry, static_cast<off_t>(place * sizeof entry)) == static_cast<ssize_t>(sizeof entry); ++place)
    sessions_[{entry.session}] = {place, static_cast<std::uint32_t>(entry.seq)};
}

SentJournal::~SentJournal() {
  if (file_ >= 0) ::close(file_);
}

void SentJournal::note(session::ExchangeId id) {
  std::lock_guard lock(mutex_);
  auto [session, is_new] = sessions_.try_emplace(id.session, Session{sessions_.size(), id.seq});
  if (!is_new && id.seq < session->second.seq) return;  // tried again
  session->second.seq = id.seq;
  const Entry entry{id.session.value, id.seq};
  if (::pwrite(file_, &entry, sizeof entry, static_cast<off_t>(session->second.place * sizeof entry)) != static_cast<ssize_t>(sizeof entry)) fail(path_, "can't be written");
}

std::map<SessionId, std::uint32_t> SentJournal::last_sent() const {
  std::lock_guard lock(mutex_);
  std::map<SessionId, std::uint32_t> result;
  for (const auto& [id, session] : sessions_) result[id] = session.seq;
  return result;
}

void SentJournal::remove() { ::unlink(path_.c_str()); }

}  // namespace darktap::run
