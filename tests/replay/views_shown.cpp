// A view's query out of what SHOW CREATE VIEW prints, for servers that don't show it in information_schema.
#include "replay/catalogue_reader.h"
#include "test_support/catch.h"

using darktap::replay::query_of_view;

TEST_CASE("a view's query is what stands behind its full name, and nothing where it can't be told") {
  std::string created = "CREATE ALGORITHM=UNDEFINED DEFINER=`root`@`localhost` SQL SECURITY DEFINER VIEW `shop`.`v` AS select `shop`.`t`.`id` AS `id` from `shop`.`t`";
  CHECK(query_of_view(created, "shop", "v") == "select `shop`.`t`.`id` AS `id` from `shop`.`t`");
  CHECK(query_of_view(created, "shop", "w").empty());
  CHECK(query_of_view("CREATE VIEW `v` AS select `t`.`id` AS `id` from `t`", "shop", "v").empty());  // names without a schema
  CHECK(query_of_view("CREATE VIEW `shop`.`v` (`a`) AS select 1 AS `1`", "shop", "v").empty());
  CHECK(query_of_view("", "shop", "v").empty());
}
