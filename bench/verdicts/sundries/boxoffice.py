"""What a box office asks: shows, seats, fractions of seconds, time zones, long prices."""

from families import Families
from queries import pick

family = Families()


def cut(d): return pick(d, f" LIMIT {d.randrange(1, 15)}", f" LIMIT {d.randrange(1, 12)} OFFSET {d.randrange(1, 60)}", f" LIMIT {d.randrange(0, 200)}, {d.randrange(3, 12)}")
def shows(d, width=200): return (lambda n: f"{n} AND {n + d.randrange(10, width)}")(d.randrange(1, 450))
def some(d, t): return pick(d, "", f" WHERE {t}.hall = {d.randrange(1, 9)}", f" WHERE {t}.starts_at >= '2024-03-01 2{d.randrange(4)}:00:00'", f" WHERE {t}.category IN ('jazz', 'rock')", f" WHERE {t}.title LIKE '{pick(d, 'o', 'z', 'str', 'Å')}%'",
                             f" WHERE {t}.price > {d.randrange(60)}.5", f" WHERE {t}.sold_out", f" WHERE {t}.opens_on IS NULL", f" WHERE NOT FIND_IN_SET('bar', {t}.extras)", f" WHERE {t}.id BETWEEN {shows(d)}")


@family
def programme(d, t): return f"SELECT {pick(d, t + '.*', 'id, title, venue', 'title, starts_at', 'id, sold_out, category, extras')} FROM shows {t}" + some(d, t) + f" ORDER BY {t}.{pick(d, 'starts_at', 'title', 'venue', 'price DESC', 'category', 'extras', 'sold_out', 'opens_on DESC', 'changed', 'rating', 'doors', 'hall')}" + pick(d, "", cut(d))
@family
def programme_two_keys(d, t): return f"SELECT {t}.id, {t}.title FROM shows {t}" + some(d, t) + f" ORDER BY {t}.{pick(d, 'category', 'venue', 'hall')}, {t}.{pick(d, 'title', 'starts_at DESC', 'rating', 'id')}" + pick(d, "", cut(d))
@family
def next_shows(d, t): return f"SELECT {t}.id, {t}.title, {t}.starts_at FROM shows {t} WHERE {t}.starts_at > '2024-03-02 0{d.randrange(9)}:00:00.{d.randrange(10)}' AND {t}.sold_out = b'0' ORDER BY {t}.starts_at LIMIT {d.randrange(1, 12)}"
@family
def page_after(d, t): return f"SELECT {t}.id, {t}.starts_at, {t}.title FROM shows {t} WHERE ({t}.starts_at, {t}.id) > ('2024-03-01 2{d.randrange(4)}:30:00', {d.randrange(1, 500)}) ORDER BY {t}.starts_at{pick(d, ', ' + t + '.id', '')} LIMIT {d.randrange(5, 25)}"
@family
def seats_after(d, t): return f"SELECT {t}.show_id, {t}.seat, {t}.customer FROM bookings {t} WHERE ({t}.show_id, {t}.seat) > ({d.randrange(1, 490)}, 'B{d.randrange(100)}') ORDER BY {t}.show_id{pick(d, '', ', ' + t + '.seat', ' DESC')} LIMIT {d.randrange(3, 20)}"
@family
def seats_of(d, t): return f"SELECT {pick(d, t + '.*', t + '.seat, ' + t + '.state', t + '.customer')} FROM bookings {t} WHERE {t}.show_id {pick(d, '= ' + str(d.randrange(1, 500)), '< ' + str(d.randrange(5, 60)))}" + pick(d, "", f" ORDER BY {t}.row_no", f" ORDER BY {t}.seat", f" ORDER BY LENGTH({t}.seat), {t}.seat", f" ORDER BY {t}.row_no" + cut(d))
@family
def whose(d, t): return f"SELECT {t}.show_id, {t}.seat, {t}.customer FROM bookings {t} WHERE {t}.customer {pick(d, '=', '<=>', 'LIKE', '>=')} '{pick(d, 'zoe', 'MULLER', 'strasse', 'ore', 'Ёлка', 'Coop')}'" + pick(d, "", f" ORDER BY {t}.customer", f" ORDER BY {t}.customer" + cut(d), f" ORDER BY {t}.booked_at" + cut(d), cut(d))
@family
def customers(d, t): return f"SELECT {pick(d, 'DISTINCT ' + t + '.customer', t + '.customer, COUNT(*) AS n', t + '.customer, SUM(paid), MIN(booked_at)')} FROM bookings {t}{pick(d, '', f' WHERE {t}.row_no = {d.randrange(1, 25)}')} ".replace("  ", " ") + pick(d, "", " ORDER BY 1", " ORDER BY 1 LIMIT 4")
@family
def takings(d, t): return f"SELECT {t}.{pick(d, 'customer', 'state', 'remark', 'row_no')} AS k, COUNT(*), SUM({t}.paid), AVG({t}.paid), MAX({t}.booked_at), MIN({t}.customer), MAX({t}.remark) FROM bookings {t} GROUP BY k" + pick(d, "", " ORDER BY k", " ORDER BY COUNT(*) DESC", " ORDER BY SUM(paid) DESC LIMIT 3", " ORDER BY 2 DESC, 1 LIMIT 5", " HAVING SUM(paid) > 300 ORDER BY NULL")
@family
def by_day(d, t): return f"SELECT {pick(d, 'DATE', 'HOUR', 'MICROSECOND', 'LAST_DAY')}({t}.booked_at) AS x, COUNT(*) AS n, SUM({t}.paid) FROM bookings {t} GROUP BY x" + pick(d, "", " ORDER BY n", " ORDER BY n DESC, x LIMIT 5", " ORDER BY x LIMIT 3")
@family
def rolled_up(d, t): return f"SELECT {t}.{pick(d, 'state', 'customer', 'remark')} AS k, {t}.row_no DIV {d.randrange(3, 9)} AS r, COUNT(*), SUM({t}.paid) FROM bookings {t} WHERE {t}.show_id BETWEEN {shows(d)} GROUP BY k, r WITH ROLLUP" + pick(d, "", " LIMIT 6", " HAVING COUNT(*) > 4", " HAVING k IS NULL")
@family
def busiest(d, t): return f"SELECT {t}.show_id, {t}.title, {t}.n FROM v_busy {t}" + pick(d, "", f" WHERE {t}.show_id < {d.randrange(40, 400)}", " ORDER BY n DESC", " ORDER BY n DESC LIMIT 5", " ORDER BY last DESC LIMIT 4", " ORDER BY title LIMIT 6")
@family
def with_shows(d, t): return f"SELECT {t}.seat, s.title, s.starts_at FROM bookings {t} {pick(d, 'JOIN', 'LEFT JOIN', 'STRAIGHT_JOIN', 'RIGHT JOIN')} shows s ON s.id = {t}.show_id{pick(d, '', ' AND s.hall > 3')} WHERE {pick(d, t + '.state', 's.category')} = '{pick(d, 'paid', 'void', 'jazz')}' AND s.id BETWEEN {shows(d)}" + pick(d, "", " ORDER BY s.starts_at", f" ORDER BY s.title, {t}.seat", " ORDER BY s.price" + cut(d), cut(d))
@family
def hints(d, t): return f"SELECT {t}.id, {t}.title FROM shows {t} {pick(d, 'USE INDEX ()', 'IGNORE INDEX (PRIMARY)', 'USE INDEX FOR ORDER BY (PRIMARY)', 'FORCE INDEX (PRIMARY)')} WHERE {t}.hall < {d.randrange(2, 9)} ORDER BY {t}.{pick(d, 'starts_at', 'hall', 'price')}" + cut(d)
@family
def optimizer_hints(d, t): return f"SELECT /*+ {pick(d, 'NO_ICP(' + t + ')', 'MAX_EXECUTION_TIME(60000)', 'NO_RANGE_OPTIMIZATION(' + t + ')')} */ {t}.seat, {t}.row_no FROM bookings {t} WHERE {t}.state = 'held' ORDER BY {t}.row_no" + cut(d)
@family
def commented(d, t): return f"SELECT /*! SQL_NO_CACHE */ {t}.id, -- the key\n {t}.title # and its name\n FROM shows {t} /* of all */ ORDER BY {t}.hall /* then? */{cut(d)} -- that is all"
@family
def first_of_each(d, t): return f"SELECT {t}.id, (SELECT b.customer FROM bookings b WHERE b.show_id = {t}.id ORDER BY b.{pick(d, 'booked_at', 'row_no DESC', 'paid', 'seat')} LIMIT 1) AS who, (SELECT COUNT(*) FROM bookings b WHERE b.show_id = {t}.id AND b.state = 'paid') AS n FROM shows {t} WHERE {t}.id BETWEEN {shows(d, 90)}" + pick(d, "", " ORDER BY who", " ORDER BY n DESC", " ORDER BY n DESC LIMIT 6")
@family
def cheapest_each(d, t): return f"SELECT {t}.hall, {t}.id, {t}.price FROM shows {t} WHERE {t}.price = (SELECT MIN(p.price) FROM shows p WHERE p.hall = {t}.hall)" + pick(d, "", f" ORDER BY {t}.hall", f" ORDER BY {t}.price LIMIT 4")
@family
def nth_in_group(d, t): return f"SELECT * FROM (SELECT {t}.hall, {t}.id, {t}.title, ROW_NUMBER() OVER (PARTITION BY {t}.hall ORDER BY {t}.{pick(d, 'starts_at', 'price DESC', 'title', 'starts_at, ' + t + '.id')}) AS rn FROM shows {t} WHERE {t}.id BETWEEN {shows(d, 300)}) x WHERE x.rn <= {d.randrange(1, 4)}" + pick(d, "", " ORDER BY hall", " ORDER BY hall, rn")
@family
def running(d, t): return f"SELECT {t}.seat, {t}.paid, SUM({t}.paid) OVER w AS s, COUNT(*) OVER w AS n FROM bookings {t} WHERE {t}.show_id BETWEEN {shows(d, 60)} WINDOW w AS ({pick(d, '', 'PARTITION BY ' + t + '.state ')}ORDER BY {t}.{pick(d, 'row_no', 'booked_at', 'paid')}{pick(d, '', ' ROWS UNBOUNDED PRECEDING', ' ROWS BETWEEN 2 PRECEDING AND 1 FOLLOWING', ' RANGE UNBOUNDED PRECEDING')})" + pick(d, "", f" ORDER BY {t}.show_id, {t}.seat")
@family
def neighbours(d, t): return f"SELECT {t}.show_id, {t}.seat, LAG({t}.seat, {d.randrange(1, 3)}) OVER (PARTITION BY {t}.show_id ORDER BY {t}.{pick(d, 'row_no', 'booked_at', 'seat')}) AS beside, NTH_VALUE({t}.customer, 2) OVER (PARTITION BY {t}.state ORDER BY {t}.{pick(d, 'row_no', 'show_id, ' + t + '.seat')}) AS second FROM bookings {t} WHERE {t}.show_id BETWEEN {shows(d, 50)}" + pick(d, "", f" ORDER BY {t}.show_id, {t}.seat", f" ORDER BY {t}.show_id")
@family
def peers(d, t): return f"SELECT {t}.seat, RANK() OVER (ORDER BY {t}.{pick(d, 'row_no', 'paid', 'customer')}) AS r, PERCENT_RANK() OVER (ORDER BY {t}.paid) AS p, MAX({t}.customer) OVER (PARTITION BY {t}.state) AS m FROM bookings {t} WHERE {t}.show_id BETWEEN {shows(d, 60)}" + pick(d, "", " ORDER BY r", " ORDER BY r LIMIT 5", f" ORDER BY {t}.show_id, {t}.seat")
@family
def seat_lists(d, t): return f"SELECT {t}.show_id, GROUP_CONCAT({pick(d, 'seat', 'DISTINCT customer', 'seat ORDER BY row_no', 'seat ORDER BY row_no DESC, seat', 'customer, 0x2f, seat ORDER BY booked_at', 'paid ORDER BY paid DESC', 'DISTINCT remark ORDER BY remark', 'HEX(code)')} SEPARATOR '{pick(d, ',', '; ', '')}') AS l FROM bookings {t} WHERE {t}.show_id BETWEEN {shows(d, 120)} GROUP BY {t}.show_id" + pick(d, "", " ORDER BY show_id", " ORDER BY COUNT(*) DESC LIMIT 4")
@family
def seat_documents(d, t): return f"SELECT {t}.state, {pick(d, 'JSON_ARRAYAGG(seat)', 'JSON_OBJECTAGG(seat, row_no)', 'JSON_ARRAYAGG(JSON_ARRAY(seat, row_no))', 'JSON_LENGTH(JSON_ARRAYAGG(customer))')} AS l FROM bookings {t} WHERE {t}.show_id BETWEEN {shows(d, 60)} GROUP BY {t}.state" + pick(d, "", " ORDER BY state")
@family
def distinct_keys(d, t): return f"SELECT DISTINCT {pick(d, 'title', 'venue', 'hall, category', 'LEFT(title, 2)', 'rating', 'sold_out, extras', 'opens_on')} FROM shows {t}" + some(d, t) + pick(d, "", " ORDER BY 1", " ORDER BY 1 DESC LIMIT 5", " LIMIT 6", f" ORDER BY {t}.hall")
@family
def groups_of_titles(d, t): return f"SELECT {pick(d, 'title', 'venue', 'category', 'extras', 'rating', 'opens_on')} AS g, {pick(d, 'COUNT(*)', 'MIN(id)', 'MAX(starts_at), MIN(title)', 'GROUP_CONCAT(id)', 'SUM(rating)', 'BIT_OR(sold_out)')} AS v FROM shows {t}" + some(d, t) + " GROUP BY g" + pick(d, "", " ORDER BY g", " ORDER BY g LIMIT 3", " ORDER BY v DESC LIMIT 3", " HAVING COUNT(*) > 2")
@family
def extremes(d, t): return f"SELECT MIN({t}.title), MAX({t}.venue), MIN({t}.hall), MAX({t}.price), MAX({t}.starts_at), MIN({t}.rating), MAX({t}.opens_on), MIN({t}.doors) FROM shows {t}" + some(d, t)
@family
def having_alone(d, t): return f"SELECT {pick(d, 'COUNT(*) AS n, MAX(title) AS m', 'SUM(price) AS n, MIN(venue) AS m')} FROM shows {t}{some(d, t)} HAVING n > {d.randrange(1, 60)}"
@family
def having_alias(d, t): return f"SELECT {t}.id, {t}.price * 2 AS twice FROM shows {t} HAVING twice > {d.randrange(10, 90)}" + pick(d, "", " ORDER BY twice", " ORDER BY twice LIMIT 5", " LIMIT 4")
@family
def expressions(d, t): return f"SELECT {t}.id, {t}.price / 7, {t}.rating + {t}.price, {t}.sold_out + 0, {t}.extras + 0, {t}.category + 0, ADDTIME({t}.starts_at, {t}.doors), TIMESTAMPDIFF(MICROSECOND, {t}.starts_at, {t}.changed), {t}.opens_on + INTERVAL 1 DAY, CAST({t}.price AS CHAR), UNIX_TIMESTAMP({t}.changed) FROM shows {t}" + some(d, t) + pick(d, "", " ORDER BY 2", f" ORDER BY {t}.rating" + cut(d), f" ORDER BY {t}.id")
