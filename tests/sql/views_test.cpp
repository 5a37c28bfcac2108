#include "sql/views.h"

#include "test_support/catch.h"

using namespace darktap::sql;

TEST_CASE("a view that hides a LIMIT, a group or a union is written out, one that picks rows is not") {
  Catalogue catalogue;
  catalogue.views[{"shop", "top"}].definition = "select `shop`.`people`.`id` AS `id` from `shop`.`people` order by `shop`.`people`.`score` limit 5";
  catalogue.views[{"shop", "cities"}].definition = "select `shop`.`top`.`id` AS `id`,count(0) AS `n` from `shop`.`top` group by `shop`.`top`.`id`";
  catalogue.views[{"shop", "active"}].definition = "select `shop`.`people`.`id` AS `id` from `shop`.`people` where `shop`.`people`.`active` = 1";
  auto written = [&](std::string_view sql) { return with_views_written_out(sql, catalogue, "shop"); };
  std::string top = "(" + catalogue.views[{"shop", "top"}].definition + "\n)";
  CHECK(written("SELECT id FROM top WHERE id > 1") == "SELECT id FROM " + top + " AS `top` WHERE id > 1");
  CHECK(written("SELECT t.id FROM shop.top t, people") == "SELECT t.id FROM " + top + " t, people");
  CHECK(written("SELECT COUNT(*) FROM cities") == "SELECT COUNT(*) FROM (select `shop`.`top`.`id` AS `id`,count(0) AS `n` from " + top + " AS `top` group by `shop`.`top`.`id`\n) AS `cities`");
  CHECK_FALSE(written("SELECT id FROM active"));
  CHECK_FALSE(written("SELECT id FROM people"));
  CHECK_FALSE(written("WITH top AS (SELECT 1 AS id) SELECT id FROM top"));
  CHECK_FALSE(written("DELETE FROM people WHERE id IN (SELECT id FROM top)"));
}
