// What comes next from the input, read ahead of its time where --order commit must know what else was under way.
#pragma once

#include <deque>
#include <map>

#include "replay/order_by_commit.h"
#include "run/inbox.h"
#include "session/understanding.h"

namespace darktap::run {

class LookAhead {
 public:
  // How far it reads ahead. A command that took longer than this holds at the source starts when there is room again.
  static constexpr std::size_t limit_bytes = std::size_t{16} << 20;

  // Without an order it is the inbox, no more.
  LookAhead(Inbox& inbox, const sql::Catalogue& catalogue, replay::OrderByCommit* order, const replay::WritePolicy& policy)
      : inbox_(inbox), understanding_(order != nullptr ? catalogue : sql::Catalogue()), order_(order), policy_(policy) {}

  // As the inbox's own: front() lives until pop().
  Arrival* front();
  void pop();
  bool drained() { return held_.empty() && inbox_.drained(); }
  // What was read ahead is dropped; how many exchanges.
  std::uint64_t abandon();

 private:
  void announce(const Arrival& arrival);

  Inbox& inbox_;
  session::Understanding understanding_;  // its own: it follows the sessions' settings, here ahead of their time
  replay::OrderByCommit* order_;
  const replay::WritePolicy& policy_;
  std::deque<std::pair<Arrival, std::size_t>> held_;
  std::size_t bytes_ = 0;
  bool is_whole_ = false;
  std::map<SessionId, session::SessionInfo> sessions_;
};

}  // namespace darktap::run
