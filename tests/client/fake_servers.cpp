// What a connection makes of servers that misbehave: each ends in one value, in time.
#include <unistd.h>

#include <optional>

#include "client/address.h"
#include "client/asker.h"
#include "client/blocking.h"
#include "test_support/catch.h"
#include "test_support/fake_server.h"

using namespace darktap;
using namespace darktap::client;
using namespace std::chrono_literals;

namespace {

Login login_to(std::uint16_t port) { return {{"app", "127.0.0.1", port, ""}, "secret"}; }

ConnectOptions quick() {
  ConnectOptions options;
  options.connect_timeout = 300ms;
  options.statement_timeout = 300ms;
  return options;
}

ConnectFailed failure_of(std::uint16_t port) {
  auto connection = BlockingConnection::open(login_to(port), quick());
  REQUIRE_FALSE(connection);
  return connection.error();
}

// One column "n" and a row for each value, as the text protocol sends them.
void answer_rows(int fd, std::initializer_list<std::string> values) {
  std::uint8_t sequence = 1;
  FakeServer::send_message(fd, sequence++, "\x01");
  std::string column = std::string("\x03") + "def" + std::string(3, '\0') + "\x01n" + std::string(1, '\0') + "\x0c";
  column += std::string("\x2d\0\x40\0\0\0\xfd\0\0\0\0\0", 12);
  FakeServer::send_message(fd, sequence++, column);
  FakeServer::send_message(fd, sequence++, std::string("\xfe\0\0\x02\0", 5));
  for (const std::string& value : values) FakeServer::send_message(fd, sequence++, static_cast<char>(value.size()) + value);
  FakeServer::send_message(fd, sequence, std::string("\xfe\0\0\x02\0", 5));
}

// The same, all bytes at once.
void answer_rows_whole(int fd, std::initializer_list<std::string> values) {
  int pair[2];
  ::socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
  answer_rows(pair[0], values);
  ::close(pair[0]);
  char bytes[4096];
  std::string whole;
  for (ssize_t got = ::read(pair[1], bytes, sizeof bytes); got > 0; got = ::read(pair[1], bytes, sizeof bytes)) whole.append(bytes, static_cast<std::size_t>(got));
  ::close(pair[1]);
  FakeServer::send_bytes(fd, whole);
}

Expected<Reply, Lost> ask(FakeServer& server, const std::string& sql, ConnectOptions options = quick()) {
  auto connection = BlockingConnection::open(login_to(server.port()), std::move(options));
  INFO((connection ? "" : connection.error().reason));
  REQUIRE(connection);
  return connection->ask(sql);
}

}  // namespace

TEST_CASE("A port where nothing listens is refused at once") {
  std::uint16_t port = 0;
  {
    FakeServer gone([](FakeServer&, int) {});
    port = gone.port();
  }
  ConnectFailed failure = failure_of(port);
  CHECK(failure.kind == ConnectFailed::Kind::refused);
  CHECK(failure.reason.find("127.0.0.1:" + std::to_string(port)) != std::string::npos);
}

TEST_CASE("A host that no name server knows is an unknown host") {
  auto connection = BlockingConnection::open({{"app", "no-such-host.invalid", 3306, ""}, ""});
  REQUIRE_FALSE(connection);
  CHECK(connection.error().kind == ConnectFailed::Kind::unknown_host);
}

TEST_CASE("A server that never greets is mute once the connect time-out has passed") {
  FakeServer server([](FakeServer& self, int fd) { self.stay_silent(fd); });
  auto begin = EventLoop::Clock::now();
  CHECK(failure_of(server.port()).kind == ConnectFailed::Kind::mute);
  CHECK(EventLoop::Clock::now() - begin >= 300ms);
  CHECK(EventLoop::Clock::now() - begin < 3s);
}

TEST_CASE("A server that closes at once, or greets with something else, is broken") {
  FakeServer closing([](FakeServer&, int) {});
  CHECK(failure_of(closing.port()).kind == ConnectFailed::Kind::broken);
  FakeServer other([](FakeServer&, int fd) { FakeServer::send_bytes(fd, "HTTP/1.1 400 Bad Request\r\n\r\n"); });
  ConnectFailed::Kind kind = failure_of(other.port()).kind;
  CHECK((kind == ConnectFailed::Kind::broken || kind == ConnectFailed::Kind::mute));
}

