"""Tables of a box office, a message board, a ledger, a machine's log and a tree of folders: fractions of seconds, mixed character sets, long decimals, bits, sets, documents, binary keys.

The interface is that of data.py: rows, planted, statements, fill. Rows are planted wrong by kinds of columns, each way in which a migration spoils such a value."""

import datetime
import json
import random
import uuid

import filling

SEED = 90210
WORDS = ("Oslo oslo Øre øre ore Zoë Zoe zoe Müller Muller mueller straße strasse STRASSE naïve naive co-op coop Ångström Angstrom æther aether ﬁne fine "
         "ΑΒΓ αβγ Ёлка елка ёлка 東京 とうきょう トウキョウ").split()
LATIN = "café cafe Café naïve über uber Ünder plain Plain PLAIN straße strasse x".split()
PREFIX = "All that is said in front is the same for everybody, and goes on for long. " * 15  # longer than max_sort_length

INT, TEXT, NULLABLE, LATIN_TEXT, DECIMAL, MICRO, MILLI, DAY, FLOAT, DOUBLE, ENUM, SET, BIT, JSON, BYTES, TIME, KEEP = range(17)
UNI, MB3, LAT, BIN = "COLLATE utf8mb4_unicode_ci", "CHARACTER SET utf8mb3", "CHARACTER SET latin1", "COLLATE utf8mb4_bin"
# NEWEST: the accent-insensitive one of the newest Unicode that the server has; OTHER: the column whose collation the target "collated" forgets.
TABLES = {
    "shows": ([("id", "INT NOT NULL", KEEP), ("title", f"VARCHAR(80) {UNI} NOT NULL", TEXT), ("venue", f"VARCHAR(40) {MB3}", NULLABLE), ("starts_at", "DATETIME(6) NOT NULL", MICRO), ("doors", "TIME(3)", TIME),
               ("sold_out", "BIT(1) NOT NULL", BIT), ("price", "DECIMAL(12,3)", DECIMAL), ("category", "ENUM('Rock','jazz','Opera','rock & roll') NULL", ENUM), ("extras", "SET('bar','seats','rain','dogs')", SET),
               ("opens_on", "DATE", DAY), ("changed", "TIMESTAMP(6) NULL DEFAULT NULL", MICRO), ("rating", "FLOAT", FLOAT), ("hall", "TINYINT UNSIGNED NOT NULL", INT)],
              "id", "KEY (title), KEY (starts_at), KEY (hall, starts_at), KEY (category), KEY (price)"),
    "bookings": ([("show_id", "INT NOT NULL", KEEP), ("seat", f"VARCHAR(8) {BIN} NOT NULL", KEEP), ("customer", "VARCHAR(60) NEWEST NOT NULL", TEXT), ("booked_at", "DATETIME(6) NOT NULL", MICRO),
                  ("paid", "DECIMAL(12,3)", DECIMAL), ("state", "ENUM('held','paid','void') NOT NULL", ENUM), ("remark", f"TEXT {LAT}", LATIN_TEXT), ("code", "BINARY(16) NOT NULL", BYTES), ("row_no", "SMALLINT NOT NULL", INT)],
                 "show_id, seat", "KEY (customer), KEY (booked_at), KEY (state, row_no), UNIQUE KEY by_code (code, show_id, seat)"),
    "threads": ([("slug", f"VARCHAR(40) {BIN} NOT NULL", KEEP), ("title", f"VARCHAR(80) {UNI} NOT NULL", TEXT), ("pinned", "BOOLEAN NOT NULL", INT), ("last_at", "TIMESTAMP(3) NULL DEFAULT NULL", MILLI), ("views", "BIGINT UNSIGNED NOT NULL", INT)],
                "slug", "KEY (last_at), KEY (pinned, last_at), KEY (title)"),
    "messages": ([("uid", "BINARY(16) NOT NULL", KEEP), ("thread", f"VARCHAR(40) {BIN} NOT NULL", KEEP), ("author", "VARCHAR(40) NEWEST", NULLABLE), ("nick", "VARCHAR(40) CHARACTER SET latin1 COLLATE latin1_german1_ci NOT NULL", LATIN_TEXT),
                  ("body", f"TEXT {UNI} NOT NULL", TEXT), ("long_body", "MEDIUMTEXT NOT NULL", TEXT), ("posted", "DATETIME(3) NOT NULL", MILLI), ("likes", "SMALLINT NOT NULL", INT), ("meta", "JSON", JSON), ("mood", f"CHAR(6) {MB3}", NULLABLE)],
                 "uid", "KEY (thread, posted), KEY (author), KEY (nick), KEY (likes), KEY (posted)"),
    "entries": ([("account", "CHAR(6) CHARACTER SET ascii NOT NULL", KEEP), ("no", "INT NOT NULL", KEEP), ("amount", "DECIMAL(30,10) NOT NULL", DECIMAL), ("rate", "FLOAT", FLOAT), ("ratio", "DOUBLE", DOUBLE), ("day", "DATE", DAY),
                 ("memo", f"VARCHAR(100) {MB3} COLLATE utf8_unicode_ci", NULLABLE), ("currency", "CHAR(3) CHARACTER SET latin1 NOT NULL", KEEP), ("reversed", "BIT(1)", BIT)],
                "account, no", "KEY (day), KEY (amount), KEY (currency, day), KEY (memo)"),
    # A log without a primary key.
    "logs": ([("at", "DATETIME(6) NOT NULL", MICRO), ("level", "ENUM('debug','info','WARN','error') NOT NULL", ENUM), ("flags", "BIT(10)", BIT), ("labels", "SET('a','b','c','d')", SET), ("ip", "VARBINARY(16)", BYTES),
              ("payload", "JSON", JSON), ("duration", "FLOAT", FLOAT), ("took", "TIME(6)", TIME), ("in_year", "YEAR", INT), ("line", f"VARCHAR(200) {LAT}", LATIN_TEXT)], None, "KEY (at), KEY (level), KEY (flags), KEY (ip), KEY (in_year)"),
    "folders": ([("id", "SMALLINT UNSIGNED NOT NULL", KEEP), ("parent", "SMALLINT UNSIGNED", KEEP), ("name", "VARCHAR(40) NEWEST NOT NULL", TEXT), ("place", "TINYINT NOT NULL", INT), ("size", "BIGINT", INT), ("quota", "DECIMAL(20,4)", DECIMAL)],
                "id", "KEY (parent, place), KEY (name)"),
}
OTHER = {("shows", "title"), ("folders", "name"), ("messages", "nick")}
VIEWS = ("CREATE VIEW v_paid AS SELECT show_id, seat, customer, paid FROM bookings WHERE state = 'paid'",
         "CREATE VIEW v_busy AS SELECT b.show_id, s.title, COUNT(*) AS n, MAX(b.booked_at) AS last FROM bookings b JOIN shows s ON s.id = b.show_id GROUP BY b.show_id, s.title",
         "CREATE VIEW v_names AS SELECT customer AS name FROM bookings WHERE row_no < 4 UNION SELECT nick FROM messages WHERE likes > 3",
         "CREATE VIEW v_recent AS SELECT thread, author, posted, likes FROM messages ORDER BY posted DESC LIMIT 40")
