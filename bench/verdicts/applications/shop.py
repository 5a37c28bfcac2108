"""What a shop of attributes (Magento) sends."""

from families import Families
from queries import pick

family = Families()


def pages(d): return f" LIMIT {d.choice((9, 12, 24))}" + pick(d, "", f" OFFSET {12 * d.randrange(5)}")


@family
def collection(d, t): return f"SELECT `e`.*, `cat_index`.`position` AS `cat_index_position` FROM `product` AS `e` INNER JOIN `category_product` AS `cat_index` ON cat_index.product_id = e.entity_id AND cat_index.category_id = '{d.randrange(2, 20)}' ORDER BY `cat_index`.`position` {pick(d, 'ASC', 'DESC')}".replace("`e`", f"`{t}`").replace("e.entity_id", f"{t}.entity_id") + pages(d)
@family
def collection_total(d, t): return f"SELECT {t}.entity_id, {t}.sku FROM product {t} INNER JOIN category_product c ON c.product_id = {t}.entity_id AND c.category_id = {d.randrange(2, 20)} ORDER BY c.position ASC, {t}.entity_id DESC" + pages(d)
@family
def store_fallback(d, t): return f"SELECT {t}.entity_id, IF(s.value_id > 0, s.value, g.value) AS name FROM product {t} LEFT JOIN product_varchar g ON g.entity_id = {t}.entity_id AND g.attribute_id = 73 AND g.store_id = 0 LEFT JOIN product_varchar s ON s.entity_id = {t}.entity_id AND s.attribute_id = 73 AND s.store_id = 1 WHERE {t}.attribute_set_id = {d.randrange(4, 9)} ORDER BY {pick(d, 'IF(s.value_id > 0, s.value, g.value) ASC', 'name DESC', 'COALESCE(s.value, g.value, 0)', 'name, ' + t + '.entity_id')}" + pages(d)
@family
def attributes_union(d, t):
    chosen = ", ".join(str(d.randrange(1, 700)) for _ in range(9))
    return f"SELECT `{t}`.`attribute_id`, `{t}`.`value`, `{t}`.`entity_id` FROM `product_varchar` AS `{t}` WHERE (entity_id IN ({chosen})) AND store_id = 0 UNION ALL SELECT d.attribute_id, d.value, d.entity_id FROM product_decimal d WHERE (entity_id IN ({chosen})) AND store_id = 0" + pick(d, "", " ORDER BY `entity_id`", " ORDER BY `attribute_id` LIMIT 20")
