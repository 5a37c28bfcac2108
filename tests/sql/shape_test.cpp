// What a comparison learns of a statement, and the promises about order.
#include "sql/query_shape.h"
#include "test_support/catch.h"

using namespace darktap::sql;

namespace {

OrderGuarantee guarantee(std::string_view sql, const Catalogue* catalogue = nullptr) { return understand(sql, {}, catalogue).order.guarantee; }

Catalogue shop() {
  Catalogue catalogue;
  catalogue.default_schema = "shop";
  Table items;
  items.columns = {{"id", false}, {"a", false}, {"b", false}, {"sku", true}};
  items.unique_keys = {{"PRIMARY", {"id"}}, {"ab", {"a", "b"}}, {"sku", {"sku"}}};
  catalogue.tables[{"shop", "items"}] = items;
  return catalogue;
}

}  // namespace

TEST_CASE("select items are told apart") {
  QueryShape shape = shape_of(
      "SELECT *, t.*, a, t.b AS x, COUNT(*) n, GROUP_CONCAT(c SEPARATOR '; '), CONCAT('[', GROUP_CONCAT(d ORDER BY d), ']'), RAND(), "
      "(SELECT MAX(e) FROM u), RANK() OVER (ORDER BY f), JSON_ARRAYAGG(g) FROM t");
  REQUIRE(shape.understood);
  REQUIRE(shape.items.size() == 11);
  CHECK(shape.items[0].star == Star::all);
  CHECK(shape.items[1].star == Star::table);
  CHECK(shape.items[1].star_table == "t");
  CHECK(shape.items[2].column == "a");
  CHECK(shape.items[3].column == "b");
  CHECK(shape.items[3].column_table == "t");
  CHECK(shape.items[3].alias == "x");
  CHECK(shape.items[3].text == "t.b");
  CHECK(shape.items[4].aggregate);
  CHECK(shape.items[4].alias == "n");
  REQUIRE(shape.items[5].builders.size() == 1);
  CHECK(shape.items[5].builders[0].function == "group_concat");
  CHECK(shape.items[5].builders[0].separator == "; ");
  CHECK(shape.items[5].builders[0].whole_item);
  CHECK_FALSE(shape.items[5].builders[0].ordered);
  REQUIRE(shape.items[6].builders.size() == 1);
  CHECK(shape.items[6].builders[0].ordered);
  CHECK(shape.items[6].builders[0].separator == ",");
  CHECK_FALSE(shape.items[6].builders[0].whole_item);
  CHECK(shape.items[7].nondeterministic == std::vector<std::string>{"rand"});
  CHECK(shape.items[8].subquery);
  CHECK_FALSE(shape.items[8].aggregate);
  CHECK(shape.items[9].window);
  CHECK(shape.items[10].builders[0].function == "json_arrayagg");
  CHECK(shape.nondeterministic_outside_items.empty());
}

TEST_CASE("order keys name their select item by position, alias, column or expression") {
  QueryShape shape = shape_of("SELECT a, b + 1, t.c, d AS x FROM t ORDER BY 2, x DESC, B+1, c, t.a COLLATE utf8mb4_bin, a LIMIT 10 OFFSET ?");
  REQUIRE(shape.order_by.size() == 6);
  CHECK(shape.order_by[0].item == 1u);
  CHECK(shape.order_by[1].item == 3u);
  CHECK(shape.order_by[1].descending);
  CHECK(shape.order_by[2].item == 1u);
  CHECK(shape.order_by[3].item == 2u);
  CHECK_FALSE(shape.order_by[4].item);
  CHECK(shape.order_by[4].collation == "utf8mb4_bin");
  CHECK(shape.order_by[5].item == 0u);
  CHECK(shape.limit->number == 10u);
  CHECK(shape.offset->parameter == 0u);
}