TEST_CASE("A server that asks for the password in the clear does not get it") {
  std::string received;
  auto server = std::make_unique<FakeServer>([&](FakeServer& self, int fd) {
    std::string greeting = std::string("\x0a") + "8.0.0-fake" + '\0' + std::string("\x01\0\0\0", 4) + "12345678" + '\0';
    greeting += std::string("\xff\xf7\x2d\x02\0\xff\x81\x15", 8) + std::string(10, '\0') + "123456789012" + '\0' + "mysql_native_password" + '\0';
    FakeServer::send_message(fd, 0, greeting);
    self.read_message(fd);
    FakeServer::send_message(fd, 2, std::string("\xfe") + "mysql_clear_password" + '\0');
    received = self.read_message(fd);
  });
  auto connection = BlockingConnection::open(login_to(server->port()), quick());
  CHECK_FALSE(connection);
  server.reset();  // joins its thread
  CHECK(received.find("secret") == std::string::npos);
}

TEST_CASE("Too many connections are told apart from a refused login") {
  FakeServer full([](FakeServer&, int fd) { FakeServer::send_message(fd, 0, std::string("\xff\x10\x04", 3) + "Too many connections"); });
  CHECK(failure_of(full.port()).kind == ConnectFailed::Kind::full);
  FakeServer denying([](FakeServer&, int fd) { FakeServer::send_message(fd, 0, std::string("\xff\x15\x04", 3) + "Access denied"); });
  CHECK(failure_of(denying.port()).kind == ConnectFailed::Kind::denied);
}

TEST_CASE("An answer that arrives byte by byte is the same answer") {
  FakeServer server([](FakeServer& self, int fd) {
    if (!self.log_in(fd) || self.read_message(fd).empty()) return;
    int pair[2];
    ::socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    answer_rows(pair[0], {"one", "two"});
    ::close(pair[0]);
    char byte;
    while (::read(pair[1], &byte, 1) == 1) {
      FakeServer::send_bytes(fd, std::string(1, byte));
      ::usleep(200);
    }
    ::close(pair[1]);
    self.stay_silent(fd);
  });
  auto reply = ask(server, "SELECT n");
  REQUIRE(reply);
  REQUIRE(reply->answer.first_rows() != nullptr);
  CHECK(reply->answer.row_count() == 2);
  CHECK(reply->sent <= reply->first_byte);
  CHECK(reply->first_byte < reply->last_byte);
}

TEST_CASE("An answer that begins as an earlier one did shares its columns, and takes nothing else from it") {
  constexpr int answers = 4;
  FakeServer server([](FakeServer& self, int fd) {
    if (!self.log_in(fd)) return;
    for (int i = 0; i < answers && !self.read_message(fd).empty(); ++i) {
      if (i == 0) answer_rows_whole(fd, {"one", "two", "three"});
      if (i == 1) answer_rows_whole(fd, {"four"});
      if (i == 2) FakeServer::send_message(fd, 1, std::string("\xff\x7a\x04#42S02", 9) + "no such table");
      if (i == 3) answer_rows_whole(fd, {});
    }
    self.stay_silent(fd);
  });
  auto connection = BlockingConnection::open(login_to(server.port()), quick());
  REQUIRE(connection);
  std::vector<mysql::Answer> heard;
  for (int i = 0; i < answers; ++i) {
    auto reply = connection->ask("SELECT n");
    REQUIRE(reply);
    mysql::Answer copy = reply->answer;
    recycle(reply->answer);
    heard.push_back(std::move(copy));
  }
  REQUIRE(heard[0].first_rows() != nullptr);
  REQUIRE(heard[1].first_rows() != nullptr);
  CHECK(heard[0].row_count() == 3);
  CHECK(heard[0].first_rows()->columns.at(0).name == "n");
  CHECK(&heard[0].first_rows()->columns.list() == &heard[1].first_rows()->columns.list());
  REQUIRE(heard[1].first_rows()->rows.size() == 1);
  CHECK(as_text(heard[1].first_rows()->rows.row(0)) == "\x04" "four");
  CHECK(heard[1].first_rows()->row_count() == 1);
  REQUIRE(heard[2].error() != nullptr);
  CHECK(heard[2].results.size() == 1);
  REQUIRE(heard[3].first_rows() != nullptr);
  CHECK(heard[3].row_count() == 0);
  CHECK(heard[3].first_rows()->rows.empty());
}

TEST_CASE("A statement that is not answered in time is lost as timed out") {
  FakeServer server([](FakeServer& self, int fd) {
    if (self.log_in(fd)) self.stay_silent(fd);
  });
  auto reply = ask(server, "SELECT 1");
  REQUIRE_FALSE(reply);
  CHECK(reply.error().kind == Lost::Kind::timed_out);
}

