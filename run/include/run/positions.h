// Which exchanges have their bin, session by session: what a run that is resumed leaves out. Small, since a session's
// exchanges are mostly done in their order.
#pragma once

#include <set>
#include <unordered_map>
#include <vector>

#include "store/store.h"

namespace darktap::run {

class Positions {
 public:
  Positions() = default;
  explicit Positions(const std::vector<store::SessionProgress>& stored) {
    for (const store::SessionProgress& progress : stored) {
      Session& session = sessions_[progress.session];
      session.done = progress.done;
      session.beyond.insert(progress.beyond.begin(), progress.beyond.end());
    }
  }

  void mark(session::ExchangeId id) {
    Session& session = sessions_[id.session];
    if (id.seq == session.done) {
      ++session.done;
      while (!session.beyond.empty() && *session.beyond.begin() == session.done) {
        session.beyond.erase(session.beyond.begin());
        ++session.done;
      }
    } else if (id.seq > session.done) {
      session.beyond.insert(id.seq);
    }
    if (!session.is_changed) {
      session.is_changed = true;
      changed_.push_back(id.session);
    }
  }

  bool contains(session::ExchangeId id) const {
    auto found = sessions_.find(id.session);
    return found != sessions_.end() && (id.seq < found->second.done || found->second.beyond.contains(id.seq));
  }
  // Nothing of the session is missing, where it has so many exchanges.
  bool is_whole(SessionId session, std::uint32_t exchanges) const {
    auto found = sessions_.find(session);
    return found != sessions_.end() && found->second.done >= exchanges;
  }

  // Those that have moved since the last call.
  std::vector<store::SessionProgress> take_changed() {
    std::vector<store::SessionProgress> result;
    for (SessionId id : changed_) {
      Session& session = sessions_[id];
      session.is_changed = false;
      result.push_back({id, session.done, {session.beyond.begin(), session.beyond.end()}});
    }
    changed_.clear();
    return result;
  }

 private:
  struct Session {
    std::uint32_t done = 0;
    bool is_changed = false;
    std::set<std::uint32_t> beyond;
  };
  std::unordered_map<SessionId, Session> sessions_;
  std::vector<SessionId> changed_;
};

}  // namespace darktap::run