@family
def price_range(d, t): return f"SELECT FLOOR({t}.value / {pick(d, 5, 10)}) * 10 AS bucket, COUNT(*), MIN({t}.value), AVG({t}.value), SUM({t}.value) FROM product_decimal {t} WHERE attribute_id = 77 GROUP BY bucket" + pick(d, "", " ORDER BY bucket", " ORDER BY 2 DESC LIMIT 2", " HAVING COUNT(*) > 40")
@family
def layered(d, t): return f"SELECT {t}.value, COUNT(DISTINCT {t}.entity_id) AS count FROM product_varchar {t} INNER JOIN category_product c ON c.product_id = {t}.entity_id WHERE {t}.attribute_id = {pick(d, 73, 97, 119)} GROUP BY {t}.value" + pick(d, "", " ORDER BY count DESC", f" ORDER BY count DESC LIMIT {d.randrange(2, 9)}", f" ORDER BY {t}.value")
@family
def cheapest(d, t): return f"SELECT {t}.entity_id, {t}.sku, p.value FROM product {t} JOIN product_decimal p ON p.entity_id = {t}.entity_id AND p.attribute_id = 77 WHERE p.value IS NOT NULL ORDER BY p.value {pick(d, 'ASC', 'DESC')}" + pages(d)
@family
def cheapest_hidden(d, t): return f"SELECT {t}.sku FROM product {t} JOIN product_decimal p ON p.entity_id = {t}.entity_id AND p.attribute_id = 77 ORDER BY p.value {pick(d, 'ASC', 'DESC')}, {t}.type_id" + pages(d)
@family
def orders_grid(d, t): return f"SELECT {t}.* FROM sales_order {t} WHERE {pick(d, t + '.status = ' + chr(39) + 'complete' + chr(39), t + '.store_id IS NULL', t + '.grand_total > 50', '1')} ORDER BY {t}.{pick(d, 'created_at DESC', 'grand_total', 'customer_email', 'status', 'increment_id DESC')}" + pages(d)
@family
def orders_count(d, t): return f"SELECT COUNT(*) FROM (SELECT {t}.entity_id FROM sales_order {t} WHERE status = '{pick(d, 'complete', 'pending')}' GROUP BY {t}.customer_email) x"
@family
def revenue(d, t): return f"SELECT {t}.status, {t}.store_id, COUNT(*), SUM({t}.grand_total), SUM({t}.weight), AVG({t}.weight) FROM sales_order {t} GROUP BY {t}.status, {t}.store_id" + pick(d, "", " WITH ROLLUP", " ORDER BY NULL", f" ORDER BY SUM({t}.grand_total) DESC LIMIT 3")
@family
def customers(d, t): return f"SELECT {t}.customer_email, COUNT(*) AS n, MAX({t}.created_at) AS last FROM sales_order {t} GROUP BY {t}.customer_email" + pick(d, "", " ORDER BY n DESC", " ORDER BY last DESC LIMIT 2", " HAVING n > 10")
@family
def last_order_each(d, t): return f"SELECT * FROM (SELECT {t}.entity_id, {t}.customer_email, {t}.status, {t}.created_at FROM sales_order {t} ORDER BY {t}.created_at DESC) sub GROUP BY sub.customer_email"
@family
def order_as_of(d, t): return f"SELECT {t}.entity_id, {t}.status FROM sales_order {t} WHERE {t}.created_at = (SELECT MAX(o.created_at) FROM sales_order o WHERE o.customer_email = {t}.customer_email)" + pick(d, "", f" ORDER BY {t}.customer_email", f" ORDER BY {t}.customer_email LIMIT 3")
@family
def skus_like(d, t): return f"SELECT DISTINCT {t}.sku FROM product {t} WHERE {t}.sku LIKE 'sku-0{d.randrange(4)}%'" + pick(d, "", " ORDER BY sku", " ORDER BY sku LIMIT 10", " LIMIT 10")
@family
def sku_twins(d, t): return f"SELECT {t}.sku, COUNT(*) AS c, GROUP_CONCAT({t}.entity_id) AS ids FROM product {t} GROUP BY {t}.sku HAVING c > 1" + pick(d, "", " ORDER BY c DESC", " ORDER BY c DESC, sku LIMIT 7", " ORDER BY c DESC LIMIT 7")
@family
def in_categories(d, t): return f"SELECT {t}.entity_id FROM product {t} WHERE EXISTS (SELECT 1 FROM category_product c WHERE c.product_id = {t}.entity_id AND c.category_id = {d.randrange(2, 20)}) AND {t}.type_id = '{pick(d, 'simple', 'bundle')}'" + pick(d, "", f" ORDER BY {t}.created_at DESC" + pages(d), pages(d))
@family
def related(d, t): return f"SELECT c2.product_id, COUNT(*) AS common FROM category_product {t} JOIN category_product c2 ON c2.category_id = {t}.category_id AND c2.product_id <> {t}.product_id WHERE {t}.product_id = {d.randrange(1, 700)} GROUP BY c2.product_id ORDER BY common DESC, c2.position" + f" LIMIT {d.randrange(2, 9)}"
@family
def newest_view(d, t): return f"SELECT {pick(d, '*', 'status, COUNT(*)', 'SUM(grand_total)')} FROM latest_orders {t}" + pick(d, "", " GROUP BY status", f" WHERE grand_total > {d.randrange(100)}").replace("GROUP BY status", "GROUP BY 1")
@family
def keyset(d, t): return f"SELECT {t}.created_at, {t}.entity_id, {t}.status FROM sales_order {t} WHERE ({t}.created_at, {t}.entity_id) > ('2024-01-{d.randrange(10, 30)} 00:00:00', {d.randrange(1, 900)}) ORDER BY {t}.created_at, {t}.entity_id" + pick(d, "", " DESC") + " LIMIT 20"
@family
def keyset_tied(d, t): return f"SELECT {t}.entity_id, {t}.grand_total FROM sales_order {t} WHERE {t}.grand_total > {d.randrange(150)}.0 ORDER BY {t}.grand_total LIMIT 15"
@family
def percent(d, t): return f"SELECT status, COUNT(*) * 100 / (SELECT COUNT(*) FROM sales_order) AS pct FROM sales_order {t} WHERE store_id = {d.randrange(1, 4)} GROUP BY status" + pick(d, "", " ORDER BY pct DESC", " ORDER BY pct")
@family
def index_hint(d, t): return f"SELECT {t}.entity_id, {t}.customer_email FROM sales_order {t} {pick(d, 'IGNORE INDEX (PRIMARY)', 'USE INDEX ()', 'IGNORE INDEX FOR ORDER BY (PRIMARY)')} WHERE {t}.store_id = {d.randrange(1, 4)} ORDER BY {t}.customer_email" + pages(d)
@family
def decimals(d, t): return f"SELECT {t}.entity_id, {t}.value * 1.19, ROUND({t}.value, 2), TRUNCATE({t}.value / 3, 4), CAST({t}.value AS DOUBLE), FORMAT({t}.value, 2) FROM product_decimal {t} WHERE attribute_id = 78 ORDER BY {t}.value DESC" + pages(d)
