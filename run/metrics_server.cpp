#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <mutex>
#include <thread>

#include "base/expected.h"
#include "client/address.h"
#include "run/metrics.h"

namespace darktap::run {

namespace {

struct Socket {
  int fd = -1;
  explicit Socket(int number) : fd(number) {}
  Socket(Socket&& other) noexcept : fd(std::exchange(other.fd, -1)) {}
  ~Socket() {
    if (fd >= 0) ::close(fd);
  }
};

Endpoint parse_listen(const std::string& listen) {
  auto colon = listen.rfind(':');
  std::string host = colon == std::string::npos ? "127.0.0.1" : listen.substr(0, colon);
  std::string port = colon == std::string::npos ? listen : listen.substr(colon + 1);
  if (host.size() > 1 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  if (host == "localhost") host = "127.0.0.1";
  auto address = client::parse_address(host);
  std::uint16_t number = 0;
  auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (!address || error != std::errc{} || end != port.data() + port.size())
    throw Failure(FailureKind::usage, "--metrics " + listen + ": is not an address and port; write for example 127.0.0.1:9104");
  if (!client::is_loopback(*address))
    throw Failure(FailureKind::usage, "--metrics " + listen + ": is not a loopback address, and the figures have no password; give 127.0.0.1:PORT, and let a local agent or ssh -L carry them on");
  return {*address, number};
}

Socket bind_to(const Endpoint& endpoint, const std::string& listen) {
  bool is_v4 = endpoint.address.is_v4();
  Socket socket(::socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  int on = 1;
  setsockopt(socket.fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_storage address{};
  socklen_t size = 0;
  if (is_v4) {
    auto& v4 = reinterpret_cast<sockaddr_in&>(address);
    v4.sin_family = AF_INET;
    v4.sin_port = htons(endpoint.port);
    inet_pton(AF_INET, to_string(endpoint.address).c_str(), &v4.sin_addr);
    size = sizeof v4;
  } else {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(address);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(endpoint.port);
    std::memcpy(&v6.sin6_addr, endpoint.address.bytes.data(), 16);
    size = sizeof v6;
  }
  if (::bind(socket.fd, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(socket.fd, 16) != 0)
    throw Failure(FailureKind::environment, "--metrics " + listen + ": can't listen there: " + std::strerror(errno) + "; choose another port");
  return socket;
}

std::uint16_t port_of(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.ss_family == AF_INET ? reinterpret_cast<sockaddr_in&>(address).sin_port : reinterpret_cast<sockaddr_in6&>(address).sin6_port);
}

}  // namespace

struct MetricsServer::State {
  explicit State(const std::string& listen) : endpoint(parse_listen(listen)), listener(bind_to(endpoint, listen)), end(eventfd(0, EFD_CLOEXEC)) {
    endpoint.port = port_of(listener.fd);
    thread = std::thread([this] { serve(); });
  }
  ~State() {
    std::uint64_t one = 1;
    [[maybe_unused]] ssize_t told = ::write(end.fd, &one, sizeof one);
    thread.join();
  }

  void serve() {
    for (;;) {
      pollfd fds[2] = {{listener.fd, POLLIN, 0}, {end.fd, POLLIN, 0}};
      if (::poll(fds, 2, -1) < 0 && errno != EINTR) return;
      if ((fds[1].revents & POLLIN) != 0) return;
      if ((fds[0].revents & POLLIN) == 0) continue;
      Socket client(::accept4(listener.fd, nullptr, nullptr, SOCK_CLOEXEC));
      if (client.fd >= 0) answer(client.fd);
    }
  }

  // One request a connection; a client that dawdles is let go.
  void answer(int fd) {
    timeval limit{static_cast<time_t>(patience.count()), 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    std::string request;
    char chunk[1024];
    while (request.find("\r\n\r\n") == std::string::npos) {
      pollfd fds[2] = {{fd, POLLIN, 0}, {end.fd, POLLIN, 0}};
      if (::poll(fds, 2, static_cast<int>(patience.count() * 1000)) <= 0 || (fds[1].revents & POLLIN) != 0) return;
      ssize_t got = ::recv(fd, chunk, sizeof chunk, 0);
      if (got <= 0 || request.size() + static_cast<std::size_t>(got) > request_limit) return;
      request.append(chunk, static_cast<std::size_t>(got));
    }
    bool is_get = request.starts_with("GET ");
    std::string path = is_get ? request.substr(4, request.find(' ', 4) - 4) : "";
    if (!is_get) send(fd, "405 Method Not Allowed", "only GET\n");
    else if (path != "/metrics") send(fd, "404 Not Found", "the figures are at /metrics\n");
    else send(fd, "200 OK", latest());
  }

  std::string latest() {
    std::lock_guard lock(mutex);
    return text;
  }

  static void send(int fd, const std::string& status, const std::string& body) {
    std::string response = "HTTP/1.1 " + status + "\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: " +
                           std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body;
    std::size_t sent = 0;
    while (sent < response.size()) {
      ssize_t n = ::send(fd, response.data() + sent, response.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) return;
      sent += static_cast<std::size_t>(n);
    }
    ::shutdown(fd, SHUT_WR);
  }

  Endpoint endpoint;
  Socket listener, end;
  std::mutex mutex;
  std::string text;
  std::thread thread;
};

MetricsServer::MetricsServer(const std::string& listen) : state_(std::make_unique<State>(listen)) {}
MetricsServer::~MetricsServer() = default;

void MetricsServer::publish(std::string text) {
  std::lock_guard lock(state_->mutex);
  state_->text = std::move(text);
}

std::string MetricsServer::address() const { return to_string(state_->endpoint); }

}  // namespace darktap::run
