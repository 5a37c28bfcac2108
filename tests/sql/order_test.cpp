// What is promised about the order of rows: total only with proof, ties named as open, silence called silence.
#include "sql/meaning.h"
#include "sql/rewrite.h"
#include "test_support/catch.h"

using namespace darktap::sql;

namespace {

Catalogue shop() {
  Catalogue catalogue;
  catalogue.default_schema = "shop";
  Table items;
  items.columns = {{"id", false}, {"a", false}, {"b", false}, {"sku", true}, {"c", true}};
  items.unique_keys = {{"PRIMARY", {"id"}}, {"ab", {"a", "b"}}, {"sku", {"sku"}}, {"ac", {"a", "c"}}};
  catalogue.tables[{"shop", "items"}] = items;
  catalogue.tables[{"other", "items"}] = Table{{{"id", false}}, {}};
  return catalogue;
}

}  // namespace

TEST_CASE("each form of query has the guarantee that it gives, and no more") {
  using enum OrderGuarantee;
  struct Case {
    const char* sql;
    OrderGuarantee alone, with_catalogue;
  };
  Catalogue catalogue = shop();
  for (const Case& c : std::initializer_list<Case>{
           // Unique keys without NULLs, in any order, direction, spelling.
           {"SELECT * FROM items ORDER BY id", partial, total},
           {"SELECT * FROM items ORDER BY `ID` DESC", partial, total},
           {"SELECT * FROM items ORDER BY c, id", partial, total},
           {"SELECT * FROM items ORDER BY b, c, a", partial, total},
           {"SELECT * FROM items ORDER BY a, b LIMIT 5 OFFSET 5", partial, total},
           {"SELECT * FROM items AS i WHERE c > 5 ORDER BY i.id", partial, total},
           {"SELECT * FROM shop.items ORDER BY shop.items.id", partial, total},
           {"SELECT a, id FROM items ORDER BY 2", partial, total},
           {"SELECT a AS x, id AS y FROM items ORDER BY y", partial, total},
           {"SELECT id FROM items WHERE id IN (SELECT id FROM other.items LIMIT 1) ORDER BY id", partial, total},
           {"SELECT id, (SELECT MAX(b) FROM other.items) m FROM items ORDER BY id", partial, total},
           {"SELECT id, ROW_NUMBER() OVER (ORDER BY c) FROM items ORDER BY id", partial, total},
           // NULLs may be many; a part of a key, an expression, another column of that name are no key.
           {"SELECT * FROM items ORDER BY sku", partial, partial},
           {"SELECT * FROM items ORDER BY a, c", partial, partial},
           {"SELECT * FROM items ORDER BY a", partial, partial},
           {"SELECT * FROM items ORDER BY -id", partial, partial},
           {"SELECT * FROM items ORDER BY ABS(id)", partial, partial},
           {"SELECT * FROM items ORDER BY id DIV 2", partial, partial},
           {"SELECT a AS id FROM items ORDER BY id", partial, partial},
           {"SELECT a FROM items ORDER BY 1", partial, partial},
           {"SELECT * FROM other.items ORDER BY id", partial, partial},
           {"SELECT * FROM unknown ORDER BY id", partial, partial},
           {"SELECT * FROM items i JOIN items j ON i.a = j.a ORDER BY i.id", partial, partial},
           {"SELECT * FROM items, other.items o ORDER BY items.id", partial, partial},
           {"SELECT * FROM (SELECT id FROM items) items ORDER BY id", partial, partial},
           {"WITH items AS (SELECT 1 AS id UNION ALL SELECT 1) SELECT * FROM items ORDER BY id", partial, partial},
           {"SELECT id FROM items ORDER BY ABS(a), @v", partial, partial},
           {"SELECT id FROM items ORDER BY (SELECT 1)", partial, partial},
           {"SELECT @v := a FROM items ORDER BY @v", partial, partial},
           // Keys that are the same for all rows, or drawn by chance.
           {"SELECT id FROM items ORDER BY NULL", none, none},
           {"SELECT id FROM items ORDER BY 'id'", none, none},
           {"SELECT id FROM items ORDER BY ?", none, none},
           {"SELECT id FROM items ORDER BY 1 + 1, -1, @v, @@port, NOW() DESC LIMIT 5", none, none},
           {"SELECT id FROM items ORDER BY RAND()", none, none},
           {"SELECT a, COUNT(*) FROM items GROUP BY a ORDER BY NULL", none, none},
           {"SELECT id FROM items ORDER BY NULL, id", partial, total},
           {"SELECT id FROM items ORDER BY COUNT(*)", partial, partial},
           // Groups and DISTINCT: one row for each.
           {"SELECT a, COUNT(*) FROM items GROUP BY a ORDER BY a", total, total},
           {"SELECT a, COUNT(*) FROM items GROUP BY a ORDER BY 1 DESC", total, total},
           {"SELECT a + 1 AS x, COUNT(*) FROM items GROUP BY x ORDER BY x", total, total},
           {"SELECT a, b, COUNT(*) n FROM items GROUP BY a, b ORDER BY n DESC, b, a", total, total},
           {"SELECT a, b FROM items GROUP BY a, b ORDER BY a", partial, partial},
           {"SELECT id, COUNT(*) FROM items GROUP BY a ORDER BY id", partial, partial},
           {"SELECT a, COUNT(*) FROM items GROUP BY a WITH ROLLUP ORDER BY a", partial, partial},
           {"SELECT a, COUNT(*) FROM items GROUP BY a HAVING COUNT(*) > 1", none, none},
           {"SELECT DISTINCT a FROM items ORDER BY a", total, total},
           {"SELECT DISTINCT a, b FROM items ORDER BY a", partial, partial},
           {"SELECT DISTINCT a FROM items", none, none},
           {"SELECT DISTINCT * FROM items ORDER BY a", partial, partial},
           {"SELECT DISTINCT a, COUNT(*) FROM items GROUP BY a, b ORDER BY a", partial, partial},
           // One row at most.
           {"SELECT 1", total, total},
           {"SELECT NOW(), @@version", total, total},
           {"SELECT 1 FROM DUAL WHERE 1 = 0", total, total},
           {"SELECT COUNT(*) FROM items", total, total},
           {"SELECT MAX(a) + 1 FROM items WHERE b = 2", total, total},
           {"SELECT COUNT(*) FROM items GROUP BY a", none, none},
           {"SELECT COUNT(*) OVER () FROM items", none, none},
           {"SELECT (SELECT COUNT(*) FROM items) FROM items", none, none},
           {"SELECT GROUP_CONCAT(a) FROM items", total, total},
           // No ORDER BY of its own, whatever is inside.
           {"SELECT * FROM items", none, none},
           {"SELECT * FROM items WHERE id = 5", none, none},
           {"SELECT * FROM items LIMIT 1", none, none},
           {"SELECT * FROM (SELECT * FROM items ORDER BY id) d", none, none},
           {"SELECT *, RANK() OVER (ORDER BY id) FROM items", none, none},
           {"SELECT a FROM items UNION SELECT b FROM items", none, none},
           {"(SELECT a FROM items ORDER BY id LIMIT 1) UNION ALL (SELECT b FROM items ORDER BY id)", none, none},
           {"SELECT id FROM items UNION SELECT id FROM items ORDER BY id", partial, partial},
           {"SELECT id FROM items UNION ALL SELECT id FROM items ORDER BY 1 LIMIT 3", partial, partial},
           {"VALUES ROW(1), ROW(2)", none, none},
           {"TABLE items", none, none},
           {"TABLE items ORDER BY id", partial, partial},
           // Not known.
           {"SELECT * FROM items FETCH FIRST 3 ROWS WITH TIES", unknown, unknown},
           {"(SELECT * FROM items ORDER BY id) LIMIT 1", unknown, unknown},
           {"SELECT * FROM items ORDER BY id LIMIT ROWS EXAMINED 5", unknown, unknown},
           {"SELECT 1; SELECT 2", unknown, unknown},
           {"SHOW TABLES", unknown, unknown},
           {"EXPLAIN SELECT * FROM items ORDER BY id", unknown, unknown},
           {"DELETE FROM items ORDER BY id", unknown, unknown},
           {"SELECT * FROM items ORDER BY", unknown, unknown},
       }) {
    CAPTURE(c.sql);
    CHECK(to_string(understand(c.sql).order.guarantee) == to_string(c.alone));
    CHECK(to_string(understand(c.sql, {}, &catalogue).order.guarantee) == to_string(c.with_catalogue));
  }
}
