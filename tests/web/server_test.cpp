// The server on a real socket, spoken to in bytes.
#include "web/server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <vector>

#include "base/expected.h"
#include "test_support/catch.h"
#include "test_support/sample_store.h"
#include "test_support/temporary_folder.h"

using namespace darktap;

namespace {

class Client {
 public:
  explicit Client(int port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    timeval patience{10, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    REQUIRE(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  }
  ~Client() { ::close(socket_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void send(const std::string& bytes) { ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  // Until the server closes.
  std::string rest() {
    std::string all;
    char buffer[4096];
    for (ssize_t n; (n = ::recv(socket_, buffer, sizeof buffer, 0)) > 0;) all.append(buffer, static_cast<std::size_t>(n));
    return all;
  }
  // One answer with its body.
  std::string answer() {
    std::string all;
    char byte;
    while (all.find("\r\n\r\n") == std::string::npos && ::recv(socket_, &byte, 1, 0) == 1) all += byte;
    std::size_t at = all.find("Content-Length: ");
    std::size_t length = at == std::string::npos ? 0 : std::stoul(all.substr(at + 16));
    for (std::size_t i = 0; i < length && ::recv(socket_, &byte, 1, 0) == 1; ++i) all += byte;
    return all;
  }

 private:
  int socket_;
};

struct Running {
  TemporaryFolder folder;
  std::unique_ptr<web::Server> server;
  std::string token;
  int port = 0;

  explicit Running(web::ServerOptions options = {}) {
    store::RunInfo info = sample::run_info();
    options.store = folder.file("run.db");
    options.listen = "127.0.0.1:0";
    store::RunWriter(options.store, info).finish(sample::at(1));
    server = std::make_unique<web::Server>(options);
    server->start();
    std::string url = server->url();
    port = std::stoi(url.substr(17));
    token = url.substr(url.find("token=") + 6);
  }
  std::string head(const std::string& line, const std::string& more = "") const {
    return line + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port) + "\r\nX-Darktap-Token: " + token + "\r\n" + more + "\r\n";
  }
  int status(const std::string& bytes) const {
    Client client(port);
    client.send(bytes);
    std::string text = client.answer();
    return text.size() > 12 ? std::stoi(text.substr(9, 3)) : 0;
  }
};

FailureKind refusal(const std::string& listen, const std::string& store) {
  try {
    web::Server server({.store = store, .listen = listen});
    server.start();
  } catch (const Failure& failure) {
    CHECK(std::string(failure.what()).find('\n') == std::string::npos);
    return failure.kind();
  }
  return FailureKind::guard_rail;  // it was not refused
}

}  // namespace

TEST_CASE("the page binds loopback only") {
  TemporaryFolder folder;
  store::RunInfo info = sample::run_info();
  std::string path = folder.file("run.db");
  store::RunWriter(path, info).finish(sample::at(1));
  for (const char* listen : {"0.0.0.0:0", "[::]:0", "192.0.2.1:0", ":0", "example.org:80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:x", "8380"}) {
    INFO(listen);
    CHECK(refusal(listen, path) == FailureKind::usage);
  }
  CHECK_NOTHROW(web::Server({.store = path, .listen = "localhost:0"}));
}

TEST_CASE("a port that is taken, or a store that can't be read, is said at once") {
  Running running;
  CHECK(refusal("127.0.0.1:" + std::to_string(running.port), running.folder.file("run.db")) == FailureKind::environment);
  CHECK(refusal("127.0.0.1:0", running.folder.file("missing.db")) == FailureKind::environment);
}

TEST_CASE("one connection carries several requests, and the page's files are there") {
  Running running;
  Client client(running.port);
  client.send(running.head("GET /"));
  std::string page = client.answer();
  CHECK(page.starts_with("HTTP/1.1 200"));
  CHECK(page.find("<div id=\"app\">") != std::string::npos);
  CHECK(page.find("Content-Security-Policy: default-src 'none'") != std::string::npos);
  client.send(running.head("GET /api/runs"));
  CHECK(client.answer().find("\"mode\":\"replay\"") != std::string::npos);
  client.send(running.head("GET /icon.svg"));
  CHECK(client.answer().find("image/svg+xml") != std::string::npos);
}

TEST_CASE("paths are looked up, never walked") {
  Running running;
  for (const char* path : {"/../run.db", "/..%2f..%2fetc/passwd", "/assets/../index.html", "//etc/passwd", "/%00", "/index.html%00", "/%", "/%zz", "/api%2fruns"}) {
    INFO(path);
    int status = running.status(running.head(std::string("GET ") + path));
    CHECK((status == 404 || (status == 200 && std::string_view(path) == "/api%2fruns")));
  }
  CHECK(running.status(running.head("GET /?x=%")) == 200);
}

TEST_CASE("what is no request is refused, and the next one is served") {
  Running running;
  std::string host = "Host: 127.0.0.1:" + std::to_string(running.port) + "\r\n";
  CHECK(running.status("\x16\x03\x01 hello\r\n\r\n") == 400);
  CHECK(running.status("GET / HTTP/9.9\r\n" + host + "\r\n") == 400);
  CHECK(running.status(running.head("GET /", host)) == 400);                              // two hosts
  CHECK(running.status(running.head("GET http://127.0.0.1/")) == 400);                    // a proxy's form
  CHECK(running.status(running.head("POST /api/runs", "Content-Length: 5\r\nContent-Length: 6\r\n")) == 400);
  CHECK(running.status("GET / HTTP/1.1\r\n\r\n") == 403);                                 // no host at all
  CHECK(running.status(running.head("GET /")) == 200);
}

TEST_CASE("a request's head and body have limits") {
  Running running({.header_limit = 2048, .body_limit = 1000});
  auto with_header = [&](std::size_t n) { return running.head("GET /", "X-Long: " + std::string(n, 'x') + "\r\n"); };
  std::size_t fixed = with_header(0).size();
  CHECK(running.status(with_header(2047 - fixed)) == 200);
  CHECK(running.status(with_header(2048 - fixed)) == 200);
  CHECK(running.status(with_header(4096 - fixed)) == 431);
  auto with_body = [&](std::size_t n) {
    return running.head("POST /api/findings/x/triage", "Content-Type: application/json\r\nContent-Length: " + std::to_string(n) + "\r\n") + std::string(n, ' ');
  };
  CHECK(running.status(with_body(999)) == 400);  // read, and no JSON
  CHECK(running.status(with_body(1000)) == 400);
  CHECK(running.status(with_body(1001)) == 413);
}

TEST_CASE("a request that never ends is cut off, and so is a connection that idles") {
  Running running({.request_timeout = std::chrono::seconds(1), .idle_timeout = std::chrono::seconds(1)});
  Client slow(running.port), idle(running.port);
  slow.send("GET / HTTP/1.1\r\nHost: ");
  CHECK(slow.rest().empty());
  CHECK(idle.rest().empty());
}

TEST_CASE("connections above the limit are closed at once, and places become free again") {
  Running running({.connection_limit = 3});
  {
    std::vector<std::unique_ptr<Client>> clients;
    for (int i = 0; i < 3; ++i) clients.push_back(std::make_unique<Client>(running.port));
    clients[2]->send(running.head("GET /"));
    CHECK(clients[2]->answer().starts_with("HTTP/1.1 200"));
    Client fourth(running.port);
    fourth.send(running.head("GET /"));
    CHECK(fourth.answer().empty());
  }
  int status = 0;
  for (int i = 0; i < 100 && status != 200; ++i, ::usleep(20'000)) status = running.status(running.head("GET /"));
  CHECK(status == 200);
}

TEST_CASE("stopping ends the server though connections are open") {
  Running running;
  Client client(running.port);
  client.send(running.head("GET /"));
  CHECK(client.answer().starts_with("HTTP/1.1 200"));
  running.server->stop();
  running.server.reset();
  CHECK(client.rest().empty());
}
