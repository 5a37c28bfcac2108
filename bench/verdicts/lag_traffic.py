"""What the application does in lag.py: writes, and reads of what was written, of what nobody writes, and of rows that are wrong for good.

Each traffic yields (number, kind, mark of the write that the read is to be put down to or None, its OK, the read's moment)."""

import time

import binary
import servers

STUCK = range(100, 130)      # rows of the target that are wrong for good
MENDED = range(2000, 2400)   # rows with one wrong cell that no write assigns, each used once
LACKED = range(4000, 4040)   # rows that the target lacks for good; what they are counted with is written to


def app(server, gtids=False, flags=0):
    import pymysql
    from pymysql.constants import CLIENT
    return pymysql.connect(host=server.host, port=server.port, user=servers.APP[0], password=servers.APP[1], database="shop", charset="utf8mb4", autocommit=True,
                           client_flag=flags | (CLIENT.SESSION_TRACK if gtids else 0))


def simple(source, dice, reads, gtids):
    """Writers that read their own writes, readers of others' writes, and readers of what nobody writes."""
    writer, reader = app(source, gtids).cursor(), app(source, gtids).cursor()
    for number in range(reads):
        kind = dice.choice(("own", "own", "other", "calm", "stuck", "list", "count"))
        row, wrote, done = dice.randrange(200, 400), None, None
        mark = f"/* r{number} {kind} */ "
        cursor = writer
        if kind in ("own", "other", "list", "count"):
            wrote = f"w{number}"
            writer.execute(f"/* {wrote} */ UPDATE people SET score = {dice.randrange(1, 40)}, name = 'w{number}' WHERE id = {row}")
            done = time.monotonic()
            time.sleep(dice.choice((0, 0.001, 0.01, 0.05, 0.2)))
        if kind == "other": cursor = reader
        moment = time.monotonic()
        if kind in ("own", "other"): cursor.execute(mark + f"SELECT id, name, score FROM people WHERE id = {row}")
        elif kind == "list": cursor.execute(mark + f"SELECT id, name FROM people WHERE id BETWEEN {row - 5} AND {row + 5} ORDER BY id")
        elif kind == "count": cursor.execute(mark + f"SELECT COUNT(*) FROM people WHERE name = 'w{number}'")
        elif kind == "calm": cursor.execute(mark + f"SELECT id, name, score FROM people WHERE id = {dice.randrange(1000, 2000)}")
        else: cursor.execute(mark + f"SELECT id, name, score FROM people WHERE id = {dice.choice(STUCK)}")
        cursor.fetchall()
        yield number, kind, wrote, done, moment
        time.sleep(dice.uniform(0, 0.02))


# How the one row is written: text, prepared, in a transaction, two statements in one text, an upsert, a join, a replacement, a deletion.
WRITES = {
    "text": "UPDATE people SET name = 'w{n}', score = {v} WHERE id = {id}",
    "prepared": "UPDATE people SET name = 'w{n}', score = {v} WHERE id = {id}",
    "transaction": "UPDATE people SET name = 'w{n}', score = {v} WHERE id = {id}",
    "multi": "UPDATE people SET name = 'w{n}', score = {v} WHERE id = {id}; UPDATE posts SET rank_no = {v} WHERE id = 3",
    "upsert": "INSERT INTO people (id, name, city, score, seen) VALUES ({id}, 'w{n}', 'Oslo', {v}, NOW()) ON DUPLICATE KEY UPDATE name = 'w{n}', score = VALUES(score)",
    "insert": "INSERT INTO people (id, name, city, score, seen) VALUES ({new}, 'w{n}', 'Oslo', {v}, NOW())",
    "joined": "UPDATE people p JOIN orders o ON o.id = p.id SET p.name = 'w{n}', p.score = {v}, o.qty = {v} WHERE p.id = {id}",
    "in_place": "UPDATE people SET score = score + 1, name = 'w{n}' WHERE id = {id}",
    "emptied": "DELETE FROM posts WHERE author_id = {author}",
}
# How it is read back: {name} of the read -> statement; each has an alias of its own, so that its findings are its own.
READS = {
    "by_key": "SELECT id AS k_by_key, name, score FROM people WHERE id = {row}",
    "by_name": "SELECT id AS k_by_name, name, score FROM people WHERE name = 'w{n}'",
    "range": "SELECT id AS k_range, name FROM people WHERE id BETWEEN {low} AND {high} ORDER BY id",
    "in_list": "SELECT id AS k_in_list, name FROM people WHERE id IN ({row}, {low}, {high})",
    "join": "SELECT p.id AS k_join, p.name, o.status FROM people p LEFT JOIN orders o ON o.id = p.id WHERE p.id = {row}",
    "sum": "SELECT COUNT(*) AS k_sum, MAX(name), SUM(score) FROM people WHERE id BETWEEN {low} AND {high}",
    "count": "SELECT COUNT(*) AS k_count FROM people WHERE name = 'w{n}'",
    "exists": "SELECT EXISTS (SELECT 1 FROM people WHERE name = 'w{n}') AS k_exists",
    "prepared_read": "SELECT id AS k_prepared_read, name, score FROM people WHERE id = {row}",
    "newest": "SELECT id AS k_newest, name FROM people WHERE name LIKE 'w%' ORDER BY CAST(SUBSTRING(name, 2) AS UNSIGNED) DESC LIMIT 3",
}
CALM = {
    "calm": "SELECT id AS k_calm, name, score FROM people WHERE id = {calm}",
    "stuck": "SELECT id AS k_stuck, name, score FROM people WHERE id = {stuck}",
    "stuck_sum": "SELECT SUM(score) AS k_stuck_sum FROM people WHERE id BETWEEN 100 AND 129",
    "stuck_join": "SELECT p.id AS k_stuck_join, p.name, o.status FROM people p JOIN orders o ON o.id = p.id WHERE p.id = {stuck} AND o.qty IS NOT NULL",
}
LACKING = {
    "lacking_count": "SELECT COUNT(*) AS k_lacking_count FROM people WHERE name = '{gap}'",
    "lacking_exists": "SELECT EXISTS (SELECT 1 FROM people WHERE name = '{gap}' AND id < {fence}) AS k_lacking_exists",
    "lacking_sum": "SELECT SUM(score) AS k_lacking_sum, MIN(id) FROM people WHERE name = '{gap}'",
    "lacking_group": "SELECT name AS k_lacking_group, COUNT(*) FROM people WHERE name LIKE 'gap%' GROUP BY name ORDER BY name",
}
READ_BACK = (*READS, "left_over")
WRONG_FOR_GOOD = tuple(CALM)


