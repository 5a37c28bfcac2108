"""What hangs on the session, on parameters, on several statements in one text; what a server says of itself; errors and warnings."""

from families import Execute, Families
from queries import pick

from .boxoffice import cut, shows

family = Families()


@family
def by_parameters(d, t): return Execute(f"SELECT {t}.id, {t}.title, {t}.price FROM shows {t} WHERE {t}.hall < ? AND {t}.starts_at >= ? AND ({t}.rating > ? OR {t}.price = ?) ORDER BY {t}.{pick(d, 'price', 'category', 'starts_at')} LIMIT ? OFFSET ?",
                                        [("tiny", d.randrange(3, 9)), ("datetime", f"2024-03-01 21:{d.randrange(60):02}:00.500000"), ("double", d.randrange(30) / 7), ("decimal", f"{d.randrange(30)}.900"), ("longlong", d.randrange(1, 20)), ("longlong", d.randrange(0, 20))])
@family
def by_texts(d, t): return Execute(f"SELECT {t}.uid, {t}.author FROM messages {t} WHERE {t}.author = ? OR {t}.nick LIKE ? OR {t}.mood <=> ? ORDER BY {t}.{pick(d, 'author', 'nick', 'likes')}", [("string", pick(d, "zoe", "Øre", "東京")), ("string", pick(d, "caf%", "PL%")), pick(d, ("null", None), ("string", "glad"))])
@family
def by_times(d, t): return Execute(f"SELECT {t}.level, {t}.line FROM logs {t} WHERE {t}.took < ? AND DATE({t}.at) >= ? AND {t}.in_year = ? ORDER BY {t}.{pick(d, 'level', 'flags', 'took')}" + pick(d, "", " LIMIT ?"), [("time", pick(d, "00:00:01.000000", "101:00:00.000000")), ("date", "2024-03-01"), ("short", pick(d, 1999, 2024)), ("long", d.randrange(1, 9))])
@family
def by_blobs(d, t): return Execute(f"SELECT {t}.show_id, {t}.seat FROM bookings {t} WHERE {t}.code > ? AND {t}.paid > ? ORDER BY {t}.{pick(d, 'paid', 'state', 'customer')} LIMIT {d.randrange(3, 12)}", [("blob", bytes((d.randrange(256),)) + bytes(15)), ("float", d.randrange(60) / 4)])
@family
def by_json(d, t): return Execute(f"SELECT {t}.uid, {t}.likes FROM messages {t} WHERE JSON_EXTRACT({t}.meta, ?) = ? ORDER BY {t}.likes{pick(d, '', ' LIMIT 5')}", [("string", "$.n"), ("long", d.randrange(1, 4))])
@family
def in_list(d, t): return Execute(f"SELECT {t}.* FROM threads {t} WHERE {t}.slug IN (?, ?, ?, ?) OR {t}.views = ?" + pick(d, "", f" ORDER BY {t}.pinned", f" ORDER BY {t}.title LIMIT 3"), [("string", f"{pick(d, 'News', 'help')}-{d.randrange(90)}") for _ in range(4)] + [("ulonglong", 18446744073709551615)])
@family
def two_statements(d, t): return f"SELECT {t}.id, {t}.title FROM shows {t} WHERE {t}.hall = {d.randrange(1, 9)}{pick(d, '', ' ORDER BY price', ' ORDER BY id', ' ORDER BY price LIMIT 4')}; SELECT COUNT(*), MAX({t}.seat) FROM bookings {t} WHERE {t}.show_id < {d.randrange(3, 80)}"
@family
def three_statements(d, t): return f"SELECT {t}.slug FROM threads {t} ORDER BY {t}.{pick(d, 'pinned', 'views', 'slug')} LIMIT 5; SELECT 1; SELECT {t}.author, COUNT(*) FROM messages {t} WHERE {t}.likes = {d.randrange(6)} GROUP BY {t}.author{pick(d, '', ' ORDER BY 1')};"
@family
def seeded(d, t): return f"SELECT {t}.id FROM shows {t} WHERE {t}.hall = {d.randrange(1, 9)} ORDER BY RAND({d.randrange(9)}){pick(d, '', ' LIMIT 4')}"
@family
def seeded_item(d, t): return f"SELECT {t}.seat, RAND({d.randrange(9)}) AS r FROM bookings {t} WHERE {t}.show_id < {d.randrange(3, 30)}" + pick(d, "", f" ORDER BY {t}.seat")
@family
def found(d, t): return f"SELECT SQL_CALC_FOUND_ROWS {t}.id, {t}.title FROM shows {t} WHERE {t}.hall > {d.randrange(1, 8)} ORDER BY {t}.{pick(d, 'price', 'hall', 'title')} LIMIT {d.randrange(3, 12)}"
@family
def in_zone(d, t): return f"SET time_zone = '{pick(d, '+05:45', '-03:30')}'", f"SELECT {t}.id, {t}.changed, {t}.starts_at FROM shows {t} WHERE {t}.changed > '2024-03-02 0{d.randrange(9)}:00:00'" + pick(d, "", " ORDER BY DATE(changed)", " ORDER BY HOUR(changed) LIMIT 7", " ORDER BY changed LIMIT 9")
@family
def zone_groups(d, t): return f"SET time_zone = '{pick(d, '+12:00', '-11:00')}'", f"SELECT DATE({t}.last_at) AS day, COUNT(*) AS n, MAX({t}.slug) FROM threads {t} GROUP BY day" + pick(d, "", " ORDER BY n DESC LIMIT 2", " ORDER BY day")
@family
def converted(d, t): return f"SELECT {t}.id, CONVERT_TZ({t}.starts_at, '+00:00', '+0{d.randrange(1, 9)}:00') AS there, CAST({t}.starts_at AS DATE) AS day FROM shows {t}" + pick(d, "", " ORDER BY day", " ORDER BY day, there LIMIT 9")
@family
def no_sort_memory(d, t): return f"SET sort_buffer_size = {pick(d, 32768, 4194304)}", f"SELECT {t}.* FROM bookings {t} ORDER BY {t}.{pick(d, 'state', 'paid', 'customer', 'remark')}" + pick(d, "", cut(d))
@family
def strict_division(d, t): return f"SET sql_mode = '{pick(d, 'ERROR_FOR_DIVISION_BY_ZERO', 'STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO', '')}'", f"SELECT {t}.account, {t}.no, {t}.amount / ({t}.no % {d.randrange(2, 9)}) AS q FROM entries {t}" + pick(d, "", f" WHERE {t}.currency = 'EUR'") + pick(d, "", " ORDER BY q", " ORDER BY day LIMIT 7", f" ORDER BY {t}.account, {t}.no LIMIT 9", " LIMIT 6")
@family
def piped(d, t): return "SET sql_mode = 'PIPES_AS_CONCAT,ANSI_QUOTES,IGNORE_SPACE'", f"SELECT \"{t}\".\"nick\" || ':' || {t}.likes AS v FROM \"messages\" \"{t}\" WHERE {t}.likes > {d.randrange(0, 5)}" + pick(d, "", " ORDER BY \"nick\"", " ORDER BY v", " ORDER BY {t}.likes LIMIT 6".replace("{t}", t))
@family
def no_escapes(d, t): return "SET sql_mode = 'NO_BACKSLASH_ESCAPES'", f"SELECT {t}.id, {t}.title FROM shows {t} WHERE {t}.title <> '\\' ORDER BY {t}.{pick(d, 'venue', 'title')} LIMIT {d.randrange(2, 15)}"
@family
def padded(d, t): return "SET sql_mode = 'PAD_CHAR_TO_FULL_LENGTH'", f"SELECT {t}.mood, {t}.nick FROM messages {t} WHERE {t}.likes = {d.randrange(6)}" + pick(d, "", " ORDER BY mood", " GROUP BY mood, nick", " ORDER BY mood LIMIT 6")
@family
def latin_names(d, t): return "SET NAMES utf8mb4 COLLATE utf8mb4_unicode_ci", f"SELECT {t}.nick, {t}.remark FROM (SELECT m.nick, b.remark FROM messages m JOIN bookings b ON b.remark = m.nick COLLATE latin1_swedish_ci WHERE m.likes = {d.randrange(6)} AND b.row_no = {d.randrange(1, 25)}) {t}" + pick(d, "", " ORDER BY nick", " ORDER BY remark LIMIT 6")
@family
def variables(d, t): return f"SET @low = {d.randrange(20)}.5, @row = {d.randrange(1, 25)}", f"SELECT {t}.show_id, {t}.seat FROM bookings {t} WHERE {t}.paid > @low AND {t}.row_no <= @row" + pick(d, "", " ORDER BY row_no", " ORDER BY row_no LIMIT 8")
@family
def reading(d, t): return "START TRANSACTION READ ONLY", f"SELECT {t}.state, {t}.seat FROM bookings {t} WHERE {t}.show_id IN ({d.randrange(500)}, {d.randrange(500)}, {d.randrange(500)})" + pick(d, "", " ORDER BY state", " ORDER BY state LIMIT 3")
@family
def shared(d, t): return f"SELECT {t}.id, {t}.title FROM shows {t} WHERE {t}.hall = {d.randrange(1, 9)} ORDER BY {t}.price LIMIT 5 {pick(d, 'LOCK IN SHARE MODE', 'FOR UPDATE')}"
@family
def wrong_name(d, t): return f"SELECT {t}.{pick(d, 'nothing', 'id, none')} FROM shows {t}"
@family
def too_big(d, t): return f"SELECT {t}.views + {d.randrange(1, 9)} AS v FROM threads {t}" + pick(d, "", " ORDER BY slug", " WHERE views < 5000 ORDER BY v LIMIT 6")
@family
def two_rows(d, t): return f"SELECT {t}.id, (SELECT b.seat FROM bookings b WHERE b.show_id = {t}.id AND b.row_no = {d.randrange(1, 25)}) AS only_one FROM shows {t} WHERE {t}.id BETWEEN {shows(d, 30)}" + pick(d, "", " ORDER BY id")
@family
def bad_dates(d, t): return f"SELECT {t}.id, STR_TO_DATE({t}.title, '%Y') AS y, {t}.title + 0 AS n FROM shows {t}" + pick(d, f" WHERE {t}.hall = {d.randrange(1, 9)}", f" WHERE {t}.title = 0 AND {t}.hall = {d.randrange(1, 9)}") + pick(d, "", " ORDER BY price", " ORDER BY price LIMIT 5", " ORDER BY id LIMIT 5")
@family
def handler(d, t): return f"HANDLER shows READ FIRST"
@family
def explain(d, t): return f"EXPLAIN SELECT {t}.id FROM shows {t} ORDER BY {t}.price LIMIT {d.randrange(1, 9)}"
@family
def describe(d, t): return f"/* {t} */ {pick(d, 'DESCRIBE shows', 'SHOW COLUMNS FROM bookings', 'SHOW INDEX FROM threads', 'SHOW TABLE STATUS', 'SHOW CREATE TABLE messages', 'SHOW TABLES')}"
@family
def catalogue(d, t): return f"SELECT {t}.TABLE_NAME, {t}.COLUMN_NAME{pick(d, '', ', ' + t + '.COLUMN_TYPE', ', ' + t + '.COLLATION_NAME')} FROM information_schema.COLUMNS {t} WHERE {t}.TABLE_SCHEMA = DATABASE()" + pick(d, "", " ORDER BY COLUMN_NAME", " ORDER BY TABLE_NAME, ORDINAL_POSITION")
@family
def statistics(d, t): return f"SELECT {t}.TABLE_NAME, {t}.TABLE_ROWS, {t}.ENGINE FROM information_schema.TABLES {t} WHERE {t}.TABLE_SCHEMA = DATABASE() ORDER BY {t}.{pick(d, 'TABLE_NAME', 'TABLE_ROWS DESC')}"