TEST_CASE("tables, clauses and flags of a query") {
  std::string sql = "SELECT DISTINCT a FROM s.t AS x LEFT JOIN (SELECT 1 LIMIT 1) d ON 1 WHERE x.a > NOW() GROUP BY a, b HAVING COUNT(*) > 1";
  QueryShape shape = shape_of(sql);
  REQUIRE(shape.understood);
  CHECK(shape.kind == ShapeKind::select);
  CHECK(shape.distinct);
  CHECK(shape.outer_join);
  REQUIRE(shape.tables.size() == 2);
  CHECK(to_string(shape.tables[0].table) == "s.t");
  CHECK(shape.tables[0].alias == "x");
  CHECK(shape.tables[1].derived);
  CHECK(text_at(sql, shape.where) == "x.a > NOW()");
  CHECK(text_at(sql, shape.having) == "COUNT(*) > 1");
  CHECK(shape.group_by.size() == 2);
  CHECK(shape.group_by[0].item == 0u);
  CHECK(shape.has_subquery);
  CHECK(shape.subquery_with_limit);
  CHECK(shape.nondeterministic_outside_items == std::vector<std::string>{"now"});
  CHECK(shape_of("SELECT COUNT(*) FROM t").aggregate_without_group);
  CHECK_FALSE(shape_of("SELECT COUNT(*) OVER () FROM t").aggregate_without_group);
  CHECK_FALSE(shape_of("SELECT (SELECT COUNT(*) FROM u) FROM t").aggregate_without_group);
  QueryShape both = shape_of("(SELECT a FROM t ORDER BY a LIMIT 2) UNION ALL (SELECT b FROM u LIMIT 3) ORDER BY 1 LIMIT 4");
  CHECK(both.kind == ShapeKind::set_operation);
  CHECK(both.set_operation == "union all");
  CHECK(both.limit->number == 4u);
  CHECK(both.order_by.size() == 1);
  CHECK(both.subquery_with_limit);
}

TEST_CASE("key predicates are the conjuncts that pin a column") {
  auto keys = [](std::string_view sql) {
    std::string joined;
    for (const KeyPredicate& key : shape_of(sql).key_predicates) {
      if (!joined.empty()) joined += "; ";
      if (!key.table.empty()) joined += key.table + ".";
      joined += key.column + (key.null_safe ? "<=>" : "=");
      for (const Value& value : key.values) joined += "(" + (value.parameter ? "?" + std::to_string(*value.parameter) : value.text) + ")";
    }
    return joined;
  };
  CHECK(keys("SELECT * FROM t WHERE id = 5") == "id=(5)");
  CHECK(keys("SELECT * FROM t WHERE 'x' = t.id AND (b = -1 AND c <=> NULL)") == "t.id=('x'); b=(-1); c<=>(NULL)");
  CHECK(keys("SELECT * FROM t WHERE id IN (1, ?, 'x') AND c > 3 AND d BETWEEN 1 AND 2 AND e = ?") == "id=(1)(?0)('x'); e=(?1)");
  CHECK(keys("SELECT * FROM t WHERE id = 5 OR b = 1") == "");
  CHECK(keys("SELECT * FROM t WHERE a = 1 AND (id = 5 OR b = 1)") == "a=(1)");
  CHECK(keys("SELECT * FROM t WHERE NOT id = 5 AND id NOT IN (1) AND a = b AND c = 1 + 1 AND BINARY d = 'x' AND e = 'x' COLLATE utf8mb4_bin") == "");
  CHECK(keys("SELECT * FROM t WHERE a = CASE WHEN b = 1 AND c = 2 THEN 1 END AND d = 4") == "d=(4)");
  CHECK(keys("SELECT * FROM t WHERE x = 1 AND (a OR end = 1 ) OR b = 2") == "");
  CHECK(keys("SELECT * FROM t WHERE id IN (SELECT 1) AND (SELECT 1) = 1") == "");
  CHECK(keys("UPDATE t SET a = 1 WHERE id = 7 LIMIT 1") == "id=(7)");
  CHECK(keys("DELETE FROM t WHERE id IN (7, 8)") == "id=(7)(8)");
}

TEST_CASE("writes show their targets, columns, rows and assignments") {
  QueryShape shape = shape_of("INSERT IGNORE INTO s.t (a, `b`) VALUES (1, 'x'), (?, NOW())");
  REQUIRE(shape.understood);
  CHECK(shape.kind == ShapeKind::insert);
  CHECK(to_string(shape.targets.at(0)) == "s.t");
  CHECK(shape.columns == std::vector<std::string>{"a", "b"});
  REQUIRE(shape.rows.size() == 2);
  CHECK(shape.rows[0][1].text == "'x'");
  CHECK(shape.rows[1][0].parameter == 0u);
  CHECK_FALSE(shape.rows[1][1].is_literal);
  CHECK(shape.conflict == Conflict::ignored);
  shape = shape_of("INSERT INTO t SET a = 1, b = DEFAULT ON DUPLICATE KEY UPDATE b = 2");
  CHECK(shape.columns == std::vector<std::string>{"a", "b"});
  CHECK(shape.conflict == Conflict::updates);
  shape = shape_of("INSERT INTO t (a) (SELECT b FROM u)");
  CHECK(shape.from_select);
  shape = shape_of("UPDATE t AS x SET x.a = 5, b = b + 1 WHERE id = 3 ORDER BY c LIMIT 2");
  CHECK(shape.kind == ShapeKind::update);
  REQUIRE(shape.assignments.size() == 2);
  CHECK(shape.assignments[0].table == "x");
  CHECK(shape.assignments[0].value.text == "5");
  CHECK_FALSE(shape.assignments[1].value.is_literal);
  CHECK(shape.limit->number == 2u);
  CHECK(shape.order_by.size() == 1);
  std::string many = "INSERT INTO t VALUES (1)";
  for (std::size_t i = 1; i < max_shape_rows + 5; ++i) many += ",(1)";
  shape = shape_of(many);
  CHECK(shape.rows.size() == max_shape_rows);
  CHECK(shape.row_count == max_shape_rows + 5);
}

