"""A ledger of long decimals and floats, a machine's log without a key, and a tree."""

from families import Families
from queries import pick

from .boxoffice import cut

family = Families()


def account(d): return f"{pick(d, 'CASH', 'cash', 'Bank', 'tax')}{d.randrange(10)}"
def some(d, t): return pick(d, "", f" WHERE {t}.account = '{account(d)}'", f" WHERE {t}.currency = 'eur'", f" WHERE {t}.amount > {d.randrange(10)}e4", f" WHERE {t}.day BETWEEN '2024-03-0{d.randrange(1, 9)}' AND '2024-03-2{d.randrange(9)}'", f" WHERE {t}.reversed = 1", f" WHERE {t}.memo = 'rent'", f" WHERE {t}.no % 7 = {d.randrange(7)}")
def lines(d, t): return pick(d, "", f" WHERE {t}.level = '{pick(d, 'info', 'warn', 'error')}'", f" WHERE {t}.flags & {d.randrange(1, 512)}", f" WHERE {t}.in_year = 2024", f" WHERE {t}.at >= '2024-03-01 2{d.randrange(4)}:30:00.5'", f" WHERE {t}.labels IS NULL", f" WHERE {t}.ip = x'7F000001'", f" WHERE {t}.line LIKE '{pick(d, 'caf', 'PL', 'stra')}%'")


