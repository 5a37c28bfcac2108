"""The rows that every server gets, the ways in which a target may lay them out, and the rows planted wrong."""

import json
import random

SEED = 77
PEOPLE = 3000
ORDERS = 3000
POSTS = 400
THINGS = 1500
CITIES = ("Oslo", "oslo", "OSLO", "Rome", "Bern", "bern", "Genève", "Geneve", "Århus", "Lima", None)
NAMES = ("Bob", "bob", "BOB", "Ann", "ann", "Zoé", "Zoe", "Max", "max ", "Ida", "O'Neil", "Back\\slash", 'Quo"te', "Ünal", "Unal")
STATES = ("paid", "Paid", "open", "sent", "back")
WORDS = "sea wind stone river light night green small tall quick house garden".split()

PEOPLE_COLUMNS = """id INT NOT NULL PRIMARY KEY, name VARCHAR(40), city VARCHAR(30), age INT, score INT NOT NULL, height DOUBLE, weight FLOAT,
 balance DECIMAL(10,2), born DATE, seen DATETIME NOT NULL, flags BIT(8), kind ENUM('a','B','c'), tags SET('x','y','z'), note TEXT,
 doc JSON, code CHAR(6), raw_bytes VARBINARY(8), active TINYINT(1) NOT NULL DEFAULT 1, deleted_at DATETIME NULL"""
ORDERS_COLUMNS = """id INT NOT NULL PRIMARY KEY, person_id INT NOT NULL, status VARCHAR(12) NOT NULL, total DECIMAL(10,2) NOT NULL,
 volume DOUBLE, placed DATETIME NOT NULL, qty INT"""
POSTS_COLUMNS = """id INT NOT NULL PRIMARY KEY, author_id INT NOT NULL, title VARCHAR(80) NOT NULL, body TEXT, rank_no INT NOT NULL,
 FULLTEXT KEY words (title, body)"""
INDEXES = {"people": "KEY (city), KEY (age), KEY (score), KEY (name), KEY (seen), KEY (kind, score)",
           "orders": "KEY (person_id), KEY (status), KEY (placed), KEY (qty)", "posts": "KEY (author_id), KEY (rank_no)"}
# What comparison trips over: collations, paddings, zero dates, fractions of seconds, negative zero, points.
THINGS_COLUMNS = """id INT NOT NULL PRIMARY KEY, size INT NOT NULL, sign CHAR(3), bin_name VARCHAR(20) COLLATE utf8mb4_bin, uni_name VARCHAR(20) COLLATE utf8mb4_unicode_ci,
 old_name VARCHAR(20) CHARACTER SET latin1, tag_code BINARY(4), raw VARBINARY(6), bits BIT(12), in_year YEAR, at_time TIME(3), at_moment DATETIME(6) NOT NULL, stamp TIMESTAMP NULL,
 amount DECIMAL(20,6), ratio DOUBLE, half FLOAT, flags_set SET('x','y','z'), pair POINT"""
INDEXES["things"] = "KEY (size), KEY (uni_name), KEY (bits), KEY (stamp), KEY (bin_name)"
VIEWS = ("CREATE VIEW v_active AS SELECT id, name, city, score FROM people WHERE active = 1", "CREATE VIEW v_sorted AS SELECT id, name, score FROM people ORDER BY score DESC",
         "CREATE VIEW v_top AS SELECT id, name, score FROM people ORDER BY score LIMIT 50", "CREATE VIEW v_cities AS SELECT city, COUNT(*) AS n, MAX(score) AS most FROM people GROUP BY city")
COLUMNS = {"people": PEOPLE_COLUMNS, "orders": ORDERS_COLUMNS, "posts": POSTS_COLUMNS, "things": THINGS_COLUMNS}


