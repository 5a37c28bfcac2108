"""Statements as applications send them, of many shapes; each is marked with its number and family, and has a fingerprint of its own."""

import data  # noqa: F401: the rows that these are about
from families import Families, numbered

family = Families()


def pick(dice, *choices):
    return dice.choice(choices)


def where(dice, optional=True):
    choices = ["city = 'Oslo'", "age > %d" % dice.randrange(18, 55), "score < %d" % dice.randrange(3, 40), "name = 'bob'", "kind = 'a'",
               "name LIKE 'b%'", "age IS NULL", "id BETWEEN %d AND %d" % (lambda n: (n, n + dice.randrange(5, 400)))(dice.randrange(2500)), "seen = '2024-05-05 05:05:05'",
               "city IN ('Bern', 'Rome') AND active = 1", "note IS NULL", "deleted_at IS NULL AND score > %d" % dice.randrange(1, 38), "name = 'O\\'Neil'",
               "balance >= %d.50" % dice.randrange(9000)]
    return "" if optional and dice.random() < 0.25 else " WHERE " + dice.choice(choices)


def cut(dice):
    n = dice.choice((1, 2, 3, 5, 10, 20, 25))
    return dice.choice((f" LIMIT {n}", f" LIMIT {n} OFFSET {dice.randrange(1, 80)}", f" LIMIT {dice.randrange(0, 60)}, {n}"))


KEYS = ("city", "age", "score", "seen", "kind", "born", "balance", "name", "note", "code", "tags", "height", "weight", "active", "deleted_at", "flags")


def order(dice, keys=KEYS):
    chosen = dice.sample(keys, dice.choice((1, 1, 1, 2)))
    return " ORDER BY " + ", ".join(k + dice.choice(("", " DESC", " ASC")) for k in chosen)


