#include "capture/ignored_endpoints.h"

namespace darktap::capture {

void IgnoredEndpoints::ignore(const Endpoint& endpoint) {
  const std::lock_guard lock(mutex_);
  endpoints_.insert(endpoint);
  by_port_[endpoint.port].fetch_add(1, std::memory_order_release);
}

void IgnoredEndpoints::forget(const Endpoint& endpoint) {
  const std::lock_guard lock(mutex_);
  const auto found = endpoints_.find(endpoint);
  if (found == endpoints_.end()) return;
  endpoints_.erase(found);
  by_port_[endpoint.port].fetch_sub(1, std::memory_order_release);
}

bool IgnoredEndpoints::contains(const Endpoint& endpoint) const {
  if (by_port_[endpoint.port].load(std::memory_order_acquire) == 0) return false;
  const std::lock_guard lock(mutex_);
  return endpoints_.contains(endpoint);
}

}  // namespace darktap::capture
