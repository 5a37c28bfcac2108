// Targets that are dead, mute, frozen or full: every exchange comes back once, in time, and the submitter never waits.
#include "support.h"
#include "test_support/catch.h"
#include "test_support/fake_server.h"

using namespace darktap;
using namespace darktap::replay;
using namespace std::chrono_literals;
using client::EventLoop;

namespace {

void make_quick(Stage& stage) {
  stage.options.session.connect.connect_timeout = 200ms;
  stage.options.session.connect.statement_timeout = 300ms;
  stage.options.give_up_after = 300ms;
}

std::uint16_t dead_port() {
  FakeServer gone([](FakeServer&, int) {});
  return gone.port();
}

}  // namespace

TEST_CASE("A dead target is given up, and everything fails at once from then on") {
  Stage stage(dead_port());
  make_quick(stage);
  stage.begin();
  auto begin = EventLoop::Clock::now();
  for (std::uint64_t session = 1; session <= 20; ++session)
    for (std::uint32_t seq = 0; seq < 5; ++seq) stage.submit(exchange(session, seq, "SELECT 1"));
  CHECK(EventLoop::Clock::now() - begin < 1s);  // submitting waits for nothing
  REQUIRE(stage.finish(5s));
  CHECK(stage.book.count(Note::Kind::failed) == 100);
  REQUIRE(stage.book.gave_up.size() == 1);
  CHECK(stage.book.gave_up[0].find("check that the server runs") != std::string::npos);
  CHECK(stage.replayer->gave_up());
  stage.submit(exchange(1, 5, "SELECT 1"));
  stage.submit(exchange(1, 6, "INSERT INTO t VALUES (1)"));
  CHECK(stage.book.notes[100].what == "given_up");
  CHECK(stage.book.notes[101].what == "write");  // what would not have been sent is skipped, not failed
  CHECK(stage.replayer->counters().queued_bytes == 0);
  CHECK(stage.replayer->counters().open_connections == 0);
}

TEST_CASE("A target that never greets is given up after the connect time-out") {
  FakeServer mute([](FakeServer& self, int fd) { self.stay_silent(fd); });
  Stage stage(mute.port());
  make_quick(stage);
  stage.begin();
  stage.submit(exchange(1, 0, "SELECT 1"));
  auto begin = EventLoop::Clock::now();
  REQUIRE(stage.finish(5s));
  CHECK(EventLoop::Clock::now() - begin < 2s);
  CHECK(stage.replayer->gave_up());
}

TEST_CASE("A refused login gives up at once with the remedy") {
  FakeServer denying([](FakeServer&, int fd) { FakeServer::send_message(fd, 0, std::string("\xff\x15\x04", 3) + "Access denied"); });
  Stage stage(denying.port());
  stage.begin();
  stage.submit(exchange(1, 0, "SELECT 1"));
  REQUIRE(stage.finish(2s));
  REQUIRE(stage.book.gave_up.size() == 1);
  CHECK(stage.book.gave_up[0].find("check user, password") != std::string::npos);
}

TEST_CASE("A target that falls mute after the login fails what it was asked as timed out, and is given up") {
  FakeServer server([](FakeServer& self, int fd) {
    if (self.log_in(fd) && self.answer_until(fd, "SELECT 2")) self.stay_silent(fd);
  });
  Stage stage(server.port());
  make_quick(stage);
  stage.begin();
  stage.submit(exchange(1, 0, "SELECT 1"));
  stage.submit(exchange(1, 1, "SELECT 2"));
  REQUIRE(stage.finish(5s));
  REQUIRE(stage.book.notes.size() == 2);
  CHECK(stage.book.notes[0].what == "ok");
  CHECK(stage.book.notes[1].what == "timeout");
  CHECK_FALSE(stage.replayer->gave_up());
}

TEST_CASE("A connection that is cut fails the statement in flight, and the next goes over a new one") {
  FakeServer server([](FakeServer& self, int fd) {
    if (self.log_in(fd)) self.answer_until(fd, "SELECT 2");  // and hangs up
  });
  Stage stage(server.port());
  make_quick(stage);
  stage.begin();
  for (std::uint32_t seq = 0; seq < 4; ++seq) stage.submit(exchange(1, seq, "SELECT " + std::to_string(1 + seq % 2)));
  REQUIRE(stage.finish(5s));
  REQUIRE(stage.book.notes.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(stage.book.notes[i].id.seq == i);
    CHECK(stage.book.notes[i].what == (i % 2 == 0 ? "ok" : "connection_lost"));
  }
  CHECK(server.accepted() == 2);
  CHECK(stage.replayer->counters().lost == 2);
}

