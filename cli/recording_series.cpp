#include "recording_series.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "base/expected.h"
#include "session/redaction.h"

namespace darktap::cli {

namespace fs = std::filesystem;
using session::TapCounters;

RecordingSeries::RecordingSeries(const std::string& path, const Splitting& splitting, const std::string& captured_from, Counters counters,
                                 const Discretion& discretion)
    : path_(path), captured_from_(captured_from), splitting_(splitting), counters_(std::move(counters)) {
  options_.statements = discretion.statements;
  if (discretion.key) {
    options_.rows = session::RecordingOptions::Rows::sealed;
    options_.key_id = discretion.key->id();
    seal_.emplace(*discretion.key);
  }
  open(splitting_.any() ? next_path() : path_);
}

std::string RecordingSeries::folder_of(const std::string& path) {
  const fs::path folder = fs::path(path).parent_path();
  return folder.empty() ? "." : folder.string();
}

// OUT.dtap -> OUT-000001.dtap
std::string RecordingSeries::numbered(std::uint64_t number) const {
  const fs::path whole(path_);
  char digits[32];
  std::snprintf(digits, sizeof digits, "-%06llu", static_cast<unsigned long long>(number));
  return (whole.parent_path() / (whole.stem().string() + digits + whole.extension().string())).string();
}

// An earlier series of the same name is never written over: its numbers go on. The plain name is the first one's.
std::string RecordingSeries::next_path() {
  number_ = std::max<std::uint64_t>(number_ + 1, splitting_.any() ? 1 : 2);
  std::error_code none;
  while (fs::exists(fs::symlink_status(numbered(number_), none))) ++number_;
  return numbered(number_);
}

void RecordingSeries::open(const std::string& path) {
  auto writer = std::make_unique<session::RecordingWriter>(path, options_);
  ++options_.part;
  writer->add_file(captured_from_);
  if (writer_) {
    const TapCounters all = counters_();
    writer_->finish(since_last_file(all), round_trips_ ? round_trips_() : RoundTrips());
    before_ = all;
  }
  writer_ = std::move(writer);
  current_ = path;
  ++files_;
  opened_ = flushed_ = std::chrono::steady_clock::now();
  sessions_here_ = 0;
  carried_here_ = open_sessions_.size();
  // What the file before knew of them when it ended.
  for (auto& [id, info] : open_sessions_) writer_->on_session(settings_.at_this_point(info));
}

void RecordingSeries::on_session(const session::SessionInfo& info) {
  ++sessions_;
  ++sessions_here_;
  open_sessions_[info.id] = info;
  settings_.on_session(info);
  writer_->on_session(info);
}

void RecordingSeries::on_exchange(session::Exchange& exchange) {
  ++exchanges_;
  if (options_.statements == session::RecordingOptions::Statements::redacted) {
    const auto session = open_sessions_.find(exchange.id.session);
    const std::string version = session == open_sessions_.end() ? std::string() : session->second.server_version;
    session::redact_values(exchange, *understanding_.of(exchange.command, session::dialect_of(version, exchange.collation), exchange.schema));
  }
  if (seal_) seal_->seal(exchange.answer);
  settings_.on_exchange(exchange);
  writer_->on_exchange(exchange);
}

void RecordingSeries::on_session_end(SessionId session, CaptureTime time) {
  open_sessions_.erase(session);
  settings_.on_session_end(session);
  writer_->on_session_end(session, time);
}

void RecordingSeries::give_to(unsigned user, unsigned group) const {
  if (geteuid() != 0 || user == 0) return;
  if (lchown(current_.c_str(), user, group) != 0) {
    throw Failure(FailureKind::environment, current_ + ": can't be given to the user that is to write it: " + std::strerror(errno) + "; name another folder");
  }
}

bool RecordingSeries::flush_and_is_due() {
  const auto now = std::chrono::steady_clock::now();
  if (now - flushed_ < flush_interval) return false;
  flushed_ = now;
  writer_->flush();
  struct stat status {};
  const bool is_long = splitting_.bytes > 0 && stat(current_.c_str(), &status) == 0 && static_cast<std::uint64_t>(status.st_size) >= splitting_.bytes;
  const bool is_old = splitting_.time.count() > 0 && now - opened_ >= splitting_.time;
  return is_long || is_old;
}

void RecordingSeries::rotate() {
  struct stat status {};
  const bool moved_away = !splitting_.any() && stat(path_.c_str(), &status) != 0;
  open(moved_away ? path_ : next_path());
}

void RecordingSeries::finish(const TapCounters& all) { writer_->finish(since_last_file(all), round_trips_ ? round_trips_() : RoundTrips()); }

// The files' counters add up to the tap's; a session is counted in each file that it reaches into.
TapCounters RecordingSeries::since_last_file(const TapCounters& all) const {
  TapCounters here = all;
  if (files_ <= 1) return here;
  here.packets -= before_.packets;
  here.bytes -= before_.bytes;
  here.lost_bytes -= before_.lost_bytes;
  here.gaps -= before_.gaps;
  here.kernel_drops -= std::min(here.kernel_drops, before_.kernel_drops);
  here.connections -= before_.connections;
  here.sessions = sessions_here_ + carried_here_;
  here.joined_midstream -= before_.joined_midstream;
  here.tls_sessions -= before_.tls_sessions;
  here.compressed_sessions -= before_.compressed_sessions;
  here.shed_exchanges -= before_.shed_exchanges;
  here.first_time = before_.last_time;
  return here;
}

}  // namespace darktap::cli
