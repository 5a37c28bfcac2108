// Windows (ORDER BY … LIMIT) that later writes have moved on before the target showed the source's rows: read_after_write where the
// target's answer is the window of an earlier moment, and never where a row of it is wrong.
#include "bench.h"
#include "test_support/catch.h"

using namespace fake;

namespace {

// Ten posts of old; the target stands still at 1.1 s, and goes on at 2.5 s.
struct World {
  History history;
  MiniServer source{history, 1}, reference{history, 2}, target{history, 3};
  Bench bench;
  sql::Catalogue catalogue;
  std::function<void(MiniServer&, CaptureTime)> plant = [](MiniServer&, CaptureTime) {};  // what is wrong on the target, and when

  static sql::Catalogue schema() {
    sql::Catalogue catalogue;
    catalogue.tables[{"shop", "posts"}] = {{{"id"}, {"name"}, {"score"}, {"city"}}, {{"PRIMARY", {"id"}}}};
    return catalogue;
  }

  static compare::ComparerOptions following() {
    compare::ComparerOptions options = Bench::with_reference();
    options.target_follows = compare::ComparerOptions::TargetFollows::yes;
    return options;
  }

  World() : bench(following(), schema()) {
    history.definitions["posts"] = {{{"id", mysql::ColumnType::long_}, {"name", mysql::ColumnType::var_string}, {"score", mysql::ColumnType::long_}, {"city", mysql::ColumnType::var_string}}, "id"};
    for (int id = 1; id <= 10; ++id) history.put(at(0ns), "posts", post(id, "n" + std::to_string(id), id * 10));
    bench.reference = [this](const std::string& sql, CaptureTime now) { return reference.answer(sql, now); };
    bench.target = [this](const std::string& sql, CaptureTime now) { return at_target(sql, now); };
  }
  static Row post(int id, const std::string& name, int score) {
    return {{"id", std::to_string(id)}, {"name", name}, {"score", std::to_string(score)}, {"city", "Oslo"}};
  }
  mysql::Answer at_target(const std::string& sql, CaptureTime now) {
    MiniServer server = target;
    if (now > at(1100ms) && now < at(2500ms)) server.lag = now - at(1100ms);
    plant(server, now);
    return server.answer(sql, now);
  }
  // Committed at once, and answered 1 ms later.
  void insert(int id, std::chrono::nanoseconds when, const std::string& name = "new") {
    history.put(at(when), "posts", post(id, name, id * 10));
    bench.seen(1, "INSERT INTO posts (id, name, score, city) VALUES (" + std::to_string(id) + ", '" + name + "', " + std::to_string(id * 10) + ", 'Oslo')", ok_answer(1), at(when));
  }
  void update(int id, const std::string& name, int score, const std::string& set, std::chrono::nanoseconds when) {
    history.put(at(when), "posts", post(id, name, score));
    bench.seen(1, "UPDATE posts SET " + set + " WHERE id = " + std::to_string(id), ok_answer(1), at(when));
  }
  void remove(int id, std::chrono::nanoseconds when) {
    history.remove(at(when), "posts", {{"id", std::to_string(id)}});
    bench.seen(1, "DELETE FROM posts WHERE id = " + std::to_string(id), ok_answer(1), at(when));
  }
  void read(const std::string& sql, std::chrono::nanoseconds when = 1500ms) { bench.read(2, sql, source.answer(sql, at(when)), at_target(sql, at(when + 2ms)), at(when)); }
  std::string outcome() {
    bench.run_out();
    return bench.outcome();
  }
  bool excused() {
    std::string found = outcome();
    UNSCOPED_INFO(found << " " << bench.evidence());
    return found.find("defect") == std::string::npos && found.find("unexamined") == std::string::npos && found.find("order_violated") == std::string::npos;
  }
};

const std::string newest = "SELECT id, name FROM posts ORDER BY id DESC LIMIT 3";

// 11 is on the target when it stops, 12 and 13 are not; the read comes behind them, and four more move the window on.
void usual(World& world, const std::string& sql = newest) {
  world.insert(11, 1s);
  world.insert(12, 1200ms);
  world.insert(13, 1400ms);
  world.read(sql);
  for (int id = 14; id <= 17; ++id) world.insert(id, 1700ms + id * 20ms);
}

}  // namespace

TEST_CASE("a newest-three list that moved on before the target showed it is the window of an earlier moment") {
  World world;
  usual(world);
  CHECK(world.outcome() == "row_values/read_after_write/confirmed");
  std::string evidence = world.bench.evidence();
  CAPTURE(evidence);
  CHECK(evidence.find("\"met_last\":{\"session\":1,\"seq\":0},\"lacked_writes\":2") != std::string::npos);
  CHECK(evidence.find("\"write\":{\"session\":1,\"seq\":2") != std::string::npos);
  // Behind for sure until the last rung with the first answer; the windows agree from 2.5 s on.
  CHECK(evidence.find("\"staleness_us\":[") != std::string::npos);
}

