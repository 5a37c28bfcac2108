// Serves the triage page and its API over HTTP on a loopback address, from one thread of its own.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace darktap::web {

struct ServerOptions {
  std::string store;
  std::string listen = "127.0.0.1:8380";  // port 0: any free one
  std::uint32_t header_limit = 16 * 1024;  // bytes of a request's head
  std::uint64_t body_limit = 64 * 1024;    // bytes of its body
  std::size_t connection_limit = 64;       // further ones are closed at once
  std::chrono::seconds request_timeout{10};  // to send a request once begun, and to take the answer
  std::chrono::seconds idle_timeout{60};     // between two requests of a connection
};

class Server {
 public:
  // Binds. Throws Failure(usage) for an address that isn't loopback, Failure(environment) where the port is taken.
  explicit Server(const ServerOptions& options);
  ~Server();

  // Throws Failure(environment) where the store can't be read.
  void start();
  // Returns when the thread has ended; open connections close with the server.
  void stop();
  // "http://127.0.0.1:8380/?token=…"
  std::string url() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace darktap::web