TEST_CASE("A connection that ends within an answer is lost, not an answer") {
  FakeServer server([](FakeServer& self, int fd) {
    if (!self.log_in(fd) || self.read_message(fd).empty()) return;
    FakeServer::send_message(fd, 1, "\x01");
  });
  auto reply = ask(server, "SELECT 1");
  REQUIRE_FALSE(reply);
  CHECK(reply.error().kind == Lost::Kind::closed);
}

TEST_CASE("Frames out of order and messages over the limit end the connection") {
  FakeServer disorderly([](FakeServer& self, int fd) {
    if (!self.log_in(fd) || self.read_message(fd).empty()) return;
    FakeServer::send_message(fd, 3, FakeServer::ok());
    self.stay_silent(fd);
  });
  auto reply = ask(disorderly, "SELECT 1");
  REQUIRE_FALSE(reply);
  CHECK(reply.error().kind == Lost::Kind::malformed);
  CHECK(reply.error().reason.find("frame 3 where frame 1 was expected") != std::string::npos);

  FakeServer server([](FakeServer& self, int fd) {
    if (!self.log_in(fd) || self.read_message(fd).empty()) return;
    answer_rows(fd, {std::string(200, 'x')});
    self.stay_silent(fd);
  });
  ConnectOptions narrow = quick();
  for (auto [limit, passes] : {std::pair<std::size_t, bool>{200, false}, {201, true}, {202, true}}) {
    narrow.message_bytes = limit;
    INFO(limit);
    CHECK(ask(server, "SELECT 1", narrow).has_value() == passes);
  }
}

TEST_CASE("A server that asks for a local file gets an empty one, and the reply says so") {
  std::string sent;
  std::optional<FakeServer> server;
  server.emplace([&](FakeServer& self, int fd) {
    if (!self.log_in(fd) || self.read_message(fd).empty()) return;
    FakeServer::send_message(fd, 1, "\xfb/etc/passwd");
    char frame[64];
    ssize_t got = ::recv(fd, frame, sizeof frame, 0);
    sent.assign(frame, static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    FakeServer::send_message(fd, 3, FakeServer::ok());
    self.stay_silent(fd);
  });
  auto reply = ask(*server, "LOAD DATA LOCAL INFILE 'x' INTO TABLE t");
  REQUIRE(reply);
  CHECK(reply->infile == Reply::Infile::refused);
  CHECK(reply->answer.kind() == mysql::AnswerKind::ok);
  server.reset();  // and its thread with it, which wrote
  CHECK(sent == std::string("\0\0\0\x02", 4));
}

TEST_CASE("A server mute after the login fails the asker's questions, each once") {
  FakeServer server([](FakeServer& self, int fd) {
    if (self.log_in(fd)) self.stay_silent(fd);
  });
  EventLoop loop;
  AskerOptions options;
  options.session.connect = options_for(login_to(server.port()), quick()).value();
  options.connections = 1;
  options.waiting = 1;
  Asker asker(loop, options);
  std::vector<std::string> reasons;
  for (int i = 0; i < 3; ++i) {
    mysql::Command command;
    command.code = mysql::CommandCode::query;
    command.text = "SELECT 1";
    asker.ask("", 0, command, [&](Expected<Reply, std::string>&& reply) {
      REQUIRE_FALSE(reply);
      reasons.push_back(reply.error());
      if (reasons.size() == 3) loop.stop();
    });
  }
  loop.run();
  CHECK(reasons[0].find("questions wait already") != std::string::npos);
  CHECK(reasons[1].find("no answer within 300 ms") != std::string::npos);
  CHECK(reasons[2].find("no answer within 300 ms") != std::string::npos);
}

TEST_CASE("Addresses of this machine hold loopback, and names become all their addresses") {
  auto local = local_addresses();
  CHECK(std::find(local.begin(), local.end(), *parse_address("127.0.0.1")) != local.end());
  CHECK(is_loopback(*parse_address("127.3.2.1")));
  CHECK_FALSE(is_loopback(*parse_address("128.0.0.1")));
  CHECK(is_loopback(*parse_address("::1")));
  CHECK_FALSE(parse_address("localhost"));
  auto named = resolve("localhost", 3306);
  REQUIRE(named);
  for (const Endpoint& endpoint : *named) CHECK(is_loopback(endpoint.address));
}
