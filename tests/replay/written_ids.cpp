// An INSERT that names the ids which the source generated.
#include "replay/written_ids.h"

#include "test_support/catch.h"

using namespace darktap;
using namespace darktap::replay;

namespace {

std::string written(const std::string& text, std::vector<std::string> key = {"id"}) {
  sql::Table table;
  table.columns = {{"id", false}, {"a", true}, {"b", true}};
  table.unique_keys = {{"PRIMARY", std::move(key)}, {"by_b", {"b"}}};
  return with_ids_written_in(text, {}, table, 77).value_or("as it was");
}

}  // namespace

TEST_CASE("Each row gets the key and its id, ahead of what it has") {
  CHECK(written("INSERT INTO t (a) VALUES ('x')") == "INSERT INTO t (`id`, a) VALUES (77, 'x')");
  CHECK(written("insert into s.t(a, b) values (f(1, (2)), ?), (?, '(') /* ( */ , (DEFAULT, NOW())") ==
        "insert into s.t(`id`, a, b) values (77, f(1, (2)), ?), (78, ?, '(') /* ( */ , (79, DEFAULT, NOW())");
}

TEST_CASE("An INSERT of any other shape stays as it is") {
  for (const char* text : {"INSERT INTO t VALUES (NULL, 1, 2)", "INSERT INTO t (ID, a) VALUES (NULL, 1)", "INSERT INTO t SET a = 1", "INSERT INTO t (a) SELECT 1", "INSERT IGNORE INTO t (a) VALUES (1)",
                           "INSERT INTO t (a) VALUES (1) ON DUPLICATE KEY UPDATE a = 2", "REPLACE INTO t (a) VALUES (1)", "UPDATE t SET a = 1", "INSERT INTO t () VALUES ()",
                           "INSERT INTO t PARTITION (p0) (a) VALUES (1)"}) {
    INFO(text);
    CHECK(written(text) == "as it was");
  }
  CHECK(written("INSERT INTO t (a) VALUES (1)", {"id", "a"}) == "as it was");
}
