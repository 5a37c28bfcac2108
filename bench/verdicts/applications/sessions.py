"""What hangs on the session: variables that count, time zones, modes, what the server tells of itself."""

from families import Families
from queries import pick

from .tracker import ids

family = Families()


@family
def counter(d, t): return "SET @n := 0", f"SELECT @n := @n + 1 AS place, {t}.id, {t}.priority FROM tickets {t} WHERE {t}.id BETWEEN {ids(d)} ORDER BY {t}.{pick(d, 'priority', 'id', 'created_at')}"
@family
def counter_inside(d, t): return f"SELECT x.* FROM (SELECT @r{t} := @r{t} + 1 AS place, {t}.id FROM tickets {t}, (SELECT @r{t} := 0) z WHERE {t}.id BETWEEN {ids(d)} ORDER BY {t}.priority) x WHERE x.place <= {d.randrange(2, 20)}"
@family
def set_value(d, t): return f"SET @p := {d.randrange(1, 6)}", f"SELECT {t}.id, {t}.subject FROM tickets {t} WHERE {t}.priority = @p" + pick(d, "", f" ORDER BY {t}.created_at", f" ORDER BY {t}.created_at LIMIT 7")
@family
def set_from_table(d, t): return f"SELECT @top := MAX(priority) FROM tickets", f"SELECT {t}.id FROM tickets {t} WHERE {t}.priority = @top AND {t}.id BETWEEN {ids(d)}"
@family
def other_zone(d, t): return f"SET time_zone = '{pick(d, '+05:30', '-08:00', '+00:00')}'", f"SELECT {t}.entity_id, {t}.created_at, DATE({t}.created_at) AS day, UNIX_TIMESTAMP({t}.created_at) FROM sales_order {t} WHERE {t}.store_id = {d.randrange(1, 4)}" + pick(d, "", " ORDER BY day", " ORDER BY day LIMIT 9")
@family
def zone_days(d, t): return f"SET SESSION time_zone = '{pick(d, '+09:00', '-03:00')}'", f"SELECT DATE({t}.created_at) AS day, COUNT(*), SUM({t}.grand_total) FROM sales_order {t} GROUP BY day" + pick(d, "", " ORDER BY day", " ORDER BY 2 DESC LIMIT 5")
@family
def short_lists(d, t): return f"SET SESSION group_concat_max_len = {pick(d, 16, 64, 5000)}", f"SELECT {t}.state, GROUP_CONCAT({t}.id{pick(d, '', ' ORDER BY ' + t + '.priority', ' ORDER BY ' + t + '.id')}) AS l FROM tickets {t} WHERE {t}.id BETWEEN {ids(d)} GROUP BY {t}.state"
@family
def ansi(d, t): return "SET SESSION sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT'", f"SELECT \"{t}\".\"id\", {t}.subject || '/' || {t}.slug AS both_texts FROM \"tickets\" \"{t}\" WHERE \"{t}\".\"project_id\" = {d.randrange(1, 15)}" + pick(d, "", " ORDER BY both_texts", " ORDER BY \"priority\"", " ORDER BY \"priority\" LIMIT 9")
@family
def sql_limit(d, t): return f"SET SESSION sql_select_limit = {d.randrange(3, 30)}", f"SELECT {t}.id, {t}.subject FROM tickets {t} WHERE {t}.state = 'open'" + pick(d, "", f" ORDER BY {t}.priority", f" ORDER BY {t}.id")
@family
def in_transaction(d, t): return "START TRANSACTION WITH CONSISTENT SNAPSHOT", f"SELECT {t}.id, {t}.estimate FROM tickets {t} WHERE {t}.project_id = {d.randrange(1, 15)} ORDER BY {t}.estimate" + pick(d, "", " LIMIT 8")
@family
def clock(d, t): return f"SELECT {t}.id, NOW() AS now, {t}.subject, TIMESTAMPDIFF(DAY, {t}.created_at, NOW()) AS age FROM tickets {t} WHERE {t}.id = {d.randrange(1, 1500)}"
@family
def recent(d, t): return f"SELECT {t}.id FROM tickets {t} WHERE {t}.created_at < NOW() - INTERVAL {d.randrange(1, 90)} DAY ORDER BY {t}.priority LIMIT 12"
@family
def columns_of(d, t): return f"SELECT COLUMN_NAME, DATA_TYPE FROM information_schema.COLUMNS {t} WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = '{pick(d, 'tickets', 'nodes', 'wp_posts')}'" + pick(d, "", " ORDER BY ORDINAL_POSITION")
@family
def tables_of(d, t): return f"SELECT TABLE_NAME, TABLE_ROWS, ENGINE FROM information_schema.TABLES {t} WHERE TABLE_SCHEMA = DATABASE()" + pick(d, "", " ORDER BY TABLE_NAME", " ORDER BY DATA_LENGTH DESC LIMIT 3")
@family
def drawn(d, t): return f"SELECT {t}.id, {pick(d, 'RAND()', 'UUID()', 'CONNECTION_ID()', 'RAND(5)', 'SYSDATE()')} AS drawn FROM tickets {t} WHERE {t}.id < {d.randrange(3, 20)}"
