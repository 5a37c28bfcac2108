// A run's figures for Prometheus: the text, and a small server that hands the latest one out on a loopback address.
#pragma once

#include <memory>
#include <string>

#include "run/run.h"

namespace darktap::run {

// The text format, version 0.0.4. Every line's metric is announced by HELP and TYPE.
std::string to_prometheus(const Progress& progress, std::int64_t run);

class MetricsServer {
 public:
  static constexpr std::size_t request_limit = 8U << 10;  // bytes of a request's head
  static constexpr std::chrono::seconds patience{5};      // for one client

  // Binds and serves from a thread of its own. Throws Failure(usage) for an address that isn't loopback or can't be read,
  // Failure(environment) where the port is taken.
  explicit MetricsServer(const std::string& listen);
  ~MetricsServer();

  void publish(std::string text);
  std::string address() const;  // "127.0.0.1:9104"

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace darktap::run