@family
def statement_of_account(d, t): return f"SELECT {pick(d, t + '.*', 'account, no, amount', 'amount, memo', 'day, rate, ratio')} FROM entries {t} WHERE {t}.account = '{account(d)}'" + pick(d, "", f" ORDER BY {t}.{pick(d, 'day', 'no', 'amount', 'memo', 'rate', 'ratio DESC', 'currency')}", f" ORDER BY {t}.{pick(d, 'day', 'amount DESC', 'memo', 'ratio')}" + cut(d))
@family
def big_amounts(d, t): return f"SELECT {t}.account, {t}.no, {t}.amount FROM entries {t}" + some(d, t) + f" ORDER BY {pick(d, 'amount', 'ABS(amount) DESC', 'ROUND(amount, -3)', 'amount * ratio', 'reversed', 'TRUNCATE(amount, 2), no', 'CAST(amount AS CHAR)')}" + cut(d)
@family
def balances(d, t): return f"SELECT {t}.{pick(d, 'account', 'currency', 'memo', 'reversed', 'day')} AS k, SUM({t}.amount), AVG({t}.amount), SUM({t}.rate), AVG({t}.ratio), COUNT(*), STDDEV({t}.rate), BIT_XOR({t}.no) FROM entries {t}" + some(d, t) + " GROUP BY k" + pick(d, "", " ORDER BY k", " ORDER BY SUM(amount) DESC LIMIT 3", " ORDER BY 6 DESC LIMIT 3", " WITH ROLLUP")
@family
def total(d, t): return f"SELECT SUM({t}.amount), SUM({t}.amount * {t}.ratio), AVG({t}.rate), SUM({t}.rate) > 100, MIN({t}.memo), MAX({t}.currency), COUNT(DISTINCT {t}.currency) FROM entries {t}" + some(d, t)
@family
def running_balance(d, t): return f"SELECT {t}.no, {t}.amount, SUM({t}.amount) OVER (PARTITION BY {t}.account ORDER BY {t}.{pick(d, 'day', 'no', 'day, ' + t + '.no')}{pick(d, '', ' ROWS UNBOUNDED PRECEDING', ' ROWS 3 PRECEDING')}) AS balance, AVG({t}.ratio) OVER (ORDER BY {t}.day{pick(d, '', ' ROWS 2 PRECEDING')}) AS r FROM entries {t} WHERE {t}.account IN ('{account(d)}', '{account(d)}')" + pick(d, "", f" ORDER BY {t}.account, {t}.no", " ORDER BY balance LIMIT 6", f" ORDER BY {t}.day")
@family
def first_and_last(d, t): return f"SELECT DISTINCT {t}.account, FIRST_VALUE({t}.amount) OVER w AS f, LAST_VALUE({t}.memo) OVER w AS l FROM entries {t}" + some(d, t) + f" WINDOW w AS (PARTITION BY {t}.account ORDER BY {t}.{pick(d, 'day', 'amount', 'no')} ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)" + pick(d, "", " ORDER BY 1")
@family
def per_day(d, t): return f"SELECT {t}.day, {t}.currency, COUNT(*) AS n, SUM({t}.amount) AS s FROM entries {t} GROUP BY {t}.day, {t}.currency" + pick(d, "", " ORDER BY s", " ORDER BY n DESC" + cut(d), " ORDER BY day" + cut(d), f" HAVING s > {d.randrange(5)}00000 ORDER BY day DESC")
@family
def pairs(d, t): return f"SELECT {t}.account, {t}.no, o.account, o.no FROM entries {t} JOIN entries o ON o.amount = -{t}.amount AND o.day = {t}.day" + pick(d, "", f" ORDER BY {t}.amount", f" ORDER BY {t}.account, o.account" + cut(d), cut(d))
@family
def row_sets(d, t): return f"SELECT {t}.account, {t}.no, {t}.memo FROM entries {t} WHERE ({t}.account, {t}.currency) IN (('{account(d)}', 'EUR'), ('{account(d)}', 'usd'), ('{account(d)}', 'NOK'))" + pick(d, "", " ORDER BY memo", " ORDER BY memo, account" + cut(d), cut(d))
@family
def above_average(d, t): return f"SELECT {t}.account, {t}.no FROM entries {t} WHERE {t}.amount > (SELECT AVG(a.amount) FROM entries a WHERE a.account = {t}.account) AND {t}.currency = 'NOK'" + pick(d, "", f" ORDER BY {t}.day", f" ORDER BY {t}.ratio" + cut(d))
@family
def newest_entries_sum(d, t): return f"SELECT COUNT(*), SUM(x.amount), MAX(x.memo) FROM (SELECT {t}.amount, {t}.memo FROM entries {t} WHERE {t}.currency = '{pick(d, 'EUR', 'USD')}' ORDER BY {t}.day DESC{pick(d, '', ', ' + t + '.amount')} LIMIT {d.randrange(5, 80)}) x"
@family
def memo_pages(d, t): return f"SELECT {t}.memo, {t}.amount FROM entries {t} WHERE {t}.memo >= '{pick(d, 'r', 's', 'ore', 'z')}' ORDER BY {t}.memo" + pick(d, "", ", amount") + cut(d)
@family
def except_or_both(d, t): return f"SELECT {t}.memo FROM entries {t} WHERE {t}.currency = 'EUR' {pick(d, 'EXCEPT', 'INTERSECT', 'EXCEPT ALL', 'INTERSECT ALL')} SELECT title FROM shows{pick(d, '', ' WHERE hall > 4')}" + pick(d, "", " ORDER BY memo", " ORDER BY memo LIMIT 5", " LIMIT 4")
@family
def except_in_brackets(d, t): return f"SELECT {t}.author AS v FROM messages {t} WHERE {t}.likes > 2 {pick(d, 'EXCEPT', 'UNION')} (SELECT customer FROM bookings INTERSECT SELECT name FROM folders WHERE place < {d.randrange(2, 6)})" + pick(d, "", " ORDER BY v", " LIMIT 5")
@family
def with_ties(d, t): return f"SELECT {t}.account, {t}.no, {t}.day FROM entries {t} ORDER BY {t}.{pick(d, 'day DESC', 'currency', 'memo')} FETCH FIRST {d.randrange(2, 9)} ROWS {pick(d, 'ONLY', 'WITH TIES')}"
@family
def value_rows(d, t): return f"SELECT v.a, {t}.no FROM (VALUES ('CASH1'), ('bank2'), ('tax3')) v(a) JOIN entries {t} ON {t}.account = v.a WHERE {t}.no < {d.randrange(5, 40)}".replace(" v(a)", " v").replace("v.a", "v.CASH1") + pick(d, "", f" ORDER BY {t}.no", f" ORDER BY {t}.no LIMIT 5")
@family
def tail_of_log(d, t): return f"SELECT {pick(d, t + '.*', 'at, level, line', 'line', 'flags, labels, ip', 'HEX(ip), took')} FROM logs {t}" + lines(d, t) + pick(d, "", f" ORDER BY {t}.at DESC", f" ORDER BY {t}.at DESC" + cut(d), f" ORDER BY {t}.{pick(d, 'level', 'flags', 'labels', 'ip', 'duration', 'took', 'in_year', 'line')}, {t}.at" + pick(d, "", cut(d)), cut(d))
@family
def hidden_log_keys(d, t): return f"SELECT {t}.{pick(d, 'line', 'level', 'at', 'took')} FROM logs {t}" + lines(d, t) + f" ORDER BY {t}.{pick(d, 'level', 'flags', 'labels', 'ip', 'duration', 'took DESC', 'in_year', 'line', 'at')}" + pick(d, "", cut(d))
@family
def log_counts(d, t): return f"SELECT {t}.{pick(d, 'level', 'flags', 'labels', 'ip', 'duration', 'took', 'in_year', 'line')} AS g, COUNT(*) AS n, MIN({t}.at), MAX({t}.line), BIT_AND({t}.flags), SUM({t}.duration) FROM logs {t}" + lines(d, t) + " GROUP BY g" + pick(d, "", " ORDER BY g", " ORDER BY n DESC", " ORDER BY n DESC LIMIT 3", " ORDER BY g DESC LIMIT 4", " HAVING n > 30")
@family
def log_distinct(d, t): return f"SELECT DISTINCT {pick(d, 'level, labels', 'flags', 'ip', 'line', 'in_year, took', 'duration', 'payload')} FROM logs {t}" + lines(d, t) + pick(d, "", " ORDER BY 1", " LIMIT 6")
@family
def log_minutes(d, t): return f"SELECT DATE_FORMAT({t}.at, '%Y-%m-%d %H:%i') AS m, {t}.level, COUNT(*) AS n FROM logs {t} GROUP BY m, {t}.level" + pick(d, "", " ORDER BY m", " ORDER BY n DESC" + cut(d), " ORDER BY level, m" + cut(d))
@family
def log_gaps(d, t): return f"SELECT {t}.level, {t}.at, LEAD({t}.at) OVER (PARTITION BY {t}.level ORDER BY {t}.at) AS next_at, ROW_NUMBER() OVER (ORDER BY {t}.at) AS rn FROM logs {t} WHERE {t}.in_year = {pick(d, 1999, 2024, 2155)}" + pick(d, "", " ORDER BY rn", f" ORDER BY {t}.level LIMIT 9")
@family
def log_lists(d, t): return f"SELECT {t}.level, GROUP_CONCAT({pick(d, 'flags + 0', 'HEX(ip)', 'line', 'labels', 'took ORDER BY at', 'DISTINCT labels', 'DISTINCT line ORDER BY line', 'duration', 'in_year ORDER BY in_year')} SEPARATOR '|') AS l FROM logs {t} WHERE {t}.in_year = 1999 AND {t}.flags < {d.randrange(60, 1000)} GROUP BY {t}.level"
@family
def payloads(d, t): return f"SELECT {t}.payload, {t}.at FROM logs {t}" + lines(d, t) + pick(d, "", " ORDER BY at", " ORDER BY at LIMIT 8", " ORDER BY JSON_LENGTH(payload), at LIMIT 9", " ORDER BY JSON_EXTRACT(payload, '$.who.name') LIMIT 6")
@family
def numbers_in_texts(d, t): return f"SELECT {t}.at, CAST({t}.line AS SIGNED) AS v FROM logs {t} WHERE {t}.line {pick(d, '+ 0 > 0', '> 5', 'LIKE ' + chr(39) + '%12%' + chr(39))}" + pick(d, "", " ORDER BY v", " ORDER BY v DESC LIMIT 6", " LIMIT 5", " ORDER BY at LIMIT 7")
@family
def children(d, t): return f"SELECT {pick(d, t + '.*', t + '.id', t + '.name, ' + t + '.size')} FROM folders {t} WHERE {t}.parent {pick(d, '= ' + str(d.randrange(1, 60)), 'IS NULL', 'IN (3, 9, 27, 81)')}" + pick(d, "", f" ORDER BY {t}.place", f" ORDER BY {t}.name", f" ORDER BY {t}.place LIMIT 4")
@family
def walk(d, t): return f"WITH RECURSIVE w AS (SELECT f.id, f.name, 0 AS depth, CAST(f.name AS CHAR(300)) AS path FROM folders f WHERE f.id = {d.randrange(1, 20)} UNION ALL SELECT {t}.id, {t}.name, w.depth + 1, CONCAT(w.path, '/', {t}.name) FROM folders {t} JOIN w ON {t}.parent = w.id WHERE w.depth < {d.randrange(1, 6)}) SELECT {pick(d, '*', 'id, depth', 'path', 'COUNT(*), MAX(depth)', 'depth, COUNT(*)')} FROM w".replace("SELECT depth, COUNT(*) FROM w", "SELECT depth, COUNT(*) FROM w GROUP BY depth") + pick(d, "", " ORDER BY depth").replace(" ORDER BY depth", "" if d.random() < 0.3 else " ORDER BY depth")
@family
def sizes_up(d, t): return f"SELECT {t}.parent, SUM({t}.size) AS s, SUM({t}.quota), MAX({t}.name), MIN({t}.place) FROM folders {t} GROUP BY {t}.parent" + pick(d, "", " ORDER BY s", " ORDER BY s DESC LIMIT 5", " HAVING s > 100000 ORDER BY parent")
@family
def twins_by_name(d, t): return f"SELECT {t}.id, o.id, {t}.name FROM folders {t} JOIN folders o ON o.name = {t}.name AND o.id > {t}.id" + pick(d, "", f" ORDER BY {t}.name", f" ORDER BY {t}.name, {t}.id" + cut(d), f" WHERE {t}.place = 2" + cut(d))
@family
def lateral(d, t): return f"SELECT {t}.id, x.seat, x.paid FROM shows {t}, LATERAL (SELECT b.seat, b.paid FROM bookings b WHERE b.show_id = {t}.id ORDER BY b.{pick(d, 'paid', 'row_no', 'seat')}{pick(d, '', ' DESC')} LIMIT {d.randrange(1, 3)}) x WHERE {t}.hall = {d.randrange(1, 9)}" + pick(d, "", f" ORDER BY {t}.id", " ORDER BY x.paid LIMIT 7")
