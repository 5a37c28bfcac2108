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

TEST_CASE("Without a list the table's order of columns tells where the id stands; a NULL or a DEFAULT makes way for it") {
  CHECK(written("INSERT INTO t VALUES (NULL, 1, 2)") == "INSERT INTO t VALUES (77, 1, 2)");
  CHECK(written("INSERT INTO t VALUES ( default , '(,', f(1, 2)), (0, 1, 2),(9,9,9)") == "INSERT INTO t VALUES ( 77 , '(,', f(1, 2)), (78, 1, 2),(9,9,9)");
  CHECK(written("INSERT INTO t (a, ID) VALUES (1, NULL)") == "INSERT INTO t (a, ID) VALUES (1, 77)");
}

TEST_CASE("Of a key of several columns the one without a value makes ids") {
  CHECK(written("INSERT INTO t (a) VALUES (1)", {"id", "a"}) == "INSERT INTO t (`id`, a) VALUES (77, 1)");
  CHECK(written("INSERT INTO t VALUES (NULL, 5, 6), (NULL, 7, 8)", {"a", "id"}) == "INSERT INTO t VALUES (77, 5, 6), (78, 7, 8)");
}

TEST_CASE("An INSERT of any other shape stays as it is") {
  for (const char* text : {"INSERT INTO t VALUES (NULL, 1)", "INSERT INTO t VALUES (?, 1, 2)", "INSERT INTO t VALUES (5, 1, 2)", "INSERT INTO t SET a = 1", "INSERT INTO t SET id = NULL, a = 1", "INSERT INTO t (a) SELECT 1", "INSERT IGNORE INTO t (a) VALUES (1)",
                           "INSERT INTO t (a) VALUES (1) ON DUPLICATE KEY UPDATE a = 2", "REPLACE INTO t (a) VALUES (1)", "UPDATE t SET a = 1", "INSERT INTO t () VALUES ()",
                           "INSERT INTO t PARTITION (p0) (a) VALUES (1)"}) {
    INFO(text);
    CHECK(written(text) == "as it was");
  }
  CHECK(written("INSERT INTO t (b) VALUES (1)", {"id", "a"}) == "as it was");  // which of the two makes ids?
}