def rows():
    dice = random.Random(SEED)
    moment = lambda spread: f"2024-0{dice.randrange(1, 10)}-1{dice.randrange(10)} 0{dice.randrange(10)}:{dice.randrange(10, 60)}:00" if dice.random() < spread else "2024-05-05 05:05:05"
    people = []
    for id in range(1, PEOPLE + 1):
        born = dice.choice((None, "0000-00-00", "1970-01-01", f"19{dice.randrange(40, 99)}-0{dice.randrange(1, 10)}-1{dice.randrange(10)}"))
        doc = json.dumps({"level": dice.randrange(5), "tags": [dice.choice(WORDS)], "big": dice.random()}) if dice.random() < 0.8 else None
        people.append((id, dice.choice(NAMES) + (f" {id % 200}" if dice.random() < 0.4 else ""), dice.choice(CITIES), dice.choice((None, *range(18, 60))),
                       dice.randrange(1, 40), round(dice.uniform(1.4, 2.1), 4) * dice.choice((1, 1e-3, 1e5)), round(dice.uniform(40, 120), 2),
                       f"{dice.uniform(-500, 9000):.2f}", born, moment(0.5), dice.randrange(256), dice.choice(("a", "B", "c", None)),
                       dice.choice(("", "x", "x,y", "z", None)), dice.choice((None, "", " ".join(dice.sample(WORDS, 3)))), doc,
                       dice.choice(("ab", "cd", "AB", "xyz")), dice.choice((b"\x00\x01", b"a\xff", b"ab")), dice.randrange(2),
                       None if dice.random() < 0.8 else moment(1)))
    orders = [(id, dice.randrange(1, PEOPLE), dice.choice(STATES), f"{dice.randrange(1, 60) * 2.5:.2f}", round(dice.uniform(0.001, 900), dice.randrange(1, 9)),
               moment(0.4), dice.choice((None, 1, 2, 3, 4, 5))) for id in range(1, ORDERS + 1)]
    posts = [(id, dice.randrange(1, 60), " ".join(dice.sample(WORDS, 2)), " ".join(dice.sample(WORDS, 5)), dice.randrange(10)) for id in range(1, POSTS + 1)]
    fourth = lambda: f"2024-0{dice.randrange(1, 5)}-02 02:02:0{dice.randrange(4)}"
    things = [(id, dice.randrange(1, 12), dice.choice(("a", "A", "B", "c", "", None)), dice.choice(("ab", "AB", "Ab", "ab ", "ä", "a", None)), dice.choice(("ss", "ß", "SS", "æ", "ae", "x", "X ", None)),
               dice.choice(("é", "e", "É", "ü", "z", None)), dice.choice((b"a", b"A\0b", b"zz", None)), dice.choice((b"", b"\0", b"a", b"a ", b"A", None)), dice.choice((None, *range(6))),
               dice.choice((None, 1970, 1999, 2024, 2155)), dice.choice((None, "-01:00:00.500", "00:00:00", "12:30:00.125", "838:59:59")), dice.choice((fourth(), fourth() + ".250000", "0000-00-00 00:00:00")),
               dice.choice((None, "2024-02-02 02:02:02", fourth())), dice.choice((None, "0", "-0.000001", "1.5", "12345678901234.123456")), dice.choice((None, 0.0, -0.0, 0.1, 1e300, -2.5, 1 / 3)),
               dice.choice((None, 0.0, 0.1, -7.25, 1e20)), dice.choice(("", "x", "x,z", None)), None if dice.random() < 0.2 else (dice.randrange(4), dice.randrange(4))) for id in range(1, THINGS + 1)]
    return {"people": people, "orders": orders, "posts": posts, "things": things}


def planted(tables, share=0.02):
    """The same tables with some rows wrong; and what was done, by (table, id)."""
    dice = random.Random(SEED + 1)
    result, done = {}, {}
    for table, old in tables.items():
        new = []
        for row in old:
            if table == "posts" or dice.random() >= share:
                new.append(row)
                continue
            row = list(row)
            kind = dice.choice(("deleted", "number", "case", "blank", "null", "added", "decimal", "date", "float"))
            if table == "people":
                if kind == "number": row[4] += 1
                elif kind == "case": row[1] = row[1].swapcase()
                elif kind == "blank": row[1] = row[1] + " " if not row[1].endswith(" ") else row[1].rstrip()
                elif kind == "null": row[13] = "" if row[13] is None else None
                elif kind == "decimal": row[7] = f"{float(row[7]) + 0.01:.2f}"
                elif kind == "date": row[9] = "2024-05-05 05:05:06"
                elif kind == "float": row[5] = row[5] * 1.0001
            elif table == "things":
                if kind in ("number", "decimal"): row[1] += 1
                elif kind == "case": row[4] = (row[4] or "q").swapcase() + "q"
                elif kind in ("blank", "null"): row[2] = "zz"
                elif kind == "date": row[11] = "2024-02-02 02:02:02.000001"
                elif kind == "float": row[14] = 0.1000001
            else:
                if kind in ("number", "null"): row[6] = 7
                elif kind in ("case", "blank"): row[2] = row[2].swapcase()
                elif kind == "decimal": row[3] = f"{float(row[3]) + 0.01:.2f}"
                elif kind == "date": row[5] = "2024-05-05 05:05:06"
                elif kind == "float": row[4] = row[4] * 1.0001
            done[(table, row[0])] = kind
            if kind != "deleted": new.append(tuple(row))
            if kind == "added": new.append((row[0] + 100_000, *row[1:]))
        result[table] = new
    return result, done


def statements(layout, dialect):
    """CREATE TABLEs. Layout "keys": indexes, one piece. "bare": no index but the primary key, partitioned, another engine for one."""
    for table, columns in COLUMNS.items():
        body, engine, pieces = columns, "InnoDB", ""
        if layout == "keys": body += ", " + INDEXES[table]
        elif table in ("orders", "things") and dialect == "mariadb": engine = "Aria"
        elif table not in ("posts", "things"): pieces = " PARTITION BY HASH (id) PARTITIONS 4"
        if dialect == "mariadb": body = body.replace("JSON", "LONGTEXT CHECK (doc IS NULL OR json_valid(doc))")
        yield f"CREATE TABLE {table} ({body}) ENGINE={engine} DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci{pieces}"
    yield from VIEWS


def fill(connection, tables, layout):
    dice = random.Random(SEED + len(layout))
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION sql_mode='NO_BACKSLASH_ESCAPES'")
        cursor.execute("SET SESSION sql_mode='', unique_checks=0, foreign_key_checks=0")
        for table, content in tables.items():
            content = list(content)
            if layout == "bare": dice.shuffle(content)
            if not content: continue
            marks = ",".join(["%s"] * len(content[0]))
            if table == "things":
                marks = marks[:-2] + "ST_GeomFromText(%s)"
                content = [(*row[:-1], row[-1] and f"POINT({row[-1][0]} {row[-1][1]})") for row in content]
            for start in range(0, len(content), 500):
                cursor.executemany(f"INSERT INTO {table} VALUES ({marks})", content[start:start + 500])
        for table in tables: cursor.execute(f"ANALYZE TABLE {table}")
    connection.commit()
