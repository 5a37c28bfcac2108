// How the target feels, asked once a second where a limit of the breaker is about it.
#pragma once

#include "client/asker.h"
#include "run/breaker.h"

namespace darktap::run {

class TargetVitals {
 public:
  TargetVitals(client::Asker& asker, const BreakerLimits& limits) : asker_(asker), limits_(limits) {}
  // Puts the questions whose answers the next look needs; one that still waits is not put again.
  void ask();
  // Fills in what was last told.
  void tell(Breaker::Look& look) const;

 private:
  void ask_status(const char* variable, std::optional<std::uint64_t>& into);
  void ask_lag(const char* statement);
  void put(const std::string& sql, std::function<void(const mysql::Answer*)> answered);

  client::Asker& asker_;
  const BreakerLimits& limits_;
  std::size_t waiting_ = 0;
  std::optional<std::uint64_t> threads_running_, memory_bytes_;
  std::optional<std::chrono::seconds> lag_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace darktap::run