TEST_CASE("A server's goodbye is a lost connection, not an answer") {
  FakeServer server([](FakeServer& self, int fd) {
    if (self.log_in(fd) && self.answer_until(fd, "SELECT 2"))
      FakeServer::send_message(fd, 1, std::string("\xff\x1d\x04", 3) + "#08S01Server shutdown in progress");
  });
  Stage stage(server.port());
  make_quick(stage);
  stage.begin();
  stage.submit(exchange(1, 0, "SELECT 2"));
  stage.submit(exchange(1, 1, "SELECT 1"));
  REQUIRE(stage.finish(5s));
  CHECK(stage.book.notes[0].what == "connection_lost");
  CHECK(stage.book.notes[1].what == "ok");
}

TEST_CASE("A target with too many connections is asked again until one is free") {
  std::atomic<int> refusals{0};
  FakeServer server([&](FakeServer& self, int fd) {
    if (++refusals <= 3) return FakeServer::send_message(fd, 0, std::string("\xff\x10\x04", 3) + "Too many connections");
    if (self.log_in(fd)) self.answer_until(fd, "never");
  });
  Stage stage(server.port());
  stage.begin();
  stage.submit(exchange(1, 0, "SELECT 1"));
  REQUIRE(stage.finish(5s));
  CHECK(stage.book.notes[0].what == "ok");
}

TEST_CASE("Queues over their limit shed the session's remainder, and leave other sessions alone") {
  FakeServer mute([](FakeServer& self, int fd) {
    if (self.log_in(fd)) self.stay_silent(fd);
  });
  Stage stage(mute.port());
  session::Exchange probe = exchange(1, 0, "SELECT '" + std::string(1000, 'x') + "'");
  stage.options.queued_bytes = 10 * (sizeof probe + probe.command.text.size());
  stage.begin();
  for (std::uint32_t seq = 0; seq < 15; ++seq) stage.submit(exchange(1, seq, probe.command.text));
  std::size_t shed = stage.book.count(Note::Kind::shed);
  CHECK(shed >= 5);
  CHECK(stage.book.notes[0].id.seq == 15 - shed);
  CHECK(stage.replayer->counters().queued_bytes <= stage.options.queued_bytes);
  stage.replayer->give_up("test ends");
  CHECK(stage.book.notes.size() == 15);
  CHECK(stage.replayer->outstanding() == 0);
}

TEST_CASE("A reader that is asked to wait is told when there is room again") {
  FakeServer server([](FakeServer& self, int fd) {
    if (self.log_in(fd)) self.answer_until(fd, "never");
  });
  Stage stage(server.port());
  stage.options.queued_bytes = 5000;
  stage.options.when_full = ReplayerOptions::WhenFull::ask_to_wait;
  stage.begin();
  std::uint32_t submitted = 0;
  while (stage.replayer->has_room()) stage.submit(exchange(1, submitted++, "SELECT 1"));
  CHECK(submitted > 2);
  CHECK(stage.book.room == 0);
  REQUIRE(stage.finish(5s));
  CHECK(stage.book.room == 1);
  CHECK(stage.replayer->has_room());
  CHECK(stage.book.count(Note::Kind::outcome) == submitted);
}

TEST_CASE("A sink may give up, submit and end sessions while it is told") {
  FakeServer server([](FakeServer& self, int fd) {
    if (self.log_in(fd)) self.answer_until(fd, "never");
  });
  Stage stage(server.port());
  stage.begin();
  stage.book.each = [&] {
    if (stage.book.notes.size() == 1) stage.submit(exchange(1, 9, "SELECT 1"));
    if (stage.book.notes.size() == 2) stage.replayer->end_session(SessionId{1});
    if (stage.book.notes.size() == 3) stage.replayer->give_up("enough");
  };
  for (std::uint32_t seq = 0; seq < 6; ++seq) stage.submit(exchange(1, seq, "SELECT 1"));
  REQUIRE(stage.finish(5s));
  stage.loop.run_once(10ms);
  CHECK(stage.book.notes.size() == 7);
  CHECK(stage.book.count(Note::Kind::outcome) == 3);
  CHECK(stage.replayer->counters().lanes == 0);
}
