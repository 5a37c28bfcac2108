// The excuses that only the servers can grant, asked of small working databases.
#include "bench.h"
#include "test_support/catch.h"

using namespace fake;

namespace {

struct Shop {
  History history;
  MiniServer source{history, 1}, reference{history, 1}, target{history, 99};

  Shop() {
    history.definitions["people"] = {{{"id", mysql::ColumnType::long_},
                                      {"name", mysql::ColumnType::var_string},
                                      {"city", mysql::ColumnType::var_string}},
                                     "id"};
    const char* cities[] = {"Oslo", "oslo", "Rome", "OSLO"};
    for (int i = 1; i <= 24; ++i)
      history.put(at(0ns), "people", {{"id", std::to_string(i)}, {"name", "n" + std::to_string(i)}, {"city", cities[i % 4]}});
  }
  std::string compare(const std::string& sql) {
    Bench bench;
    bench.target = [&](const std::string& text, CaptureTime now) { return target.answer(text, now); };
    bench.reference = [&](const std::string& text, CaptureTime now) { return reference.answer(text, now); };
    bench.read(1, sql, source.answer(sql, at(1s)), target.answer(sql, at(1s)), at(1s));
    bench.run_out();
    evidence = bench.judgements[0].verdicts.empty() ? "" : bench.evidence();
    asked = bench.asked.size();
    return bench.outcome();
  }
  std::string evidence;
  std::size_t asked = 0;
};

}  // namespace

TEST_CASE("differently spelled keys are ties where the source's collation holds them equal") {
  Shop shop;
  CHECK(shop.compare("SELECT id, city FROM people ORDER BY city") == "row_order/order_undefined/confirmed");
  CHECK(shop.asked == 1);
  CHECK(shop.evidence.find("\"equal\":true") != std::string::npos);
  shop.target.ignores_order = true;
  CHECK(shop.compare("SELECT id, city FROM people ORDER BY city") == "row_order/order_violated/confirmed");
}

TEST_CASE("keys that are not in the output are asked for") {
  Shop shop;
  CHECK(shop.compare("SELECT id FROM people WHERE city = 'rome' ORDER BY city") == "row_order/order_undefined/confirmed");
  CHECK(shop.evidence.find("__dt_k1") != std::string::npos);
  shop.target.ignores_order = true;
  CHECK(shop.compare("SELECT id FROM people ORDER BY name DESC") == "row_order/order_violated/confirmed");
}

TEST_CASE("a LIMIT that cuts a tie is undefined order where both sides hold the whole tie") {
  for (const char* sql : {"SELECT id, city FROM people WHERE city = 'Rome' ORDER BY city LIMIT 3", "SELECT id FROM people ORDER BY city DESC LIMIT 3",
                          "SELECT id, city FROM people ORDER BY city DESC LIMIT 3 OFFSET 2", "SELECT id FROM people LIMIT 5"}) {
    Shop shop;
    INFO(sql);
    CHECK(shop.compare(sql) == "row_values/order_undefined/confirmed");
  }
}

TEST_CASE("a wrong row is no choice inside a tie") {
  Shop shop;
  std::string sql = "SELECT id, name, city FROM people ORDER BY city DESC LIMIT 6";
  for (int i = 2; i <= 24; i += 4) shop.target.corrupted[{"people", std::to_string(i)}] = {{"name", "wrong"}};
  CHECK(shop.compare(sql) == "row_values/defect/confirmed");
  Shop missing;
  for (int i = 2; i <= 12; i += 4) missing.target.corrupted[{"people", std::to_string(i)}] = {};
  CHECK(missing.compare("SELECT id FROM people LIMIT 20").find("/defect/confirmed") != std::string::npos);
}

TEST_CASE("without a reference an open order is unexamined") {
  Shop shop;
  Bench bench{compare::ComparerOptions{}};
  bench.target = [&](const std::string& text, CaptureTime now) { return shop.target.answer(text, now); };
  std::string sql = "SELECT id FROM people LIMIT 5";
  bench.read(1, sql, shop.source.answer(sql, at(1s)), shop.target.answer(sql, at(1s)), at(1s));
  bench.run_out();
  CHECK(bench.outcome() == "row_values/unexamined/assumed");
}
