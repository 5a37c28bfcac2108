// A server that misbehaves as told: speaks just enough of the protocol to be logged in to, on a thread of its own.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>

class FakeServer {
 public:
  // Called with each accepted socket, one after the other; the socket is closed when it returns.
  using Conversation = std::function<void(FakeServer&, int)>;

  explicit FakeServer(Conversation conversation) : conversation_(std::move(conversation)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    ::listen(listener_, 64);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~FakeServer() {
    stopping_ = true;
    thread_.join();
    ::close(listener_);
  }

  std::uint16_t port() const { return port_; }
  bool stopping() const { return stopping_; }
  int accepted() const { return accepted_; }

  // Says nothing until the client goes away or the test ends.
  void stay_silent(int fd) {
    char heard[4096];
    while (!stopping_)
      if (ready(fd) && ::recv(fd, heard, sizeof heard, 0) <= 0) return;
  }

  // Greets as MySQL 8.0 with mysql_native_password and accepts whoever comes.
  bool log_in(int fd) {
    std::string greeting = std::string("\x0a") + "8.0.0-fake" + '\0' + std::string("\x01\0\0\0", 4) + "12345678" + '\0';
    greeting += std::string("\xff\xf7", 2) +  // all of the lower half but CLIENT_SSL
                "\x2d" + std::string("\x02\0", 2) + std::string("\xff\x81", 2) + "\x15";
    greeting += std::string(10, '\0') + "123456789012" + '\0' + "mysql_native_password" + '\0';
    send_message(fd, 0, greeting);
    std::string reply = read_message(fd);
    if (reply.empty()) return false;
    send_message(fd, 2, ok());
    return true;
  }

  static std::string ok() { return std::string("\0\0\0\x02\0\0\0", 7); }
  static void send_message(int fd, std::uint8_t sequence, const std::string& payload) {
    std::string frame{static_cast<char>(payload.size() & 0xff), static_cast<char>(payload.size() >> 8 & 0xff),
                      static_cast<char>(payload.size() >> 16 & 0xff), static_cast<char>(sequence)};
    frame += payload;
    send_bytes(fd, frame);
  }
  static void send_bytes(int fd, const std::string& bytes) {
    [[maybe_unused]] ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  // The next message (of one frame), or empty where the client has gone.
  std::string read_message(int fd) {
    std::string header = read_bytes(fd, 4);
    if (header.size() < 4) return "";
    auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(header[i])); };
    return read_bytes(fd, byte(0) | byte(1) << 8 | byte(2) << 16);
  }
  // Answers OK to everything until `wanted` is part of a command's text; that one is left unanswered.
  bool answer_until(int fd, const std::string& wanted) {
    for (;;) {
      std::string command = read_message(fd);
      if (command.empty()) return false;
      if (command.find(wanted) != std::string::npos) return true;
      if (command[0] == '\x01') return false;
      send_message(fd, 1, ok());
    }
  }

 private:
  bool ready(int fd) const {
    pollfd poll{fd, POLLIN, 0};
    return ::poll(&poll, 1, 10) > 0;
  }
  std::string read_bytes(int fd, std::size_t count) {
    std::string bytes;
    while (bytes.size() < count && !stopping_) {
      if (!ready(fd)) continue;
      char chunk[4096];
      ssize_t got = ::recv(fd, chunk, std::min(sizeof chunk, count - bytes.size()), 0);
      if (got <= 0) break;
      bytes.append(chunk, static_cast<std::size_t>(got));
    }
    return bytes.size() == count ? bytes : "";
  }
  void serve() {
    while (!stopping_) {
      if (!ready(listener_)) continue;
      int fd = ::accept(listener_, nullptr, nullptr);
      if (fd < 0) continue;
      ++accepted_;
      conversation_(*this, fd);
      ::close(fd);
    }
  }

  Conversation conversation_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<int> accepted_{0};
  std::thread thread_;
};
