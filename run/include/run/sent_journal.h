// What was sent to a target that keeps it, noted before it goes out: the store is written every second or so, and a run whose
// process was killed must not send a write twice. A small file beside the store; it survives the process, not the machine.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <unordered_map>

#include "session/exchange.h"

namespace darktap::run {

class SentJournal {
 public:
  enum class Open : std::uint8_t { anew, to_go_on };
  // Throws Failure where the file can't be had.
  SentJournal(std::string path, Open how);
  ~SentJournal();
  SentJournal(const SentJournal&) = delete;
  SentJournal& operator=(const SentJournal&) = delete;
  static std::string path_of(const std::string& store, std::int64_t run) { return store + "." + std::to_string(run) + ".sent"; }

  // This one goes out now, as all before it in its session have. May be called from several threads; throws Failure where it can't
  // be noted: then it must not be sent.
  void note(session::ExchangeId id);
  // The last that went out, by session.
  std::map<SessionId, std::uint32_t> last_sent() const;
  // The run has ended: nobody will ask.
  void remove();

 private:
  struct Session { std::uint64_t place; std::uint32_t seq; };
  const std::string path_;
  int file_ = -1;
  mutable std::mutex mutex_;
  std::unordered_map<SessionId, Session> sessions_;
};

}  // namespace darktap::run