TEST_CASE("what is not one statement, understood whole, has no shape") {
  for (const char* sql : {"", "nonsense", "SELECT 1; SELECT 2", "SELECT a FROM", "(SELECT a FROM t LIMIT 5) LIMIT 2", "SELECT a FROM t LIMIT ROWS EXAMINED 5",
                          "SELECT a FROM t /*!80000 LIMIT 1 */", "SELECT a FROM t FETCH FIRST 3 ROWS WITH TIES"}) {
    CAPTURE(sql);
    CHECK_FALSE(shape_of(sql).understood);
  }
}

TEST_CASE("the order guarantee is total only where nothing is left open") {
  CHECK(guarantee("SELECT a FROM items") == OrderGuarantee::none);
  CHECK(guarantee("SELECT a FROM items LIMIT 1") == OrderGuarantee::none);
  CHECK(guarantee("SELECT a FROM items ORDER BY id") == OrderGuarantee::partial);
  CHECK(guarantee("SELECT COUNT(*), MAX(a) FROM items") == OrderGuarantee::total);
  CHECK(guarantee("SELECT 1") == OrderGuarantee::total);
  CHECK(guarantee("SELECT a, COUNT(*) FROM items GROUP BY a") == OrderGuarantee::none);
  CHECK(guarantee("SELECT a, COUNT(*) n FROM items GROUP BY a ORDER BY n") == OrderGuarantee::partial);
  CHECK(guarantee("SELECT a, COUNT(*) n FROM items GROUP BY a ORDER BY n, a") == OrderGuarantee::total);
  CHECK(guarantee("SELECT a, b FROM items GROUP BY 1, 2 ORDER BY b, a") == OrderGuarantee::total);
  CHECK(guarantee("SELECT a, b FROM items GROUP BY a, b WITH ROLLUP ORDER BY b, a") == OrderGuarantee::partial);
  CHECK(guarantee("SELECT DISTINCT a, b FROM items ORDER BY b, a") == OrderGuarantee::total);
  CHECK(guarantee("SELECT DISTINCT a, b FROM items ORDER BY b") == OrderGuarantee::partial);
  CHECK(guarantee("SELECT 1 UNION SELECT 2") == OrderGuarantee::none);
  CHECK(guarantee("SELECT 1 UNION SELECT 2 ORDER BY 1") == OrderGuarantee::partial);
  CHECK(guarantee("SHOW TABLES") == OrderGuarantee::unknown);
  CHECK(guarantee("UPDATE t SET a = 1") == OrderGuarantee::unknown);
  CHECK(guarantee("SELECT a FROM nonsense here now") == OrderGuarantee::unknown);
}

TEST_CASE("a catalogue's unique keys make an order total, NULLs and joins don't") {
  Catalogue catalogue = shop();
  CHECK(guarantee("SELECT a FROM items ORDER BY id", &catalogue) == OrderGuarantee::total);
  CHECK(guarantee("SELECT a FROM shop.items i ORDER BY a DESC, i.ID DESC LIMIT 5", &catalogue) == OrderGuarantee::total);
  CHECK(guarantee("SELECT a x, id y FROM items ORDER BY y", &catalogue) == OrderGuarantee::total);
  CHECK(guarantee("SELECT a, id FROM items ORDER BY 2", &catalogue) == OrderGuarantee::total);
  CHECK(guarantee("SELECT * FROM items ORDER BY b, a", &catalogue) == OrderGuarantee::total);
  CHECK(guarantee("SELECT * FROM items ORDER BY a", &catalogue) == OrderGuarantee::partial);
  CHECK(guarantee("SELECT * FROM items ORDER BY sku", &catalogue) == OrderGuarantee::partial);
  CHECK(guarantee("SELECT * FROM items ORDER BY id + 1", &catalogue) == OrderGuarantee::partial);
  CHECK(guarantee("SELECT a AS id FROM items ORDER BY id", &catalogue) == OrderGuarantee::partial);
  CHECK(guarantee("SELECT * FROM items JOIN other ON 1 ORDER BY id", &catalogue) == OrderGuarantee::partial);
  CHECK(guarantee("SELECT * FROM other ORDER BY id", &catalogue) == OrderGuarantee::partial);
  CHECK(guarantee("SELECT * FROM (SELECT * FROM items) d ORDER BY id", &catalogue) == OrderGuarantee::partial);
}
