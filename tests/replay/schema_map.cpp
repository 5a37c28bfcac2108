// Other names at the target: what is rewritten, and what is left alone.
#include "replay/schema_map.h"

#include "test_support/catch.h"

using namespace darktap;
using namespace darktap::replay;

namespace {

SchemaMap map_of(std::initializer_list<const char*> rules) {
  std::vector<MapRule> parsed;
  for (const char* rule : rules) parsed.push_back(parse_map_rule(rule).value());
  return SchemaMap(std::move(parsed));
}

std::string rewritten(const SchemaMap& map, const std::string& sql, const std::string& schema = "shop", const std::string& server = "10.0.0.1:3306") {
  mysql::Command command;
  command.code = mysql::CommandCode::query;
  command.text = sql;
  command.text_state = mysql::Command::Text::known;
  auto sent = map.apply(server, schema, command, sql::understand(sql), {});
  if (!sent) return "! " + sent.error();
  return (sent->schema ? "[" + *sent->schema + "] " : "") + (sent->command ? sent->command->text : sql);
}

}  // namespace

TEST_CASE("A rule names a schema or a table on both sides") {
  CHECK(parse_map_rule("a=b").value().to_schema == "b");
  MapRule rule = parse_map_rule("db1:3306/shop_#.orders_#=shop.orders").value();
  CHECK(rule.server == "db1:3306");
  CHECK(rule.schema == "shop_#");
  CHECK(rule.table == "orders_#");
  CHECK(rule.to_table == "orders");
  for (const char* wrong : {"", "a", "=b", "a=", "a=b=c", "a.t=b", "a=b.t", "a.=b.t", "host/a=b", "host:x/a=b", "host:0/a=b", "host:65536/a=b", ":1/a=b", "a=b#", "a.t.u=b.t"}) {
    INFO(wrong);
    auto refused = parse_map_rule(wrong);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().find("SCHEMA=SCHEMA") != std::string::npos);
  }
}

TEST_CASE("A session's schema, USE and qualified names are the target's; the rest of the text stays as it is") {
  SchemaMap map = map_of({"shop=store"});
  CHECK(rewritten(map, "SELECT a FROM t WHERE b = 'shop.t' /* shop.t */") == "[store] SELECT a FROM t WHERE b = 'shop.t' /* shop.t */");
  CHECK(rewritten(map, "SELECT shop.t.a, t.b FROM shop.t JOIN `shop`.u ON u.shop = t.a", "other") == "SELECT `store`.t.a, t.b FROM `store`.t JOIN `store`.u ON u.shop = t.a");
  CHECK(rewritten(map, "INSERT INTO shop.t (a) VALUES (1)", "other") == "INSERT INTO `store`.t (a) VALUES (1)");
  CHECK(rewritten(map, "USE shop", "other") == "USE `store`");
  CHECK(rewritten(map, "USE other", "other") == "USE other");
  CHECK(rewritten(map, "SELECT a FROM t", "other") == "SELECT a FROM t");
  CHECK(rewritten(map, "SELECT DATABASE()") == "! names_its_schema");
  CHECK(rewritten(map, "SELECT DATABASE()", "other") == "SELECT DATABASE()");
  for (const char* list : {"SHOW TABLES", "show full tables", "SHOW TABLES LIKE 't%'", "SHOW TABLE STATUS", "SHOW TABLES FROM shop"}) CHECK(rewritten(map, list) == "! names_its_schema");
  CHECK(rewritten(map, "SHOW TABLES", "other") == "SHOW TABLES");
  CHECK(rewritten(map, "SHOW TABLES FROM other") == "[store] SHOW TABLES FROM other");
  CHECK(rewritten(map, "SHOW TABLES IN shop", "other") == "! names_its_schema");
}

TEST_CASE("A rule with a server is for that server's sessions alone") {
  SchemaMap map = map_of({"shop=store", "10.0.0.2:3306/shop=store2"});
  CHECK(map.schema("10.0.0.1:3306", "shop") == "store");
  CHECK(map.schema("10.0.0.2:3306", "shop") == "store2");
}

TEST_CASE("Numbered schemas and tables fold into one") {
  SchemaMap map = map_of({"shop_#=shop", "shop_#.orders_#=shop.orders"});
  CHECK(map.schema("", "shop_017") == "shop");
  CHECK(map.schema("", "shop_") == "shop_");
  CHECK(map.schema("", "shop_1a") == "shop_1a");
  CHECK(rewritten(map, "SELECT orders_3.id FROM orders_3 WHERE orders_3.id = 1", "shop_2") == "[shop] SELECT `orders`.id FROM `orders` WHERE `orders`.id = 1");
  CHECK(rewritten(map, "UPDATE shop_2.orders_3 SET a = 1", "") == "UPDATE `shop`.`orders` SET a = 1");
  CHECK(rewritten(map, "SELECT orders_3.id FROM shop_2.orders_3", "shop_2") == "[shop] SELECT `orders`.id FROM `shop`.`orders`");
  CHECK(rewritten(map, "SELECT a FROM items, orders_3", "shop_2") == "! not_mappable: orders_3");
}

TEST_CASE("A redirected schema's name leads to its copy, whichever name led to the schema") {
  SchemaMap map = map_of({"old=shop"});
  map.redirect("shop", "darktap_copy_shop");
  CHECK(map.schema("", "shop") == "darktap_copy_shop");
  CHECK(map.schema("", "old") == "darktap_copy_shop");
  CHECK(map.is_copy("darktap_copy_shop"));
  CHECK_FALSE(map.is_copy("shop"));
  CHECK(rewritten(map, "DELETE FROM old.t WHERE id = 1", "shop") == "[darktap_copy_shop] DELETE FROM `darktap_copy_shop`.t WHERE id = 1");
}