@family
def plain_list(d, t): return f"SELECT {pick(d, '*', 'id, name', 'name, city', 'id, doc, flags, raw_bytes', 'code, kind, tags')} FROM people {t}" + where(d)
@family
def by_primary_key(d, t): return f"SELECT * FROM people {t} WHERE {t}.id = {d.randrange(1, 3000)} LIMIT 1"
@family
def by_keys(d, t): return f"SELECT {pick(d, '*', 'id, name, note', 'name, city, height')} FROM people {t} WHERE id IN ({', '.join(str(d.randrange(1, 3001)) for _ in range(d.randrange(1, 30)))})"
@family
def ordered_shown(d, t): return f"SELECT * FROM people {t}" + where(d) + order(d)
@family
def ordered_hidden(d, t): return f"SELECT id, name FROM people {t}" + where(d) + order(d)
@family
def ordered_no_key(d, t): return f"SELECT {pick(d, 'name', 'city, kind', 'age', 'note')} FROM people {t}" + where(d) + order(d)
@family
def page_shown(d, t): return f"SELECT * FROM people {t}" + where(d) + order(d) + cut(d)
@family
def page_hidden(d, t): return f"SELECT id, name FROM people {t}" + where(d) + order(d) + cut(d)
@family
def page_total(d, t): return f"SELECT * FROM people {t}" + where(d) + order(d) + ", id" + cut(d)
@family
def page_qualified(d, t): return f"SELECT {t}.* FROM people {t} WHERE {t}.active = 1 ORDER BY {t}.{pick(d, 'score', 'age', 'seen')} DESC, {t}.{pick(d, 'kind', 'city', 'name')}" + cut(d)
@family
def limit_without_order(d, t): return f"SELECT {pick(d, '*', 'id', 'name', 'city, kind')} FROM people {t}" + where(d) + cut(d)
@family
def by_position(d, t): return f"SELECT city, score, id FROM people {t}" + where(d) + f" ORDER BY {pick(d, '1', '2 DESC', '2, 1', '1 DESC, 2')}" + (cut(d) if d.random() < 0.7 else "")
@family
def by_alias(d, t): return f"SELECT id, UPPER(city) AS place, score * 2 AS points FROM people {t}" + where(d) + f" ORDER BY {pick(d, 'place', 'points DESC', 'place, points')}" + (cut(d) if d.random() < 0.7 else "")
@family
def by_expression(d, t): return f"SELECT id, name FROM people {t}" + where(d) + f" ORDER BY {pick(d, 'score % 7', 'LOWER(name)', 'age IS NULL, age', 'LENGTH(note) DESC', 'YEAR(seen)', '-score', 'COALESCE(age, 0)', 'CASE kind WHEN 2 THEN 0 ELSE 1 END', 'DATE(seen) DESC', 'ABS(score - 20)', 'LEFT(name, 1)')}" + (cut(d) if d.random() < 0.6 else "")
@family
def by_field(d, t): return f"SELECT id, kind, score FROM people {t}" + where(d) + f" ORDER BY FIELD(kind, 'c', 'a'), score" + (cut(d) if d.random() < 0.6 else "")
@family
def by_collate(d, t): return f"SELECT id, name FROM people {t}" + where(d) + f" ORDER BY name COLLATE {pick(d, 'utf8mb4_bin', 'utf8mb4_unicode_ci')}" + cut(d)
@family
def by_binary(d, t): return f"SELECT id, name FROM people {t}" + where(d) + " ORDER BY BINARY name" + cut(d)
@family
def count(d, t): return f"SELECT {pick(d, 'COUNT(*)', 'COUNT(DISTINCT city)', 'COUNT(age)', 'COUNT(*) AS aggregate')} FROM people {t}" + where(d)
@family
def sums(d, t): return f"SELECT SUM({pick(d, 'height', 'weight', 'balance', 'score')}), AVG({pick(d, 'height', 'balance', 'age', 'weight')}) FROM people {t}" + where(d)
@family
def sums_by_group(d, t): return f"SELECT {pick(d, 'kind', 'score', 'age')} AS k, COUNT(*), SUM(height), AVG(weight), STDDEV(height) FROM people {t}" + where(d) + " GROUP BY k" + pick(d, "", " ORDER BY k")
@family
def sums_by_group_cut(d, t): return f"SELECT status, SUM(volume) v FROM orders {t} GROUP BY status ORDER BY v DESC LIMIT 2"
@family
def extremes(d, t): return f"SELECT MIN({pick(d, 'name', 'city', 'age', 'note')}), MAX({pick(d, 'name', 'city', 'seen', 'code')}) FROM people {t}" + where(d)
@family
def extremes_by_group(d, t): return f"SELECT score, MIN(name), MAX(city) FROM people {t}" + where(d) + " GROUP BY score" + pick(d, "", " ORDER BY score")
@family
def group_twins(d, t): return f"SELECT {pick(d, 'city', 'name', 'code')} AS g, COUNT(*) FROM people {t}" + where(d) + " GROUP BY g" + pick(d, "", " ORDER BY g")
@family
def group_cut(d, t): return f"SELECT name, COUNT(*) AS n FROM people {t}" + where(d) + f" GROUP BY name ORDER BY n DESC LIMIT {d.randrange(1, 9)}"
@family
def group_cut_count(d, t): return f"SELECT {pick(d, 'city', 'age', 'score')}, COUNT(*) FROM people {t}" + where(d) + f" GROUP BY 1 ORDER BY COUNT(*) {pick(d, 'DESC', 'ASC')} LIMIT {d.randrange(1, 9)}"
@family
def group_no_order_cut(d, t): return f"SELECT age, COUNT(*) FROM people {t}" + where(d) + f" GROUP BY age LIMIT {d.randrange(1, 9)}"
@family
def group_having(d, t): return f"SELECT score, city, COUNT(*) c FROM people {t} GROUP BY score, city HAVING c > {d.randrange(1, 9)}" + pick(d, "", " ORDER BY c DESC", " ORDER BY c DESC LIMIT 5")
@family
def group_expression(d, t): return f"SELECT {pick(d, 'LOWER(city)', 'YEAR(seen)', 'score % 5', 'LEFT(name, 2)')} AS g, COUNT(*), MAX(balance) FROM people {t}" + where(d) + " GROUP BY g" + pick(d, "", " ORDER BY 2 DESC", " ORDER BY 2 DESC LIMIT 3")
@family
def bare_column(d, t): return f"SELECT score, {pick(d, 'name', 'id', 'city, id', 'note', 'height')} FROM people {t}" + where(d) + " GROUP BY score" + pick(d, "", " ORDER BY score")
@family
def bare_star(d, t): return f"SELECT * FROM people {t}" + where(d) + f" GROUP BY {pick(d, 'city', 'kind', 'score')}"
@family
def bare_aggregate(d, t): return f"SELECT name, MAX(score) FROM people {t}" + where(d)
@family
def any_join_bare(d, t): return f"SELECT p.city, o.status, COUNT(*), o.id FROM people p JOIN orders {t} ON {t}.person_id = p.id GROUP BY p.city".replace("o.", t + ".")
@family
def distinct(d, t): return f"SELECT DISTINCT {pick(d, 'city', 'name', 'kind, tags', 'age, city', 'note', 'doc')} FROM people {t}" + where(d)
@family
def distinct_ordered(d, t): return f"SELECT DISTINCT {pick(d, 'city', 'name', 'score, city')} FROM people {t}" + where(d) + f" ORDER BY {pick(d, '1', '1 DESC')}" + (cut(d) if d.random() < 0.4 else "")
@family
def distinct_hidden(d, t): return f"SELECT DISTINCT {pick(d, 'city', 'name', 'kind')} FROM people {t}" + where(d) + f" ORDER BY {pick(d, 'score', 'seen DESC', 'age')}" + (cut(d) if d.random() < 0.3 else "")
@family
def distinct_cut(d, t): return f"SELECT DISTINCT {pick(d, 'city', 'name', 'age')} FROM people {t}" + where(d) + f" LIMIT {d.randrange(1, 6)}"
@family
def lists(d, t): return f"SELECT kind, GROUP_CONCAT({pick(d, 'id', 'city', 'score', 'name')}) FROM people {t} WHERE score = {d.randrange(1, 40)} GROUP BY kind"
@family
def lists_distinct(d, t): return f"SELECT kind, GROUP_CONCAT(DISTINCT {pick(d, 'city', 'score', 'name')}{pick(d, '', ' ORDER BY 1')}) FROM people {t} WHERE score < {d.randrange(1, 9)} GROUP BY kind".replace("ORDER BY 1", "ORDER BY score")
@family
def lists_ordered(d, t): return f"SELECT score, GROUP_CONCAT({pick(d, 'id', 'name', 'city')} ORDER BY {pick(d, 'city', 'name', 'age', 'id')} SEPARATOR '; ') FROM people {t} WHERE score < {d.randrange(2, 7)} AND id < 900 GROUP BY score"
@family
def lists_cut_off(d, t): return f"SELECT kind, GROUP_CONCAT(note) FROM people {t} GROUP BY kind"
@family
def lists_wrapped(d, t): return f"SELECT kind, CONCAT('[', GROUP_CONCAT(id), ']'), COUNT(*) FROM people {t} WHERE score = {d.randrange(1, 40)} GROUP BY kind"
@family
def json_lists(d, t): return f"SELECT kind, JSON_ARRAYAGG({pick(d, 'id', 'city', 'age')}) FROM people {t} WHERE score = {d.randrange(1, 40)} GROUP BY kind"
@family
def json_objects(d, t): return f"SELECT kind, JSON_OBJECTAGG({pick(d, 'id, name', 'code, city')}) FROM people {t} WHERE score = {d.randrange(1, 40)} AND code IS NOT NULL GROUP BY kind"
@family
def json_paths(d, t): return f"SELECT id, JSON_EXTRACT(doc, '$.level') lv FROM people {t}" + where(d) + f" ORDER BY {pick(d, 'lv', chr(74) + 'SON_EXTRACT(doc, ' + chr(39) + '$.level' + chr(39) + ')')}" + cut(d)
@family
def union(d, t): return f"SELECT city FROM people {t}" + where(d) + f" UNION{pick(d, '', ' ALL', ' DISTINCT')} SELECT name FROM people" + where(d) + pick(d, "", " ORDER BY 1", " LIMIT 5", " ORDER BY 1 LIMIT 7")
@family
def except_(d, t): return f"SELECT city FROM people {t}" + where(d) + f" {pick(d, 'EXCEPT', 'INTERSECT')} SELECT city FROM people" + where(d)
@family
def join_list(d, t): return f"SELECT p.name, {t}.total, {t}.status FROM people p {pick(d, 'JOIN', 'INNER JOIN', 'LEFT JOIN', 'LEFT OUTER JOIN')} orders {t} ON {t}.person_id = p.id WHERE p.score = {d.randrange(1, 40)}" + pick(d, "", f" ORDER BY {t}.total DESC", f" ORDER BY {t}.status, p.city", f" ORDER BY {t}.placed LIMIT 10", " ORDER BY p.name LIMIT 5 OFFSET 2")
@family
def join_count(d, t): return f"SELECT p.id, p.name, COUNT({t}.id) AS orders_count FROM people p LEFT JOIN orders {t} ON {t}.person_id = p.id WHERE p.id < {d.randrange(100, 900)} GROUP BY p.id, p.name ORDER BY orders_count DESC LIMIT {d.randrange(2, 30)}"
@family
def join_sum(d, t): return f"SELECT p.city, SUM({t}.total) AS s, AVG({t}.volume) FROM people p JOIN orders {t} ON {t}.person_id = p.id GROUP BY p.city" + pick(d, "", " ORDER BY s DESC", " ORDER BY s DESC LIMIT 3")
@family
def sub_limit(d, t): return f"SELECT COUNT(*), SUM(score) FROM (SELECT * FROM people {t}" + where(d) + pick(d, "", " ORDER BY city", " ORDER BY score") + f" LIMIT {d.randrange(3, 50)}) x"
@family
def sub_limit_rows(d, t): return f"SELECT id, name FROM (SELECT id, name, city FROM people {t}" + where(d) + f" ORDER BY {pick(d, 'age', 'score', 'city')} LIMIT {d.randrange(3, 30)}) x ORDER BY id"
@family
def sub_in(d, t): return f"SELECT id, name FROM people {t} WHERE id IN (SELECT person_id FROM orders WHERE qty = {d.randrange(1, 6)})" + where(d, False).replace(" WHERE ", " AND (") + ")" + pick(d, "", order(d), order(d) + cut(d))
@family
def sub_in_limit(d, t): return f"SELECT COUNT(*) FROM people {t} JOIN (SELECT person_id FROM orders ORDER BY qty LIMIT {d.randrange(3, 40)}) x ON x.person_id = {t}.id"
@family
def sub_scalar(d, t): return f"SELECT id, (SELECT MAX(total) FROM orders o WHERE o.person_id = {t}.id) AS most FROM people {t}" + where(d) + " ORDER BY most DESC LIMIT 10"
@family
def sub_scalar_first(d, t): return f"SELECT id, (SELECT status FROM orders o WHERE o.person_id = {t}.id ORDER BY qty LIMIT 1) AS latest FROM people {t} WHERE id < {d.randrange(20, 300)} ORDER BY id"
@family
def exists(d, t): return f"SELECT * FROM people {t} WHERE EXISTS (SELECT 1 FROM orders o WHERE o.person_id = {t}.id AND o.total > {d.randrange(20, 140)})" + pick(d, "", " ORDER BY score", " ORDER BY score LIMIT 5")
@family
def derived(d, t): return f"SELECT x.city, x.n FROM (SELECT city, COUNT(*) n FROM people {t}" + where(d) + " GROUP BY city) x" + pick(d, "", " ORDER BY x.n DESC", " ORDER BY x.n DESC LIMIT 3", " WHERE x.n > 3")
@family
def cte(d, t): return f"WITH x AS (SELECT city, score, id FROM people {t}" + where(d) + ") SELECT city, COUNT(*) c FROM x GROUP BY city" + pick(d, "", " ORDER BY c DESC LIMIT 3")
@family
def row_numbers(d, t): return f"SELECT id, {pick(d, 'ROW_NUMBER()', 'RANK()', 'SUM(score)', 'LAG(id)', 'NTILE(4)', 'FIRST_VALUE(id)', 'LEAD(name)')} OVER ({pick(d, '', 'PARTITION BY city ')}ORDER BY {pick(d, 'score', 'age', 'city')}) AS w FROM people {t} WHERE id < {d.randrange(50, 400)}" + pick(d, "", " ORDER BY id", " ORDER BY w", " ORDER BY w LIMIT 5")
@family
def first_of_each(d, t): return f"SELECT * FROM (SELECT id, city, score, ROW_NUMBER() OVER (PARTITION BY city ORDER BY score DESC) AS rn FROM people {t}) x WHERE rn = 1" + pick(d, "", " ORDER BY city")
@family
def window_sum(d, t): return f"SELECT kind, id, SUM(balance) OVER (PARTITION BY kind ORDER BY seen) FROM people {t} WHERE score = {d.randrange(1, 40)}"
@family
def rownum_variable(d, t): return f"SELECT @r := @r + 1 AS n, id, score FROM people {t}, (SELECT @r := 0) init WHERE id < {d.randrange(20, 300)} ORDER BY score"
@family
def fulltext(d, t): return f"SELECT id, title{pick(d, '', ', MATCH (title, body) AGAINST (' + chr(39) + 'sea wind' + chr(39) + ') AS rel')} FROM posts {t} WHERE MATCH (title, body) AGAINST ('{pick(d, 'sea wind', 'stone', '+river -light', 'green')}'{pick(d, '', ' IN BOOLEAN MODE')})" + pick(d, "", " ORDER BY rank_no LIMIT 5", " LIMIT 10")
@family
def found_rows(d, t): return f"SELECT SQL_CALC_FOUND_ROWS {t}.id FROM posts {t} WHERE {t}.author_id < {d.randrange(10, 60)} ORDER BY {t}.rank_no DESC LIMIT 0, 10"
@family
def prefetch(d, t): return f"SELECT `orders`.`id`, `orders`.`status`, `orders`.`total` FROM `orders` `{t}` WHERE `{t}`.`person_id` IN ({', '.join(str(d.randrange(1, 3000)) for _ in range(20))})".replace("`orders`.", f"`{t}`.")
@family
def django_page(d, t): return f"SELECT `{t}`.`id`, `{t}`.`name`, `{t}`.`city` FROM `people` `{t}` WHERE (`{t}`.`active` AND `{t}`.`score` > {d.randrange(1, 39)}) ORDER BY `{t}`.`seen` DESC LIMIT {pick(d, 10, 25)} OFFSET {pick(d, 25, 50)}"
@family
def django_count(d, t): return f"SELECT COUNT(*) FROM (SELECT DISTINCT `{t}`.`city` AS `col1` FROM `people` `{t}` WHERE `{t}`.`score` < {d.randrange(2, 40)}) subquery"
@family
def rails_exists(d, t): return f"SELECT 1 AS one FROM `people` `{t}` WHERE `{t}`.`name` = BINARY '{pick(d, 'Bob', 'bob', 'Max', 'nobody')}' LIMIT 1"
@family
def rails_first(d, t): return f"SELECT `{t}`.* FROM `people` `{t}` WHERE `{t}`.`city` = '{pick(d, 'Rome', 'Oslo', 'Lima')}' ORDER BY `{t}`.`seen` ASC LIMIT 1"
@family
def laravel_page(d, t): return f"select * from `people` as `{t}` where `city` = '{pick(d, 'Rome', 'Oslo')}' and `{t}`.`deleted_at` is null order by `score` desc limit 15 offset {15 * d.randrange(5)}"
@family
def dashboards(d, t): return f"SELECT DATE(placed) AS day, status, COUNT(*), SUM(total), SUM(volume) FROM orders {t} WHERE placed >= '2024-0{d.randrange(1, 9)}-01' GROUP BY day, status" + pick(d, "", " ORDER BY day", " ORDER BY day DESC LIMIT 7")
@family
def arithmetic(d, t): return f"SELECT id, height * {d.randrange(2, 9)}, balance / 3, score / 7, ROUND(height, 2), CAST(height AS CHAR) FROM people {t} WHERE id BETWEEN {d.randrange(2500)} AND {d.randrange(2500, 2600)} ORDER BY id"
@family
def casts(d, t): return f"SELECT id, CAST(balance AS SIGNED), CONVERT(name USING latin1), HEX(raw_bytes), flags + 0, born + INTERVAL 1 DAY, DATE_FORMAT(seen, '%Y-%m') FROM people {t}" + where(d)
@family
def roll_up(d, t): return f"SELECT kind, score % 3 AS m, COUNT(*) FROM people {t}" + where(d) + " GROUP BY kind, m WITH ROLLUP"
@family
def now_columns(d, t): return f"SELECT id, NOW(), name FROM people {t} WHERE id = {d.randrange(1, 3000)}"
@family
def random_order(d, t): return f"SELECT id, name FROM people {t} WHERE score = {d.randrange(1, 40)} ORDER BY RAND()" + pick(d, "", " LIMIT 3")
@family
def uuids(d, t): return f"SELECT UUID(), id FROM people {t} WHERE id < {d.randrange(2, 30)}"
@family
def float_keys(d, t): return f"SELECT id, weight FROM people {t} ORDER BY {pick(d, 'weight', 'ROUND(weight)', 'height')}" + cut(d)
@family
def show_tables(d, t): return f"SHOW {pick(d, 'COLUMNS FROM people', 'INDEX FROM people', 'TABLE STATUS LIKE ' + chr(39) + 'people' + chr(39), 'CREATE TABLE orders', 'TABLES', 'VARIABLES LIKE ' + chr(39) + 'server_id' + chr(39), 'FULL COLUMNS FROM orders')}"
@family
def explain(d, t): return f"EXPLAIN SELECT * FROM people {t}" + where(d)
@family
def server_words(d, t): return pick(d, "SELECT @@version", "SELECT VERSION()", "SELECT DATABASE()", "SELECT @@hostname, @@port", "SELECT CONNECTION_ID()", "SELECT USER()")
@family
def catalogues(d, t): return f"SELECT {pick(d, 'TABLE_NAME, ENGINE', 'TABLE_NAME, TABLE_ROWS', 'TABLE_NAME, CREATE_TIME')} FROM information_schema.TABLES {t} WHERE TABLE_SCHEMA = 'shop'"

