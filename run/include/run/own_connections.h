// Which of the connections that a tap sees are darktap's own. The port at our end alone doesn't tell: the system gives the
// same one to an application that connects elsewhere, and to anybody once we have closed.
#pragma once

#include <map>
#include <vector>

#include "base/stream.h"

namespace darktap::run {

class OwnConnections {
 public:
  // How long after it was last seen open a connection may still be ours.
  static constexpr std::chrono::seconds remembered{1};

  OwnConnections(const std::vector<FlowKey>& made, CaptureTime now) {
    for (const FlowKey& flow : made) note(flow, now);
  }
  // It is open now.
  void note(const FlowKey& flow, CaptureTime now) {
    last_open_[flow] = now;
    std::erase_if(last_open_, [&](const auto& entry) { return entry.second + std::chrono::minutes(1) < now; });
  }
  // Is a connection that the tap first saw then ours?
  bool contains(const FlowKey& flow, CaptureTime first_seen) const {
    auto found = last_open_.find(flow);
    return found != last_open_.end() && first_seen <= found->second + remembered;
  }

 private:
  std::map<FlowKey, CaptureTime> last_open_;
};

}  // namespace darktap::run
