// Many connections at once: who becomes a session, under which number, and what never leaves.
#include "session/assembler.h"

#include <map>

#include "test_support/catch.h"

using namespace darktap;
using namespace darktap::session;
namespace capability = darktap::mysql::capability;

namespace {

std::string little(std::uint64_t value, std::size_t bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i) & 0xffU);
  return text;
}
std::string frame(std::uint8_t sequence, const std::string& payload) { return little(payload.size(), 3) + little(sequence, 1) + payload; }

constexpr mysql::Capabilities caps = capability::long_password | capability::protocol_41 | capability::secure_connection | capability::connect_with_db;
std::string greeting(mysql::Capabilities extra = 0) {
  auto all = static_cast<std::uint32_t>(caps | extra);
  return frame(0, "\x0a" "8.0.36" + std::string(1, '\0') + little(7, 4) + "12345678" + '\0' + little(all & 0xffffU, 2) + "\x2d" + little(2, 2) +
                      little(all >> 16, 2) + "\x15" + std::string(10, '\0') + "123456789012" + '\0');
}
std::string login(const std::string& user) {
  return frame(1, little(caps, 4) + little(1U << 24, 4) + "\x2d" + std::string(23, '\0') + user + '\0' + '\0' + "shop" + '\0');
}
std::string ok(std::uint8_t sequence) { return frame(sequence, std::string("\0\0\0\2\0\0\0", 7)); }

struct Kept final : ExchangeSink {
  void on_session(const SessionInfo& info) override {
    order.push_back(info.id);
    sessions[info.id] = info;
  }
  void on_exchange(Exchange& exchange) override { exchanges.push_back(std::move(exchange)); }
  void on_session_end(SessionId session, CaptureTime) override { ended.push_back(session); }

  std::vector<SessionId> order, ended;
  std::map<SessionId, SessionInfo> sessions;
  std::vector<Exchange> exchanges;
};

// Drives an assembler as a reassembler does.
struct Feed {
  explicit Feed(const AssemblerOptions& options = {}) : assembler(kept, options) {}

