// Connects and logs in by the client library's non-blocking calls, then takes the socket over from it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <variant>

#include "client/connection.h"
#include "tls_stream.h"

struct st_mysql;

namespace darktap::client {

// An established connection: a non-blocking socket of our own, at the start of a command.
struct LoggedIn {
  int fd = -1;
  std::optional<TlsStream> tls;
  enum class Transport : std::uint8_t { plain, compressed } transport = Transport::plain;
  mysql::Capabilities capabilities = 0;
  std::string server_version;
  std::uint32_t server_thread = 0;
  Endpoint address;
};

// One attempt on one address. Timeouts are the owner's: it calls give_up() at its deadline.
class LoginAttempt final : public Watcher {
 public:
  using Result = std::variant<LoggedIn, ConnectFailed>;
  using Done = std::function<void(Result&&)>;  // called once, as the last thing; may destroy the attempt

  LoginAttempt(EventLoop& loop, const ConnectOptions& options, const Endpoint& address, Done done);
  ~LoginAttempt() override;
  LoginAttempt(const LoginAttempt&) = delete;
  LoginAttempt& operator=(const LoginAttempt&) = delete;

  // The deadline has passed: what it is called depends on how far the server let us come.
  ConnectFailed give_up();

  void on_ready(Interest ready) override;

 private:
  void advance(int events);
  void wait_for(int events);
  void finish();
  void unwind();
  ConnectFailed failure() const;

  EventLoop& loop_;
  const ConnectOptions& options_;
  Endpoint address_;
  std::string host_;
  Done done_;
  st_mysql* mysql_ = nullptr;
  st_mysql* connected_ = nullptr;
  int watched_ = -1;
  int waiting_for_ = 0;  // nonzero while the library's call is suspended
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace darktap::client
