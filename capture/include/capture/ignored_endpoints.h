// Endpoints whose traffic the reassembler must not see as production's: darktap's own connections.
#pragma once

#include <array>
#include <atomic>
#include <mutex>
#include <set>

#include "base/stream.h"

namespace darktap::capture {

// Every member may be called from any thread. contains() costs one atomic load unless the port is in use here.
// Name our local end of a connection (getsockname, right after connect() began), or a whole server that is never tapped.
class IgnoredEndpoints {
 public:
  void ignore(const Endpoint& endpoint);
  // May be called as soon as the connection is closed: the reassembler remembers ignored connections itself, so their last
  // packets are not taken for a new one.
  void forget(const Endpoint& endpoint);
  bool contains(const Endpoint& endpoint) const;

 private:
  std::array<std::atomic<std::uint32_t>, 65536> by_port_{};
  mutable std::mutex mutex_;
  std::multiset<Endpoint> endpoints_;
};

}  // namespace darktap::capture