NEWEST = {"mariadb": "COLLATE utf8mb4_uca1400_ai_ci", "mysql80": "COLLATE utf8mb4_0900_ai_ci", "mysql57": "COLLATE utf8mb4_unicode_520_ci"}


def rows():
    dice = random.Random(SEED)
    start = datetime.datetime(2024, 3, 1, 20)
    half_hours = lambda n: start + datetime.timedelta(minutes=30 * dice.randrange(n))
    micro = lambda n: str(half_hours(n)) + dice.choice((".000000", ".000000", ".500000", f".{dice.randrange(1_000_000):06}"))
    milli = lambda n: str(half_hours(n)) + dice.choice((".000", ".000", ".250", f".{dice.randrange(1000):03}"))
    word = lambda: dice.choice(WORDS)
    bits = lambda n: dice.randrange(1 << n).to_bytes((n + 7) // 8, "big")
    document = lambda: dice.choice((None, json.dumps({"n": dice.choice((1, 2, 3, 1.5, 10)), "tags": [dice.choice("abcd"), dice.choice("wxyz"), dice.randrange(3)], "who": {"name": word(), "ok": dice.random() < 0.5}}, ensure_ascii=False), "[1, 2, 3]", "null", "{}"))
    shows = [(i, word() + dice.choice(("", "", " " + word())), dice.choice((None, "", "Arena", "arena", "Club 9", "Théâtre")), micro(60), dice.choice((None, "19:30:00.000", "20:00:00.125", "-01:00:00.000")), bits(1),
              dice.choice((None, "0.000", "19.900", "25.500", f"{dice.randrange(90)}.{dice.randrange(1000):03}")), dice.choice((None, "Rock", "jazz", "Opera", "rock & roll")), dice.choice((None, "", "bar", "bar,rain", "seats,dogs")),
              dice.choice((None, "0000-00-00", "2024-00-00", "2024-02-29", str(half_hours(400))[:10])), dice.choice((None, micro(90))), dice.choice((None, 0.0, -0.0, 4.5, 3.3, 0.1, 1e-7)), dice.randrange(1, 9)) for i in range(1, 501)]
    seats = [f"{dice.choice('AaBbCD')}{n}" for n in range(1, 400)]
    taken = sorted({(dice.randrange(1, 501), dice.choice(seats)) for _ in range(1600)})
    bookings = [(show, seat, word() + dice.choice(("", " ", " jr")), micro(200), dice.choice((None, "0.000", "19.900", "25.500", f"{dice.randrange(60)}.{dice.randrange(1000):03}")), dice.choice(("held", "paid", "paid", "void")),
                 dice.choice((None, "", *LATIN)), uuid.UUID(int=dice.getrandbits(128) if dice.random() < 0.9 else dice.randrange(4)).bytes, dice.randrange(1, 25)) for show, seat in taken]
    slugs = [f"{('News', 'news', 'help', 'Off-Topic')[i % 4]}-{i % 90}{'x' * (i // 90)}" for i in range(180)]
    threads = [(slug, word(), int(dice.random() < 0.1), dice.choice((None, milli(80))), dice.choice((0, 0, 7, 18446744073709551615, dice.randrange(3000)))) for slug in slugs]
    messages = [(uuid.UUID(int=dice.getrandbits(128)).bytes, dice.choice(slugs[:60]), dice.choice((None, "", word(), word())), dice.choice(LATIN), " ".join(dice.choice(WORDS) for _ in range(4)), dice.choice(("", PREFIX, PREFIX)) + word(),
                 milli(300), dice.randrange(-2, 6), document(), dice.choice((None, "", "glad", "Glad", "sad"))) for _ in range(1200)]
    entries = [(f"{dice.choice(('CASH', 'Cash', 'bank', 'tax'))}{a % 10}", n, dice.choice(("0.0000000000", "-0.0000000001", "100.0000000000", f"{dice.randrange(-10**6, 10**6)}.{dice.randrange(10**10):010}", "12345678901234567890.0123456789")),
                dice.choice((None, 0.1, 1.1, 7.25, -0.0, 1e20)), dice.choice((None, 0.1, 1 / 3, -0.0, 0.0, dice.uniform(-1, 1) * 10 ** dice.randrange(-6, 12))), dice.choice((None, "0000-00-00", str(half_hours(2000))[:10])),
                dice.choice((None, "", word(), "rent", "Rent")), dice.choice(("EUR", "eur", "NOK", "USD")), dice.choice((None, b"\0", b"\1"))) for a in range(12) for n in range(1, 120)]
    entries = list({(row[0].lower(), row[1]): row for row in entries}.values())
    logs = [(micro(40), dice.choice(("debug", "info", "info", "WARN", "error")), dice.choice((None, bits(10))), dice.choice((None, "", "a", "b,d", "a,c")), dice.choice((None, b"", b"\x7f\0\0\1", b"\x0a\0\0" + bytes((dice.randrange(4),)), b"\xfe\x80" + bytes(14))),
             document(), dice.choice((None, 0.25, 0.1, 3.5e8)), dice.choice((None, "00:00:00.000001", "-00:00:01.500000", "100:00:00.000000")), dice.choice((None, 1999, 2024, 2155)), dice.choice(LATIN) + dice.choice(("", "", " 12", "12abc", "7"))) for _ in range(1300)]
    folders = [(i, None if i < 6 else dice.randrange(1, i), word(), dice.randrange(5), dice.choice((None, 0, dice.randrange(10**6))), dice.choice((None, "0.0000", f"{dice.randrange(900)}.2500"))) for i in range(1, 241)]
    return {"shows": shows, "bookings": bookings, "threads": threads, "messages": messages, "entries": entries, "logs": logs, "folders": folders}


def last_digit(number):
    digit = str((int(number[-1]) + 1) % 10)
    return number[:-1] + digit


def spoilt_document(text, dice):
    value = json.loads(text)
    if isinstance(value, list): return json.dumps([value[-1], *value[:-1]])
    if not value: return '{"n": null}' if value is not None else "{}"
    way = dice.choice(("array", "float", "text", "gone", "case"))
    if way == "array": value["tags"] = value["tags"][::-1]
    elif way == "float": value["n"] = float(value["n"]) if isinstance(value["n"], int) else value["n"] + 0.5
    elif way == "text": value["n"] = str(value["n"])
    elif way == "gone": del value["who"]["ok"]
    else: value["who"]["name"] = value["who"]["name"].swapcase() + ("" if value["who"]["name"].swapcase() != value["who"]["name"] else " ")
    return json.dumps(value, ensure_ascii=False)


def spoilt(value, kind, dice):
    """(what was done, the value as a bad migration leaves it)."""
    if kind in (TEXT, NULLABLE, LATIN_TEXT):
        if value is None: return "'' for NULL", ""
        if value == "": return ("NULL for ''", None) if kind != TEXT else ("a blank for ''", " ")
        ways = [("a blank behind", value + " ")]
        if value.swapcase() != value: ways.append(("another case", value.swapcase()))
        for accented, plain in (("é", "e"), ("ü", "u"), ("ß", "ss"), ("ï", "i"), ("ë", "e"), ("Ø", "O"), ("ø", "o")):
            if accented in value: ways.append(("an accent lost", value.replace(accented, plain)))
        if kind != LATIN_TEXT: ways.append(("a letter that nobody sees", value[:1] + "\u200b" + value[1:]))
        return dice.choice(ways)
    if value is None:
        filled = {INT: 1, DECIMAL: "0.001", MICRO: "2024-03-03 03:03:03.000003", MILLI: "2024-03-03 03:03:03.003", DAY: "0000-00-00", FLOAT: 0.0, DOUBLE: 0.0, ENUM: "", SET: "", BIT: b"\0", JSON: "null", BYTES: b"\0", TIME: "00:00:00"}
        return "a value for NULL", filled[kind]
    if kind == INT: return "off by one", value - 1 if value > 250 else value + 1
    if kind == DECIMAL: return "a decimal's last digit", last_digit(value)
    if kind in (MICRO, MILLI): return "a fraction of a second off", last_digit(value)
    if kind == TIME: return "a fraction of a second off", last_digit(value) if "." in value else value + ".001"
    if kind == DAY: return ("NULL for a zero date", None) if value.startswith("0000") else ("a zero date", "0000-00-00")
    if kind == FLOAT: return "another float", value * 1.000001 + 1e-6
    if kind == DOUBLE: return "another double", value * (1 + 1e-12) + 1e-12
    if kind == ENUM: return "ENUM index 0", ""
    if kind == SET: return "a member of a SET", "" if value else dice.choice(("a", "bar"))
    if kind == BIT: return "a flipped bit", value[:-1] + bytes((value[-1] ^ 1,))
    if kind == JSON: return "a document", spoilt_document(value, dice)
    return "a byte", value[:-1] + bytes((value[-1] ^ 1,)) if value else b"\0"


def planted(tables, share=0.03):
    """The same tables with some rows wrong; and what was done, by (table, its row's number)."""
    dice = random.Random(SEED + 1)
    result, done = {}, {}
    for table, old in tables.items():
        columns, key, _ = TABLES[table]
        may_differ = [c for c, (_, _, kind) in enumerate(columns) if kind != KEEP]
        new, added = [list(row) for row in old], []
        gone = set()
        for number in range(len(old)):
            if dice.random() >= share: continue
            what = dice.choice(("missing", "additional", "swapped", "cell", "cell", "cell", "cell", "cell", "cell"))
            c = dice.choice(may_differ)
            if what == "missing": gone.add(number)
            elif what == "additional":
                more = list(old[number])
                if table in ("shows", "folders"): more[0] += 20_000
                elif table == "bookings": more[1] = "Z" + more[1]
                elif table == "threads": more[0] = "z-" + more[0]
                elif table == "messages": more[0] = more[0][:-1] + bytes((more[0][-1] ^ 0x55,))
                elif table == "entries": more[1] += 5000
                added.append(more)
            elif what == "swapped":
                other = dice.randrange(len(old))
                new[number][c], new[other][c] = new[other][c], new[number][c]
            else:
                what, new[number][c] = spoilt(new[number][c], columns[c][2], dice)
            done[table, number] = (what, columns[c][0])
        result[table] = [tuple(row) for number, row in enumerate(new) if number not in gone] + [tuple(row) for row in added]
    return result, done


def statements(layout, dialect):
    """Layout "keys": as the application made them. "bare": no index but the primary key, its columns turned round, partitions, another engine. "collated": as "keys", but three columns have another collation."""
    for table, (columns, key, keys) in TABLES.items():
        lines, pieces, engine = [], "", "InnoDB"
        for name, definition, _ in columns:
            definition = definition.replace("NEWEST", NEWEST[dialect])
            if layout == "collated" and (table, name) in OTHER: definition = definition.split(" ")[0] + " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL"
            if dialect == "mysql57": definition = definition.replace("utf8mb3", "utf8")
            lines.append(f"{name} {definition}")
        if layout != "bare": lines += [f"PRIMARY KEY ({key})"] * (key is not None) + [keys]
        elif key is None: engine = "Aria" if dialect == "mariadb" else "MyISAM"
        else:
            turned = ", ".join(reversed(key.split(", ")))
            lines.append(f"PRIMARY KEY ({turned})")
            pieces = f" PARTITION BY KEY ({turned.split(', ')[0]}) PARTITIONS 3" if table != "threads" else ""
        yield f"CREATE TABLE {table} ({', '.join(lines)}) ENGINE={engine} DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci{pieces}"
    yield from VIEWS


def fill(connection, tables, layout):
    filling.fill(connection, {table: [name for name, _, _ in TABLES[table][0]] for table in tables}, tables, layout, SEED)