@family
def list_in_item(d, t): return f"SELECT id, (SELECT GROUP_CONCAT(o.{pick(d, 'qty', 'status', 'id')}{pick(d, '', ' ORDER BY o.qty', ' ORDER BY o.placed DESC')}) FROM orders o WHERE o.person_id = {t}.id) AS l FROM people {t} WHERE id BETWEEN {(lambda n: f'{n} AND {n + 60}')(d.randrange(2900))}"
@family
def list_limited(d, t): return f"SELECT kind, GROUP_CONCAT(name ORDER BY {pick(d, 'city', 'age', 'id')} LIMIT {d.randrange(1, 6)}) FROM people {t} WHERE score = {d.randrange(1, 40)} GROUP BY kind"
@family
def list_of_pairs(d, t): return f"SELECT score, GROUP_CONCAT(name, ':', {pick(d, 'age', 'id')} ORDER BY city{pick(d, '', ' DESC')}, score SEPARATOR '/') FROM people {t} WHERE score < {d.randrange(3, 9)} AND age IS NOT NULL AND id < 1200 GROUP BY score"
@family
def hidden_aggregate(d, t): return f"SELECT {pick(d, 'city', 'age', 'score')} AS k, COUNT(*) FROM people {t}" + where(d) + f" GROUP BY k ORDER BY {pick(d, 'MIN(seen)', 'MAX(score) DESC', 'AVG(age)')}" + cut(d)
@family
def total_beside_page(d, t): return f"SELECT COUNT(*) OVER () AS total, id, name FROM people {t}" + where(d) + f" ORDER BY {pick(d, 'score', 'age DESC')}" + cut(d)
@family
def ranked_groups(d, t): return f"SELECT score, COUNT(*) AS n, {pick(d, 'RANK()', 'DENSE_RANK()')} OVER (ORDER BY COUNT(*) DESC) AS r FROM people {t}" + where(d) + " GROUP BY score ORDER BY r" + cut(d)
@family
def best_of_each(d, t): return f"SELECT * FROM (SELECT id, city, score, ROW_NUMBER() OVER (PARTITION BY city ORDER BY score DESC, id) AS rn FROM people {t}" + where(d) + f") x WHERE rn <= {d.randrange(1, 4)} ORDER BY city, rn"
@family
def tops_together(d, t): return f"(SELECT id, score FROM people {t}" + where(d) + f" ORDER BY score LIMIT {d.randrange(1, 20)}) UNION ALL (SELECT id, score FROM people" + where(d) + f" ORDER BY score DESC LIMIT {d.randrange(1, 20)})"
@family
def in_top_groups(d, t): return f"SELECT id, name FROM people {t} WHERE score IN (SELECT score FROM (SELECT score, COUNT(*) AS n FROM people GROUP BY score ORDER BY n DESC LIMIT {d.randrange(2, 6)}) q) AND id < {d.randrange(100, 900)}"
@family
def latest_joined(d, t): return f"SELECT {t}.id, {t}.name, o.status FROM people {t} LEFT JOIN orders o ON o.id = (SELECT id FROM orders WHERE person_id = {t}.id ORDER BY {pick(d, 'qty', 'placed DESC')} LIMIT 1) WHERE {t}.id < {d.randrange(50, 400)}"
@family
def grouped_join_page(d, t): return f"SELECT {t}.id, {t}.name, COUNT(o.id) AS n FROM people {t} LEFT JOIN orders o ON o.person_id = {t}.id AND o.status = 'paid' GROUP BY {t}.id ORDER BY n DESC, {t}.name" + cut(d)

TOO_NEW_FOR_57 = {"cte", "row_numbers", "first_of_each", "window_sum", "total_beside_page", "ranked_groups", "best_of_each"}
MARIADB_103 = {"except_", "list_limited"}   # MySQL: EXCEPT from 8.0.31, a list's LIMIT never
# What a server tells of itself, or draws anew: other answers than the source's are expected, and no defects.
OWN_WORDS = {"show_tables", "explain", "server_words", "catalogues", "now_columns", "random_order", "uuids"}


def generate(count, seed, dialects):
    left_out = (TOO_NEW_FOR_57 if "mysql57" in dialects else set()) | (MARIADB_103 if dialects - {"mariadb"} else set())
    return numbered(family, count, seed, left_out)
