// GROUP BY, ordered by what any row of a group may give: WordPress's pages by meta value.
#include "bench.h"
#include "test_support/catch.h"

using namespace fake;

namespace {

mysql::Column number(const std::string& name) { return column("posts", name, mysql::ColumnType::long_); }
mysql::Column text(const std::string& name) { return column("posts", name, mysql::ColumnType::var_string); }
using Rows = std::vector<std::vector<std::string>>;

struct World {
  std::string sql;
  Rows source, target;                  // ids
  Rows keys_reference, keys_target;     // ids with the keys that each server took
  Rows below_reference, below_target;   // (id, key) before anything is grouped
};

std::string judge(const World& world, sql::Catalogue catalogue = {}) {
  Bench bench(Bench::with_reference(), std::move(catalogue));
  auto server = [&world](const Rows& own, const Rows& keys, const Rows& below) {
    return [&, own, keys, below](const std::string& asked, CaptureTime) {
      if (asked == world.sql) return rows_answer({number("id")}, own);
      if (asked.find("__dt_k1") != std::string::npos) return rows_answer({number("id"), text("__dt_k1")}, keys);
      Rows scoped;
      bool some = asked.find("<=>") != std::string::npos;
      for (const auto& row : below)
        if (!some || asked.find("<=> " + row[0] + ")") != std::string::npos) scoped.push_back(row);
      return rows_answer({number("id"), text("v")}, scoped);
    };
  };
  bench.reference = server(world.source, world.keys_reference, world.below_reference);
  bench.target = server(world.target, world.keys_target, world.below_target);
  bench.read(1, world.sql, rows_answer({number("id")}, world.source), rows_answer({number("id")}, world.target), at(1s));
  bench.run_out();
  return bench.outcome();
}

// Post 1 has the values 5 and 9, post 2 has 7, post 3 has 6 and 1.
const Rows meta{{"1", "5"}, {"1", "9"}, {"2", "7"}, {"3", "6"}, {"3", "1"}};
World pages(const std::string& tail) {
  return {"SELECT id FROM posts p JOIN meta m ON m.post = p.id GROUP BY p.id ORDER BY m.v" + tail, {{"1"}, {"3"}, {"2"}}, {{"3"}, {"2"}, {"1"}},
          {{"1", "5"}, {"3", "6"}, {"2", "7"}}, {{"3", "1"}, {"2", "7"}, {"1", "9"}}, meta, meta};
}

}  // namespace

TEST_CASE("a key of any row of a group leaves the groups' order open where the rows below are the same") {
  CHECK(judge(pages("")) == "row_order/order_undefined/confirmed");
  World cut = pages(" LIMIT 2");
  for (Rows* rows : {&cut.source, &cut.target, &cut.keys_reference, &cut.keys_target}) rows->pop_back();
  CHECK(judge(cut) == "row_values/order_undefined/confirmed");
}

TEST_CASE("a target that does not sort by the keys that it took itself violates the order") {
  World world = pages("");
  world.keys_target = {{"3", "6"}, {"2", "7"}, {"1", "5"}};
  CHECK(judge(world) == "row_order/order_violated/confirmed");
}

TEST_CASE("a key of any row of a group excuses nothing where the rows of a group that differs are others") {
  World cut = pages(" LIMIT 2");
  for (Rows* rows : {&cut.source, &cut.target, &cut.keys_reference, &cut.keys_target}) rows->pop_back();
  cut.below_target[2] = {"2", "4"};
  CHECK(judge(cut) == "row_values/defect/confirmed");
}

TEST_CASE("a key of the table whose primary key is grouped by is one of the group") {
  World world = pages("");
  world.sql = "SELECT id FROM posts p JOIN meta m ON m.post = p.id GROUP BY p.id ORDER BY p.title";
  world.keys_reference = {{"1", "a"}, {"3", "b"}, {"2", "c"}};
  world.keys_target = {{"3", "b"}, {"2", "c"}, {"1", "a"}};
  sql::Catalogue catalogue;
  catalogue.tables[{"shop", "posts"}] = {{{"id", false}, {"title", false}}, {{"PRIMARY", {"id"}}}};
  CHECK(judge(world, catalogue) == "row_order/order_violated/confirmed");
}

TEST_CASE("a column of the table whose primary key is grouped by is no bare column: it shows its one row") {
  std::string sql = "SELECT p.id, p.title FROM posts p JOIN meta m ON m.post = p.id GROUP BY p.id ORDER BY p.title LIMIT 2";
  sql::Catalogue catalogue;
  catalogue.tables[{"shop", "posts"}] = {{{"id", false}, {"title", false}}, {{"PRIMARY", {"id"}}}};
  auto own = [](Rows rows) { return rows_answer({number("id"), text("title")}, rows); };
  auto judged = [&](Rows target, bool known) {
    Bench bench(Bench::with_reference(), known ? catalogue : sql::Catalogue());
    bench.reference = [&](const std::string&, CaptureTime) { return own({{"1", "a"}, {"2", "b"}}); };
    bench.target = [&](const std::string& asked, CaptureTime) { return asked == sql ? own(target) : own({{"1", "a"}, {"2", "b"}}); };
    bench.read(1, sql, own({{"1", "a"}, {"2", "b"}}), own(target), at(1s));
    bench.run_out();
    return bench.outcome();
  };
  CHECK(judged({{"1", "a"}, {"3", "c"}}, true) == "row_values/defect/confirmed");
}
