"""More statements, of shapes that queries.py lacks: recursive and stacked CTEs, frames, JSON tables, views, lateral tables, odd ORDER BYs, other types."""

import data  # noqa: F401: the rows that these are about
from families import Families, numbered
from queries import cut, order, pick, where

family = Families()


def ids(d, width=400):
    n = d.randrange(2900)
    return f"{n} AND {n + d.randrange(20, width)}"


THINGS = ("sign", "bin_name", "uni_name", "old_name", "tag_code", "raw", "bits", "in_year", "at_time", "at_moment", "stamp", "amount", "ratio", "half", "size", "flags_set", "pair")


def thing_order(d):
    return " ORDER BY " + ", ".join(k + pick(d, "", " DESC") for k in d.sample(THINGS[:-1], d.choice((1, 1, 2))))


@family
def recursive_numbers(d, t): return f"WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < {d.randrange(3, 30)}) SELECT n.i, {t}.id, {t}.name FROM n JOIN people {t} ON {t}.score = n.i" + pick(d, "", " ORDER BY n.i", " ORDER BY n.i, id", f" ORDER BY n.i LIMIT {d.randrange(2, 40)}")
@family
def recursive_chain(d, t): return f"WITH RECURSIVE c AS (SELECT id, score, 1 AS depth FROM people WHERE id = {d.randrange(1, 50)} UNION ALL SELECT {t}.id, {t}.score, c.depth + 1 FROM people {t} JOIN c ON {t}.id = c.id * 2 + 1 WHERE c.depth < 8) SELECT * FROM c" + pick(d, "", " ORDER BY depth", " ORDER BY score LIMIT 3")
@family
def recursive_walk(d, t): return f"WITH RECURSIVE w AS (SELECT person_id AS id, 0 AS step FROM orders WHERE id = {d.randrange(1, 2000)} UNION SELECT {t}.person_id, w.step + 1 FROM orders {t} JOIN w ON {t}.id = w.id WHERE w.step < 4) SELECT id, step FROM w"
@family
def two_ctes(d, t): return f"WITH a AS (SELECT score, COUNT(*) AS n FROM people {t}" + where(d) + " GROUP BY score), b AS (SELECT qty, SUM(total) AS s FROM orders GROUP BY qty) SELECT a.score, a.n, b.s FROM a LEFT JOIN b ON b.qty = a.score" + pick(d, "", " ORDER BY a.n DESC", f" ORDER BY a.n LIMIT {d.randrange(1, 9)}")
@family
def cte_of_top(d, t): return f"WITH top AS (SELECT id, score FROM people {t}" + where(d) + f" ORDER BY {pick(d, 'score', 'age', 'seen')} LIMIT {d.randrange(2, 30)}) SELECT COUNT(*), MIN(o.total) FROM top JOIN orders o ON o.person_id = top.id"
@family
def cte_twice(d, t): return f"WITH x AS (SELECT id, city, score FROM people {t} WHERE score = {d.randrange(1, 40)}) SELECT l.id, r.id FROM x l JOIN x r ON l.city = r.city AND l.id < r.id" + pick(d, "", " ORDER BY l.id", " ORDER BY l.city LIMIT 7")
@family
def lateral_first(d, t): return f"SELECT {t}.id, x.total FROM people {t}, LATERAL (SELECT total FROM orders o WHERE o.person_id = {t}.id ORDER BY {pick(d, 'qty', 'total DESC', 'placed')} LIMIT {d.randrange(1, 3)}) x WHERE {t}.id BETWEEN " + ids(d)
@family
def many_orders(d, t): return f"SELECT id, name, score FROM people {t} WHERE (SELECT COUNT(*) FROM orders o WHERE o.person_id = {t}.id) > {d.randrange(1, 3)}" + pick(d, "", order(d), order(d) + cut(d))
@family
def by_subquery(d, t): return f"SELECT id, city FROM people {t} WHERE score < {d.randrange(2, 12)} ORDER BY (SELECT COUNT(*) FROM orders o WHERE o.person_id = {t}.id) DESC" + cut(d)
@family
def newest_of_each(d, t): return f"SELECT {t}.* FROM orders {t} JOIN (SELECT person_id, MAX(placed) AS last FROM orders WHERE person_id < {d.randrange(100, 900)} GROUP BY person_id) m ON m.person_id = {t}.person_id AND m.last = {t}.placed" + pick(d, "", f" ORDER BY {t}.placed", f" ORDER BY {t}.total LIMIT 9")
@family
def no_newer(d, t): return f"SELECT {t}.id, {t}.person_id, {t}.status FROM orders {t} LEFT JOIN orders n ON n.person_id = {t}.person_id AND n.placed > {t}.placed WHERE n.id IS NULL AND {t}.person_id < {d.randrange(100, 700)}" + pick(d, "", f" ORDER BY {t}.status", f" ORDER BY {t}.qty LIMIT 12")
@family
def not_exists(d, t): return f"SELECT id, name FROM people {t} WHERE NOT EXISTS (SELECT * FROM orders o WHERE o.person_id = {t}.id) AND score < {d.randrange(2, 20)}" + pick(d, "", order(d), order(d) + cut(d))
@family
def greater_than_all(d, t): return f"SELECT id, balance FROM people {t} WHERE balance > ALL (SELECT balance - {d.randrange(50, 800)} FROM people WHERE kind = 'a')" + pick(d, "", " ORDER BY score", " ORDER BY score LIMIT 4")
@family
def row_constructors(d, t): return f"SELECT id, kind, score FROM people {t} WHERE (kind, score) IN (('a', {d.randrange(1, 40)}), ('B', {d.randrange(1, 40)}), ('c', {d.randrange(1, 40)}))" + pick(d, "", " ORDER BY kind", " ORDER BY score DESC LIMIT 5")
@family
def moving_sum(d, t): return f"SELECT id, SUM({pick(d, 'score', 'balance', 'age')}) OVER (PARTITION BY kind ORDER BY {pick(d, 'seen', 'score', 'id')} ROWS BETWEEN {d.randrange(1, 5)} PRECEDING AND CURRENT ROW) AS m FROM people {t} WHERE id BETWEEN " + ids(d) + pick(d, "", " ORDER BY id", " ORDER BY m DESC LIMIT 6")
@family
def range_frame(d, t): return f"SELECT id, score, COUNT(*) OVER (ORDER BY score RANGE BETWEEN {d.randrange(1, 4)} PRECEDING AND {d.randrange(1, 4)} FOLLOWING) AS near FROM people {t} WHERE id BETWEEN " + ids(d) + pick(d, "", " ORDER BY id", " ORDER BY score LIMIT 8")
@family
def last_values(d, t): return f"SELECT id, LAST_VALUE({pick(d, 'id', 'name', 'score')}) OVER (PARTITION BY city ORDER BY {pick(d, 'score', 'age', 'seen')} ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS v FROM people {t} WHERE id BETWEEN " + ids(d, 200) + pick(d, "", " ORDER BY id")
@family
def nth_values(d, t): return f"SELECT id, NTH_VALUE(id, {d.randrange(1, 4)}) OVER (PARTITION BY kind ORDER BY {pick(d, 'score', 'age DESC')}) AS v FROM people {t} WHERE id BETWEEN " + ids(d, 200) + pick(d, "", " ORDER BY id")
@family
def tiles(d, t): return f"SELECT tile, COUNT(*), MIN(score), MAX(score) FROM (SELECT score, NTILE({d.randrange(2, 7)}) OVER (ORDER BY {pick(d, 'score', 'age', 'city')}) AS tile FROM people {t} WHERE id BETWEEN " + ids(d) + ") q GROUP BY tile" + pick(d, "", " ORDER BY tile")
@family
def shares(d, t): return f"SELECT id, score, {pick(d, 'PERCENT_RANK()', 'CUME_DIST()', 'DENSE_RANK()')} OVER (PARTITION BY kind ORDER BY score) AS p FROM people {t} WHERE id BETWEEN " + ids(d) + pick(d, "", " ORDER BY p", " ORDER BY p DESC LIMIT 10")
@family
def named_window(d, t): return f"SELECT id, ROW_NUMBER() OVER w AS r, SUM(score) OVER w AS s FROM people {t} WHERE id BETWEEN " + ids(d, 200) + f" WINDOW w AS (PARTITION BY kind ORDER BY {pick(d, 'seen', 'score')})" + pick(d, "", " ORDER BY id")
@family
def share_of_group(d, t): return f"SELECT id, balance / SUM(balance) OVER (PARTITION BY city) AS share, AVG(height) OVER (PARTITION BY kind) AS h FROM people {t} WHERE id BETWEEN " + ids(d, 150) + pick(d, "", " ORDER BY id", " ORDER BY city LIMIT 9")
@family
def gaps(d, t): return f"SELECT * FROM (SELECT id, placed, LAG(placed) OVER (PARTITION BY person_id ORDER BY placed) AS before_it FROM orders {t} WHERE person_id < {d.randrange(50, 500)}) q WHERE before_it IS NOT NULL"
@family
def json_rows(d, t): return f"SELECT {t}.id, j.tag FROM people {t}, JSON_TABLE({t}.doc, '$.tags[*]' COLUMNS (tag VARCHAR(20) PATH '$')) j WHERE {t}.id BETWEEN " + ids(d) + pick(d, "", " ORDER BY j.tag", " ORDER BY j.tag LIMIT 6")
@family
def json_level(d, t): return f"SELECT id, JSON_EXTRACT(doc, '$.level') AS level FROM people {t} WHERE doc IS NOT NULL AND id BETWEEN " + ids(d) + pick(d, " ORDER BY level", " ORDER BY level LIMIT 7", f" ORDER BY JSON_UNQUOTE(JSON_EXTRACT(doc, '$.tags[0]')), score LIMIT 5")
@family
def json_object_of(d, t): return f"SELECT kind, JSON_OBJECTAGG({pick(d, 'id', 'code', 'city')}, score) AS o FROM people {t} WHERE city IS NOT NULL AND id BETWEEN " + ids(d, 100) + " GROUP BY kind" + pick(d, "", " ORDER BY kind")
@family
def json_list_of(d, t): return f"SELECT score, JSON_ARRAYAGG({pick(d, 'id', 'name', 'age')}) AS l FROM people {t} WHERE id BETWEEN " + ids(d) + " GROUP BY score" + pick(d, "", " ORDER BY score", " ORDER BY COUNT(*) LIMIT 4")
@family
def json_made(d, t): return f"SELECT JSON_OBJECT('id', id, 'n', name, 's', score) AS o FROM people {t}" + where(d) + pick(d, "", " ORDER BY score", " ORDER BY score LIMIT 5")
@family
def roll_up_sums(d, t): return f"SELECT {pick(d, 'status', 'qty')} AS k, {pick(d, 'MONTH(placed)', 'person_id % 3')} AS m, COUNT(*), SUM({pick(d, 'volume', 'total')}) FROM orders {t} WHERE id < {d.randrange(100, 2900)} GROUP BY k, m WITH ROLLUP"
@family
def roll_up_cut(d, t): return f"SELECT kind, active, COUNT(*) FROM people {t}" + where(d) + f" GROUP BY kind, active WITH ROLLUP LIMIT {d.randrange(2, 6)}"
@family
def odd_orders(d, t): return f"SELECT id, name, age FROM people {t}" + where(d) + " ORDER BY " + pick(d, "NULL", "'x'", "score + 0", "ISNULL(age), age DESC", "age IS NULL DESC, score", "IF(kind = 'a', 0, 1), age", "RIGHT(name, 1), 3", "FIELD(city, 'Rome', 'Bern') DESC", "name COLLATE utf8mb4_bin DESC", "NULLIF(score, 7)", "CAST(score AS CHAR)", "CONCAT(city, kind)", "score DIV 10, age % 2", "NOT active", "kind + 0 DESC", "tags + 0", "flags & 7", "(score)", "IFNULL(city, name)") + pick(d, "", cut(d))
@family
def shadowing_alias(d, t): return f"SELECT id, -score AS {pick(d, 'score', 'age')}, city FROM people {t}" + where(d) + f" ORDER BY {pick(d, 'score', 'age', 'score, city', 'age DESC')}" + pick(d, "", cut(d))
@family
def ordinal_beside_star(d, t): return f"SELECT score, {t}.* FROM people {t}" + where(d) + f" ORDER BY {pick(d, '1', '1 DESC', '3')}" + pick(d, "", cut(d))
@family
def distinct_cut(d, t): return f"SELECT DISTINCT {pick(d, 'city', 'name', 'score, kind', 'LEFT(name, 1)')} FROM people {t}" + where(d) + f" LIMIT {d.randrange(1, 9)}"
@family
def distinct_counts(d, t): return f"SELECT COUNT(DISTINCT name), COUNT(DISTINCT city, kind), COUNT(DISTINCT tags), SUM(DISTINCT score) FROM people {t}" + where(d)
@family
def distinct_join(d, t): return f"SELECT DISTINCT {t}.city, o.status FROM people {t} JOIN orders o ON o.person_id = {t}.id" + pick(d, "", f" WHERE o.qty = {d.randrange(1, 6)}") + pick(d, "", f" ORDER BY o.status", f" ORDER BY {t}.city, o.status LIMIT 4")
@family
def union_cut(d, t): return f"SELECT city AS v FROM people {t} WHERE score = {d.randrange(1, 40)} UNION SELECT status FROM orders WHERE qty = {d.randrange(1, 6)}" + pick(d, "", " ORDER BY v", " ORDER BY 1 LIMIT 3", " LIMIT 4")
@family
def union_keys(d, t): return f"SELECT id, score AS k FROM people {t} WHERE age = {d.randrange(18, 60)} UNION ALL SELECT id, qty FROM orders WHERE person_id < {d.randrange(20, 300)} ORDER BY k" + pick(d, "", cut(d))
@family
def union_in_from(d, t): return f"SELECT k, COUNT(*) FROM (SELECT city AS k FROM people {t}" + where(d) + " UNION ALL SELECT status FROM orders) u GROUP BY k" + pick(d, "", " ORDER BY 2 DESC", " ORDER BY 2 DESC, k LIMIT 3")
@family
def union_of_tops(d, t): return f"SELECT COUNT(*), SUM(score) FROM ((SELECT id, score FROM people {t} ORDER BY {pick(d, 'age', 'seen')} LIMIT {d.randrange(2, 20)}) UNION ALL (SELECT id, score FROM people WHERE city = 'Rome' ORDER BY score LIMIT 5)) u"
@family
def three_unions(d, t): return f"SELECT name FROM people {t} WHERE score = {d.randrange(1, 40)} UNION ALL SELECT name FROM people WHERE kind = 'c' AND id < 50 UNION SELECT code FROM people WHERE id < {d.randrange(10, 300)}"
@family
def except_names(d, t): return f"SELECT name FROM people {t} WHERE score < {d.randrange(2, 20)} EXCEPT SELECT name FROM people WHERE kind = 'a'" + pick(d, "", " ORDER BY name")
@family
def intersect_names(d, t): return f"SELECT city, kind FROM people {t} WHERE score < {d.randrange(2, 20)} INTERSECT SELECT city, kind FROM people WHERE age > {d.randrange(18, 55)}" + pick(d, "", " ORDER BY city", " LIMIT 3")
@family
def straight(d, t): return f"SELECT STRAIGHT_JOIN {t}.id, o.id FROM orders o JOIN people {t} ON {t}.id = o.person_id WHERE {t}.score = {d.randrange(1, 40)}" + pick(d, "", " ORDER BY o.total", " ORDER BY o.placed LIMIT 8")
@family
def natural(d, t): return f"SELECT id, name, status FROM people {t} NATURAL JOIN orders WHERE score = {d.randrange(1, 40)}" + pick(d, "", " ORDER BY status", " ORDER BY status LIMIT 4")
@family
def right_join(d, t): return f"SELECT o.id, {t}.name FROM people {t} RIGHT JOIN orders o ON o.person_id = {t}.id AND {t}.active = 1 WHERE o.qty = {d.randrange(1, 6)}" + pick(d, "", f" ORDER BY {t}.name", f" ORDER BY {t}.score LIMIT 11")
@family
def cross_cut(d, t): return f"SELECT {t}.id, p.id FROM people {t} CROSS JOIN posts p WHERE {t}.id < 20 AND p.rank_no = {d.randrange(10)}" + pick(d, " LIMIT 9", f" ORDER BY {t}.score LIMIT 9", "")
@family
def self_join(d, t): return f"SELECT {t}.id, b.id FROM people {t} JOIN people b ON b.score = {t}.score AND b.id > {t}.id WHERE {t}.id < {d.randrange(20, 90)} AND b.id < 200" + pick(d, "", f" ORDER BY {t}.score", f" ORDER BY {t}.score, b.age LIMIT 10")
@family
def three_tables(d, t): return f"SELECT {t}.name, o.status, p.title FROM people {t}, orders o, posts p WHERE o.person_id = {t}.id AND p.author_id = {t}.score AND {t}.id < {d.randrange(50, 300)}" + pick(d, "", " ORDER BY p.rank_no", " ORDER BY o.total DESC LIMIT 15")
@family
def through_view(d, t): return f"SELECT {pick(d, '*', 'id, name', 'city, score')} FROM v_active {t}" + pick(d, "", f" WHERE score < {d.randrange(2, 30)}") + pick(d, "", " ORDER BY score", " ORDER BY city LIMIT 7", " LIMIT 6")
@family
def through_sorted_view(d, t): return f"SELECT id, score FROM v_sorted {t} WHERE score < {d.randrange(2, 20)}" + pick(d, "", " ORDER BY score", f" LIMIT {d.randrange(2, 20)}")
@family
def through_top_view(d, t): return f"SELECT {pick(d, 'COUNT(*), SUM(id)', 'id, name', 'MAX(id)')} FROM v_top {t}" + pick(d, "", f" WHERE score < {d.randrange(2, 6)}")
@family
def through_group_view(d, t): return f"SELECT {pick(d, '*', 'city, n')} FROM v_cities {t}" + pick(d, "", " ORDER BY n DESC", " ORDER BY n DESC LIMIT 2", " WHERE n > 100")
@family
def grouped_lists(d, t): return f"SELECT kind, GROUP_CONCAT(DISTINCT city ORDER BY {pick(d, 'city', 'city DESC')} SEPARATOR '|') AS l, COUNT(DISTINCT name) FROM people {t}" + where(d) + " GROUP BY kind"
@family
def extremes_under_collations(d, t): return f"SELECT kind, MIN(name COLLATE {pick(d, 'utf8mb4_bin', 'utf8mb4_unicode_ci')}), MAX(TRIM(name)) FROM people {t}" + where(d) + " GROUP BY kind"
@family
def grouped_trimmed(d, t): return f"SELECT {pick(d, 'TRIM(name)', 'UPPER(city)', 'name COLLATE utf8mb4_bin', 'SUBSTRING(name, 2)')} AS g, COUNT(*) FROM people {t}" + where(d) + " GROUP BY g" + pick(d, "", " ORDER BY COUNT(*) DESC, g", " ORDER BY 2 DESC LIMIT 3")
@family
def grouped_by_date(d, t): return f"SELECT DATE_FORMAT(seen, '%Y-%m') AS m, kind, COUNT(*), SUM(balance), AVG(age) FROM people {t} GROUP BY m, kind" + pick(d, "", " ORDER BY m", f" HAVING COUNT(*) > {d.randrange(1, 30)} ORDER BY 3 DESC LIMIT 5")
@family
def standard_deviations(d, t): return f"SELECT kind, STDDEV_SAMP({pick(d, 'height', 'score')}), VAR_POP(weight), BIT_OR(flags), BIT_XOR(score) FROM people {t}" + where(d) + " GROUP BY kind" + pick(d, "", " ORDER BY kind")
@family
def buckets(d, t): return f"SELECT CASE WHEN score < 10 THEN 'low' WHEN score < 25 THEN 'mid' ELSE 'high' END AS bucket, COUNT(*), MAX(name) FROM people {t}" + where(d) + " GROUP BY bucket" + pick(d, "", " ORDER BY 2", " ORDER BY 2 DESC LIMIT 1")
@family
def items_exist(d, t): return f"SELECT id, EXISTS (SELECT 1 FROM orders o WHERE o.person_id = {t}.id) AS has, (SELECT COUNT(*) FROM orders o WHERE o.person_id = {t}.id AND qty > 2) AS n FROM people {t} WHERE id BETWEEN " + ids(d) + pick(d, "", " ORDER BY has", " ORDER BY n DESC LIMIT 8")
@family
def item_top(d, t): return f"SELECT id, (SELECT o.id FROM orders o WHERE o.person_id = {t}.id ORDER BY o.{pick(d, 'qty', 'status', 'placed')} DESC LIMIT 1) AS last FROM people {t} WHERE score = {d.randrange(1, 40)}" + pick(d, "", " ORDER BY last", " ORDER BY name LIMIT 5")
@family
def limited_far(d, t): return f"SELECT id, seen FROM people {t} ORDER BY {pick(d, 'seen', 'active', 'kind')} LIMIT {d.randrange(1000, 2900)}, {d.randrange(3, 40)}"
@family
def limit_none(d, t): return f"SELECT id FROM people {t}" + where(d) + pick(d, " LIMIT 0", " ORDER BY score LIMIT 100000", " LIMIT 100000")
@family
def pattern(d, t): return f"SELECT id, name FROM people {t} WHERE name {pick(d, 'REGEXP', 'NOT REGEXP', 'RLIKE')} '^[ab]'" + pick(d, "", " ORDER BY name", " ORDER BY name LIMIT 4")
@family
def hinted(d, t): return f"SELECT {pick(d, 'SQL_BUFFER_RESULT', 'SQL_BIG_RESULT', 'HIGH_PRIORITY', 'SQL_NO_CACHE')} city, COUNT(*) AS n FROM people {t}" + where(d) + " GROUP BY city" + pick(d, "", " ORDER BY n", " ORDER BY n LIMIT 2")
@family
def variable_item(d, t): return f"SELECT {t}.id, @@max_allowed_packet > 0 AS big, {t}.name FROM people {t} WHERE score = {d.randrange(1, 40)}" + pick(d, "", " ORDER BY city")
@family
def things_list(d, t): return f"SELECT {pick(d, '*', 'id, raw, bits, pair', 'id, at_time, at_moment, stamp', 'bin_name, uni_name, old_name', 'amount, ratio, half')} FROM things {t}" + pick(d, "", f" WHERE size = {d.randrange(1, 12)}", " WHERE sign IS NULL", " WHERE stamp = '2024-02-02 02:02:02'")
@family
def things_by_key(d, t): return f"SELECT {t}.* FROM things {t} WHERE {t}.id = {d.randrange(1, 1500)}"
@family
def things_ordered(d, t): return f"SELECT * FROM things {t}" + pick(d, "", f" WHERE size < {d.randrange(2, 12)}") + thing_order(d) + pick(d, "", cut(d))
@family
def things_hidden(d, t): return f"SELECT id, size FROM things {t}" + pick(d, "", f" WHERE size < {d.randrange(2, 12)}") + thing_order(d) + pick(d, "", cut(d))
@family
def things_no_key(d, t): return f"SELECT {pick(d, 'bits', 'sign', 'ratio', 'in_year')} FROM things {t}" + thing_order(d) + cut(d)
@family
def things_groups(d, t): return f"SELECT {pick(d, 'bin_name', 'uni_name', 'old_name', 'tag_code', 'sign', 'bits', 'in_year', 'at_time', 'half', 'amount', 'ratio', 'flags_set', 'raw')} AS g, COUNT(*) AS n FROM things {t} GROUP BY g" + pick(d, "", " ORDER BY g", " ORDER BY n DESC LIMIT 4", " ORDER BY n DESC, g LIMIT 6")
@family
def things_distinct(d, t): return f"SELECT DISTINCT {pick(d, 'bin_name', 'uni_name', 'old_name, sign', 'tag_code', 'bits', 'half', 'raw', 'ratio')} FROM things {t}" + pick(d, "", " ORDER BY 1", " LIMIT 5")
@family
def things_extremes(d, t): return f"SELECT size, MIN({pick(d, 'uni_name', 'old_name', 'tag_code', 'raw')}), MAX({pick(d, 'bin_name', 'uni_name', 'sign', 'at_moment')}) FROM things {t} GROUP BY size" + pick(d, "", " ORDER BY size")
@family
def things_lists(d, t): return f"SELECT size, GROUP_CONCAT({pick(d, 'uni_name', 'bits + 0', 'half', 'amount', 'sign')}{pick(d, '', ' ORDER BY in_year', ' ORDER BY uni_name')}) FROM things {t} WHERE id BETWEEN " + ids(d, 60).replace("2", "1") + " GROUP BY size"
@family
def things_geometry(d, t): return f"SELECT id, ST_AsText(pair) AS p, ST_X(pair) AS x FROM things {t} WHERE size = {d.randrange(1, 12)}" + pick(d, "", " ORDER BY x", " ORDER BY x LIMIT 3")
@family
def things_times(d, t): return f"SELECT id, UNIX_TIMESTAMP(stamp), DATE_ADD(at_moment, INTERVAL 90 MINUTE), TIMEDIFF(at_time, '01:00:00'), CONVERT_TZ(at_moment, '+00:00', '+02:00') FROM things {t} WHERE size = {d.randrange(1, 12)}" + pick(d, "", " ORDER BY stamp", " ORDER BY at_time LIMIT 5")
@family
def things_arithmetic(d, t): return f"SELECT id, amount / 3, amount * ratio, half + 0, bits + 0, -ratio, ratio * 0, in_year + 1, sign + 0 FROM things {t} WHERE size = {d.randrange(1, 12)}" + pick(d, "", " ORDER BY amount", " ORDER BY ratio LIMIT 5")
@family
def things_sums(d, t): return f"SELECT sign, SUM(ratio), AVG(half), SUM(amount), COUNT(DISTINCT uni_name) FROM things {t} GROUP BY sign" + pick(d, "", " ORDER BY sign", " ORDER BY 2 LIMIT 2")
@family
def things_joined(d, t): return f"SELECT {t}.id, p.name FROM things {t} JOIN people p ON p.score = {t}.size AND p.kind = {t}.sign WHERE {t}.id < {d.randrange(5, 40)} AND p.id < 400" + pick(d, "", f" ORDER BY {t}.uni_name", f" ORDER BY {t}.bits LIMIT 6")
@family
def things_union(d, t): return f"SELECT uni_name FROM things {t} WHERE size = {d.randrange(1, 12)} UNION SELECT bin_name FROM things WHERE size = {d.randrange(1, 12)}" + pick(d, "", " ORDER BY 1")


# MySQL: EXCEPT and INTERSECT from 8.0.31; it orders a JSON document by its value, MariaDB by its text. MariaDB has no LATERAL.
MARIADB_ONLY = {"except_names", "intersect_names"}
MYSQL80_ONLY = {"lateral_first"}
OWN_WORDS = set()


def generate(count, seed, dialects):
    return numbered(family, count, seed, (MARIADB_ONLY if dialects != {"mariadb"} else set()) | (MYSQL80_ONLY if "mariadb" in dialects else set()))