TEST_CASE("so it is where the window is sorted by a column that it doesn't show") {
  World world;
  usual(world, "SELECT id, name FROM posts ORDER BY score DESC LIMIT 3");
  CHECK(world.outcome() == "row_values/read_after_write/confirmed");
}

TEST_CASE("so it is of rows that an UPDATE moves up, whose earlier texts the capture knows") {
  World world;
  world.update(1, "w1", 201, "name = 'w1', score = 201", 900ms);
  world.update(2, "w2", 202, "name = 'w2', score = 202", 1s);
  world.update(3, "w3", 203, "name = 'w3', score = 203", 1200ms);
  world.update(2, "w4", 204, "name = 'w4', score = 204", 1400ms);
  world.read("SELECT id, name FROM posts ORDER BY score DESC LIMIT 3");
  world.update(5, "w5", 205, "name = 'w5', score = 205", 1900ms);
  world.update(6, "w6", 206, "name = 'w6', score = 206", 2s);
  CHECK(world.outcome() == "row_values/read_after_write/confirmed");
}

TEST_CASE("so it is of a queue whose head is taken away") {
  World world;
  world.remove(1, 1200ms);
  world.read("SELECT id, name FROM posts ORDER BY id LIMIT 3");
  world.remove(2, 1800ms);
  world.remove(3, 1900ms);
  CHECK(world.outcome() == "row_values/read_after_write/confirmed");
}

TEST_CASE("a row that the target lacks for good is not excused by a window that moves on") {
  for (int missing : {11, 10, 9, 12}) {
    CAPTURE(missing);
    World world;
    world.plant = [&](MiniServer& server, CaptureTime) { server.corrupted[{"posts", std::to_string(missing)}] = {}; };
    usual(world);
    CHECK_FALSE(world.excused());
  }
}

TEST_CASE("nor is a wrong cell, or a wrong hidden key, or a row too many") {
  for (int wrong : {11, 10, 9, 12}) {
    CAPTURE(wrong);
    for (const Row& cells : {Row{{"name", "wrong"}}, Row{{"score", "95"}}}) {
      World world;
      world.plant = [&](MiniServer& server, CaptureTime) { server.corrupted[{"posts", std::to_string(wrong)}] = cells; };
      usual(world, "SELECT id, name FROM posts ORDER BY score DESC LIMIT 3");
      // A hidden key that leaves the row where it stands makes no difference.
      bool differs = cells.contains("name") || wrong != 9;
      if (differs) CHECK_FALSE(world.excused());
    }
  }
  World world;
  world.plant = [&](MiniServer& server, CaptureTime) { server.extra["posts"].push_back(World::post(900, "ghost", 105)); };
  usual(world, "SELECT id, name FROM posts ORDER BY score DESC LIMIT 3");
  CHECK_FALSE(world.excused());
}

TEST_CASE("what a later write heals, or takes away, was wrong all the same") {
  SECTION("a cell that a later write assigns") {
    World world;
    world.plant = [&](MiniServer& server, CaptureTime now) {
      if (now < at(2500ms)) server.corrupted[{"posts", "9"}] = {{"name", "wrong"}};
    };
    usual(world);
    world.update(9, "healed", 90, "name = 'healed'", 2300ms);
    CHECK_FALSE(world.excused());
  }
  SECTION("a missing row that is deleted later, while a newer one was there") {
    World world;
    world.plant = [&](MiniServer& server, CaptureTime) { server.corrupted[{"posts", "11"}] = {}; };
    world.insert(11, 1s);
    world.insert(12, 1050ms);
    world.insert(13, 1400ms);
    world.read(newest);
    world.remove(11, 1800ms);
    for (int id = 14; id <= 17; ++id) world.insert(id, 1900ms + id * 20ms);
    CHECK_FALSE(world.excused());
  }
  SECTION("a row passed over") {
    World world;
    world.plant = [&](MiniServer& server, CaptureTime now) {
      if (now < at(2500ms)) server.corrupted[{"posts", "10"}] = {};
    };
    usual(world);
    CHECK_FALSE(world.excused());
  }
}

TEST_CASE("writes that don't say which rows they meet leave a moved window open") {
  World world;
  world.insert(11, 1s);
  world.insert(12, 1200ms);
  world.insert(13, 1400ms);
  world.read(newest);
  for (int id = 14; id <= 17; ++id) world.insert(id, 1700ms + id * 20ms);
  world.bench.seen(1, "UPDATE posts SET name = 'x' WHERE city = 'Bern'", ok_answer(1), at(2200ms));
  CHECK(world.outcome() == "row_values/unexamined/assumed");
}

TEST_CASE("a target that forgets the order is not behind") {
  World world;
  world.target.ignores_order = true;
  usual(world, "SELECT id, name FROM posts ORDER BY score DESC LIMIT 3");
  CHECK_FALSE(world.excused());
}