def mixed(source, dice, reads, gtids):
    """Every kind of write above, read back in every way above, by its own session, by another one of its request, by others; other
    rows are written in between. Rows with a wrong cell that no write assigns are among what is read back."""
    from pymysql.constants import CLIENT
    own, pooled, other, noise = app(source, gtids), app(source, gtids), app(source, gtids), app(source, gtids)
    multi = app(source, gtids, CLIENT.MULTI_STATEMENTS)
    mended, new = list(MENDED), 10_000
    dice.shuffle(mended)

    def send(connection, sql, prepared=False):
        if prepared: return binary.execute_prepared(connection, sql)
        with connection.cursor() as cursor:
            cursor.execute(sql)
            cursor.fetchall()
            while cursor.nextset(): cursor.fetchall()

    for number in range(reads):
        draw = dice.random()
        row, value, new = dice.randrange(200, 400), dice.randrange(1, 40), new + 1
        if draw < 0.2:
            kind = dice.choice(WRONG_FOR_GOOD)
            moment = time.monotonic()
            send(dice.choice((own, other)), f"/* r{number} {kind} */ " + CALM[kind].format(calm=dice.randrange(1000, 1900), stuck=dice.choice(STUCK)))
            yield number, kind, None, None, moment
            continue
        if draw < 0.25 and mended:
            kind, row = "mended", mended.pop()
            send(own, f"/* w{number} */ UPDATE people SET score = {value + 100} WHERE id = {row}")
            moment = time.monotonic()
            send(own, f"/* r{number} mended */ SELECT id AS k_mended, city, score FROM people WHERE id = {row}")
            yield number, kind, None, None, moment
            continue
        if draw < 0.35:
            kind, gap = dice.choice(list(LACKING)), f"gap{dice.choice(LACKED)}"
            add = f"INSERT INTO people (id, name, city, score, seen) VALUES ({{id}}, '{gap}', 'Oslo', 7, NOW())"
            send(own, f"/* w{number} */ " + add.format(id=20_000 + 2 * number))
            time.sleep(dice.choice((0, 0.01, 0.05)))
            moment = time.monotonic()
            send(own, f"/* r{number} {kind} */ " + LACKING[kind].format(gap=gap, fence=5000))
            yield number, kind, None, None, moment
            time.sleep(dice.choice((0, 0.01, 0.3)))
            send(noise, add.format(id=20_001 + 2 * number))
            continue
        way = dice.choice(list(WRITES))
        author = dice.randrange(1, 60)
        request = f"r-{number}"
        writer = multi if way == "multi" else own
        if way == "emptied":  # there is something to be emptied
            send(noise, f"INSERT INTO posts (id, author_id, title, body, rank_no) VALUES ({new}, {author}, 't', 'b', 1)")
            time.sleep(1.3)
        sql = f"/* w{number} request_id:{request} */ " + WRITES[way].format(n=number, v=value, id=row, new=new, author=author)
        if way == "transaction":
            send(writer, "BEGIN")
            send(writer, f"UPDATE posts SET rank_no = {value} WHERE id = 2")
            send(writer, sql)
            send(writer, "COMMIT")
        else:
            send(writer, sql, prepared=way == "prepared")
        done = time.monotonic()
        if way == "insert": row = new
        if dice.random() < 0.4: send(noise, f"UPDATE people SET score = score + 1 WHERE id = {dice.randrange(500, 900)}")
        time.sleep(dice.choice((0, 0.001, 0.01, 0.05, 0.15)))
        kind = dice.choice(list(READS))
        text = READS[kind].format(row=row, n=number, low=row - 4, high=row + 4)
        if way == "emptied": kind, text = "left_over", f"SELECT COUNT(*) AS k_left_over FROM posts WHERE author_id = {author}"
        by = dice.choice(("own", "pooled", "other"))
        reader = {"own": writer, "pooled": pooled, "other": other}[by]
        comment = f"/* request_id={request} */" if by == "pooled" else ""
        moment = time.monotonic()
        send(reader, f"/* r{number} {kind} {way} {by} */ {text} {comment}", prepared=kind == "prepared_read")
        yield number, kind, f"w{number}", done, moment
        time.sleep(dice.uniform(0, 0.01))