  void open(std::uint64_t connection, StreamOpen::Start start = StreamOpen::Start::handshake) {
    tick();
    assembler.on_open({{connection}, {client(connection), {IpAddress::from_v4({10, 0, 0, 1}), 3306}}, time, {packet}, start});
  }
  Endpoint client(std::uint64_t connection) const { return {IpAddress::from_v4({10, 0, 0, 2}), static_cast<std::uint16_t>(10'000 + connection)}; }
  void bytes(std::uint64_t connection, Direction direction, const std::string& text) {
    tick();
    auto& position = positions[{connection, index(direction)}];
    assembler.on_bytes({{connection}, direction, {position}, time, {packet}, as_bytes(text)});
    position += text.size();
  }
  void end(std::uint64_t connection) {
    tick();
    assembler.on_end({{connection}, time, {packet}, StreamEnd::Reason::finished});
  }
  void log_in(std::uint64_t connection, const std::string& user = "app") {
    bytes(connection, Direction::to_client, greeting());
    bytes(connection, Direction::to_server, login(user));
    bytes(connection, Direction::to_client, ok(2));
  }
  void query(std::uint64_t connection, const std::string& text, const std::string& answer = ok(1)) {
    bytes(connection, Direction::to_server, frame(0, "\x03" + text));
    bytes(connection, Direction::to_client, answer);
  }
  void tick() {
    time += std::chrono::milliseconds(1);
    ++packet;
  }
  TapCounters counters() const {
    TapCounters all;
    assembler.add_to(all);
    return all;
  }

  Kept kept;
  CaptureTime time{std::chrono::hours(500'000)};
  std::uint64_t packet = 0;
  std::map<std::pair<std::uint64_t, std::size_t>, std::uint64_t> positions;
  Assembler assembler;
};

}  // namespace

TEST_CASE("a session is announced before its exchanges, counted from 0, and ends once") {
  Feed feed({.file = 3});
  feed.open(1);
  feed.log_in(1, "alice");
  CHECK(feed.kept.order.empty());
  feed.query(1, "DO 1");
  feed.query(1, "DO 2");
  feed.end(1);
  REQUIRE(feed.kept.exchanges.size() == 2);
  CHECK(feed.kept.sessions.at({1}).server_version == "8.0.36");
  CHECK(feed.kept.sessions.at({1}).transport == SessionInfo::Transport::plain);
  CHECK(feed.kept.exchanges[0].id.seq == 0);
  CHECK(feed.kept.exchanges[1].id.seq == 1);
  CHECK(feed.kept.exchanges[1].user == "alice");
  CHECK(feed.kept.exchanges[1].schema == "shop");
  CHECK(feed.kept.exchanges[1].provenance.file == 3);
  CHECK(feed.kept.exchanges[1].response_last > feed.kept.exchanges[1].request_last);
  CHECK(feed.kept.ended == std::vector<SessionId>{{1}});
  CHECK(feed.counters().sessions == 1);
}

TEST_CASE("sessions are numbered in the order of their first packets, whoever is answered first") {
  Feed feed;
  for (std::uint64_t connection : {1, 2, 3}) feed.open(connection);
  feed.log_in(3);
  feed.query(3, "DO 3");
  feed.log_in(1);
  feed.query(1, "DO 1");
  feed.log_in(2);
  feed.query(2, "DO 2");
  REQUIRE(feed.kept.exchanges.size() == 3);
  for (const Exchange& each : feed.kept.exchanges) CHECK(each.command.text == "DO " + std::to_string(each.id.session.value));
}

TEST_CASE("connections of other protocols take no number") {
  Feed feed;
  feed.open(1);
  feed.bytes(1, Direction::to_server, "GET / HTTP/1.1\r\n\r\n");
  feed.bytes(1, Direction::to_client, "HTTP/1.1 200 OK\r\n\r\n");
  feed.end(1);
  feed.open(2);
  feed.log_in(2);
  feed.query(2, "DO 1");
  REQUIRE(feed.kept.order.size() == 1);
  CHECK(feed.kept.order[0] == SessionId{1});
  CHECK(feed.counters().sessions == 1);
}

TEST_CASE("a session without any exchange is a session, and a TLS session says what it is") {
  Feed feed;
  feed.open(1);
  feed.bytes(1, Direction::to_client, greeting());
  feed.bytes(1, Direction::to_server, login("mallory"));
  feed.bytes(1, Direction::to_client, frame(2, "\xff" + little(1045, 2) + "#28000Access denied"));
  feed.end(1);
  feed.open(2);
  feed.bytes(2, Direction::to_client, greeting(capability::ssl));
  feed.bytes(2, Direction::to_server, frame(1, little(caps | capability::ssl, 4) + little(1U << 24, 4) + "\x2d" + std::string(23, '\0')));
  feed.bytes(2, Direction::to_server, "\x16\x03\x01 ...");
  feed.end(2);
  CHECK(feed.kept.order == std::vector<SessionId>{{1}, {2}});
  CHECK(feed.kept.sessions.at({2}).transport == SessionInfo::Transport::tls);
  CHECK(feed.kept.exchanges.empty());
  CHECK(feed.counters().tls_sessions == 1);
  CHECK(feed.counters().sessions == 2);
}

TEST_CASE("secrets in statements are replaced, and the server's quotation of them is left out") {
  Feed feed;
  feed.open(1);
  feed.log_in(1);
  feed.query(1, "CREATE USER u IDENTIFIED BY 'hunter2'");
  feed.query(1, "SET PASSWORD = 'hunter2", frame(1, "\xff" + little(1064, 2) + "#42000near ''hunter2'"));
  REQUIRE(feed.kept.exchanges.size() == 2);
  for (const Exchange& each : feed.kept.exchanges) {
    CHECK(each.command.text.find("hunter2") == std::string::npos);
    if (each.answer.error()) CHECK(each.answer.error()->message.find("hunter2") == std::string::npos);
  }
  CHECK(feed.kept.exchanges[0].command.text.find("CREATE USER u IDENTIFIED BY") == 0);
}

TEST_CASE("sampling keeps whole sessions, the same ones everywhere, and counts what it leaves out") {
  auto kept_clients = [](double percent) {
    Feed feed({.sample_percent = percent});
    for (std::uint64_t connection = 1; connection <= 200; ++connection) {
      feed.open(connection);
      feed.log_in(connection);
      feed.query(connection, "DO 1");
      feed.query(connection, "DO 2");
      feed.end(connection);
    }
    std::vector<Endpoint> clients;
    for (SessionId id : feed.kept.order) clients.push_back(feed.kept.sessions.at(id).client);
    CHECK(feed.kept.exchanges.size() == 2 * clients.size());
    CHECK(feed.counters().shed_exchanges + feed.kept.exchanges.size() == 400);
    CHECK((feed.kept.order.empty() || feed.kept.order.back().value == clients.size()));
    return clients;
  };
  auto third = kept_clients(30);
  CHECK(third == kept_clients(30));
  CHECK(third.size() > 30);
  CHECK(third.size() < 90);
  CHECK(kept_clients(100).size() == 200);
  CHECK(kept_clients(0).empty());
}

TEST_CASE("each of many connections has its own session, whatever the order in which they ask and end") {
  constexpr std::uint64_t count = 500;
  Feed feed;
  for (std::uint64_t id = 1; id <= count; ++id) feed.open(id);
  for (std::uint64_t id = 1; id <= count; ++id) feed.log_in(id);
  // 7 and 500 have no common divisor, so that the steps of 7 reach all.
  for (std::uint64_t i = 0; i < count; ++i) feed.query(1 + i * 7 % count, "SELECT " + std::to_string(1 + i * 7 % count));
  for (std::uint64_t i = 0; i < count; ++i) {
    feed.end(1 + i * 7 % count);
    feed.query(1 + i * 7 % count, "SELECT 'after the end'");  // nobody's
    if (i % 3 == 0) feed.open(count + 1 + i), feed.log_in(count + 1 + i), feed.query(count + 1 + i, "SELECT 'later'");
  }
  REQUIRE(feed.kept.exchanges.size() == count + (count + 2) / 3);
  std::size_t own = 0;
  for (const Exchange& exchange : feed.kept.exchanges) own += exchange.command.text == "SELECT " + std::to_string(exchange.id.session.value) ? 1 : 0;
  CHECK(own == count);
  CHECK(feed.kept.ended.size() == count);
}
