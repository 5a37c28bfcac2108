"""Tables as a weblog, a shop of attributes and a tracker have them: their rows, other layouts, and rows planted wrong.

The interface is that of data.py: rows, planted, statements, fill."""

import datetime
import json
import random

import filling

SEED = 4711
WORDS = "alpha beta gamma delta omega straße strasse Straße Äpfel apfel Apfel zebra Zebra naïve naive co-op coop résumé resume".split()
MAILS = ("ann@example.com", "Ann@Example.com", "bob@example.com", "BOB@example.com", "carl@example.org", "dora@example.org", None)

# Of each table: (column, definition, how a row may be planted wrong in it), its secondary keys, and another order of its primary key.
INT, TEXT, NULLABLE, AMOUNT, MOMENT, REAL, KEEP = "int", "text", "nullable text", "amount", "moment", "real", "keep"
TABLES = {
    "wp_posts": ([("ID", "BIGINT UNSIGNED NOT NULL", KEEP), ("post_author", "BIGINT UNSIGNED NOT NULL", INT), ("post_date", "DATETIME NOT NULL", MOMENT), ("post_content", "LONGTEXT NOT NULL", TEXT),
                  ("post_title", "TEXT NOT NULL", TEXT), ("post_status", "VARCHAR(20) NOT NULL", TEXT), ("post_name", "VARCHAR(200) NOT NULL", TEXT), ("post_parent", "BIGINT UNSIGNED NOT NULL", INT),
                  ("menu_order", "INT NOT NULL", INT), ("post_type", "VARCHAR(20) NOT NULL", KEEP), ("comment_count", "BIGINT NOT NULL", INT)],
                 "ID", "KEY (post_type, post_status, post_date, ID), KEY (post_parent), KEY (post_author), KEY (post_name(191)), FULLTEXT KEY words (post_title, post_content)"),
    "wp_postmeta": ([("meta_id", "BIGINT UNSIGNED NOT NULL", KEEP), ("post_id", "BIGINT UNSIGNED NOT NULL", KEEP), ("meta_key", "VARCHAR(255)", KEEP), ("meta_value", "LONGTEXT", NULLABLE)],
                    "meta_id", "KEY (post_id), KEY (meta_key(191))"),
    "wp_term_relationships": ([("object_id", "BIGINT UNSIGNED NOT NULL", KEEP), ("term_taxonomy_id", "BIGINT UNSIGNED NOT NULL", KEEP), ("term_order", "INT NOT NULL", INT)],
                              "object_id, term_taxonomy_id", "KEY (term_taxonomy_id)"),
    "wp_terms": ([("term_id", "BIGINT UNSIGNED NOT NULL", KEEP), ("name", "VARCHAR(200) NOT NULL", TEXT), ("slug", "VARCHAR(200) NOT NULL", TEXT)], "term_id", "KEY (slug(191)), KEY (name(191))"),
    "wp_options": ([("option_id", "BIGINT UNSIGNED NOT NULL", KEEP), ("option_name", "VARCHAR(191) NOT NULL", KEEP), ("option_value", "LONGTEXT NOT NULL", TEXT), ("autoload", "VARCHAR(20) NOT NULL", TEXT)],
                   "option_id", "UNIQUE KEY (option_name), KEY (autoload)"),
    "product": ([("entity_id", "INT UNSIGNED NOT NULL", KEEP), ("sku", "VARCHAR(64)", NULLABLE), ("type_id", "VARCHAR(32) NOT NULL", TEXT), ("attribute_set_id", "SMALLINT NOT NULL", INT),
                 ("created_at", "TIMESTAMP NOT NULL DEFAULT '2020-01-01 00:00:01'", MOMENT)], "entity_id", "KEY (sku), KEY (attribute_set_id)"),
    "product_varchar": ([("value_id", "INT NOT NULL", KEEP), ("attribute_id", "SMALLINT NOT NULL", KEEP), ("store_id", "SMALLINT NOT NULL", KEEP), ("entity_id", "INT UNSIGNED NOT NULL", KEEP), ("value", "VARCHAR(255)", NULLABLE)],
                        "value_id", "KEY (entity_id, attribute_id, store_id), KEY (attribute_id, store_id)"),
    "product_decimal": ([("value_id", "INT NOT NULL", KEEP), ("attribute_id", "SMALLINT NOT NULL", KEEP), ("store_id", "SMALLINT NOT NULL", KEEP), ("entity_id", "INT UNSIGNED NOT NULL", KEEP), ("value", "DECIMAL(20,6)", AMOUNT)],
                        "value_id", "KEY (entity_id, attribute_id, store_id), KEY (attribute_id)"),
    "category_product": ([("category_id", "INT UNSIGNED NOT NULL", KEEP), ("product_id", "INT UNSIGNED NOT NULL", KEEP), ("position", "INT NOT NULL", INT)], "category_id, product_id", "KEY (product_id)"),
    "sales_order": ([("entity_id", "INT UNSIGNED NOT NULL", KEEP), ("increment_id", "VARCHAR(32) NOT NULL", TEXT), ("status", "VARCHAR(32)", NULLABLE), ("grand_total", "DECIMAL(20,4)", AMOUNT), ("weight", "DOUBLE", REAL),
                     ("created_at", "TIMESTAMP NOT NULL DEFAULT '2020-01-01 00:00:01'", MOMENT), ("customer_email", "VARCHAR(128)", NULLABLE), ("store_id", "SMALLINT", INT)],
                    "entity_id", "KEY (status), KEY (created_at), KEY (customer_email), KEY (store_id)"),
    "tickets": ([("id", "BIGINT NOT NULL", KEEP), ("project_id", "INT NOT NULL", KEEP), ("assignee_id", "INT", INT), ("subject", "VARCHAR(120) NOT NULL", TEXT), ("state", "ENUM('new','open','Done','wont fix') NOT NULL", KEEP),
                 ("labels", "SET('ui','api','db','ops')", KEEP), ("priority", "SMALLINT NOT NULL", INT), ("created_at", "DATETIME(6) NOT NULL", MOMENT), ("updated_at", "DATETIME NOT NULL", MOMENT), ("closed_on", "DATE", KEEP),
                 ("estimate", "DECIMAL(8,2)", AMOUNT), ("ratio", "DOUBLE", REAL), ("weight", "FLOAT", REAL), ("flags", "BIT(4) NOT NULL", KEEP), ("payload", "JSON", KEEP), ("german", "VARCHAR(40) COLLATE utf8mb4_german2_ci", NULLABLE),
                 ("slug", "VARCHAR(60) COLLATE utf8mb4_bin NOT NULL", TEXT), ("title_uni", "VARCHAR(60) COLLATE utf8mb4_unicode_ci", NULLABLE), ("ident", "CHAR(8) CHARACTER SET ascii NOT NULL", TEXT), ("raw_id", "BINARY(4)", KEEP),
                 ("subject_lc", "VARCHAR(120) GENERATED ALWAYS AS (LOWER(subject)) STORED", None)],
                "id", "KEY (project_id, state), KEY (created_at), KEY (priority), KEY (assignee_id), KEY (slug), KEY (german)"),
    # A log without a primary key.
    "events": ([("ticket_id", "BIGINT NOT NULL", KEEP), ("kind", "VARCHAR(20) NOT NULL", TEXT), ("happened_at", "DATETIME NOT NULL", MOMENT), ("amount", "INT", INT), ("note", "TEXT", NULLABLE)], None, "KEY (ticket_id), KEY (happened_at)"),
    "nodes": ([("id", "INT NOT NULL", KEEP), ("parent_id", "INT", KEEP), ("name", "VARCHAR(40) NOT NULL", TEXT), ("place", "INT NOT NULL", INT)], "id", "KEY (parent_id)"),
}
VIEWS = ("CREATE VIEW open_tickets AS SELECT id, project_id, assignee_id, subject, priority, created_at FROM tickets WHERE state = 'open'",
         "CREATE VIEW latest_orders AS SELECT entity_id, status, grand_total, created_at FROM sales_order ORDER BY created_at DESC LIMIT 60",
         "CREATE VIEW per_project AS SELECT project_id, state, COUNT(*) AS n, GROUP_CONCAT(subject) AS subjects FROM tickets GROUP BY project_id, state")


def rows():
    dice = random.Random(SEED)
    start = datetime.datetime(2024, 1, 1)
    day = lambda days: str(start + datetime.timedelta(days=dice.randrange(days)))
    moment = lambda: dice.choice((day(40), str(start + datetime.timedelta(seconds=dice.randrange(4_000_000)))))
    phrase = lambda n: " ".join(dice.choice(WORDS) for _ in range(n))
    kinds = ("post", "post", "page", "attachment", "revision")
    posts = [(i, dice.randrange(1, 12), moment(), phrase(12), phrase(2), dice.choice(("publish", "publish", "draft", "Publish", "private")), f"{phrase(1)}-{dice.randrange(300)}",
              dice.choice((0, 0, dice.randrange(1, 900))), dice.randrange(6), dice.choice(kinds), dice.choice((0, 0, 1, 2, dice.randrange(40)))) for i in range(1, 901)]
    keys = ("_price", "_sku", "_thumbnail_id", "_edit_last", "total_sales", None)
    postmeta = [(i, dice.randrange(1, 900), dice.choice(keys), dice.choice((None, "", str(dice.randrange(120)), f"{dice.randrange(900) / 10}", phrase(1), phrase(1).upper()))) for i in range(1, 2601)]
    relations = sorted({(dice.randrange(1, 900), dice.randrange(1, 25)) for _ in range(1500)})
    terms = [(i, dice.choice(WORDS) + dice.choice(("", " ", "s", " 1")), dice.choice(WORDS).lower()) for i in range(1, 41)]
    options = [(i, f"option_{i:03}", dice.choice(("yes", "no", "", phrase(2), 'a:1:{s:3:"key";i:5;}')), dice.choice(("yes", "no", "Yes"))) for i in range(1, 161)]
    products = [(i, dice.choice((f"SKU-{dice.randrange(400):04}", f"sku-{dice.randrange(400):04}", None)), dice.choice(("simple", "Simple", "configurable", "bundle")), dice.randrange(4, 9), moment()) for i in range(1, 701)]
    numbered = lambda values: [(i, *value) for i, value in enumerate(values, 1)]
    names = numbered((attribute, store, i, dice.choice((phrase(1), phrase(2), "", None))) for i in range(1, 701) for attribute in (73, 97, 119) for store in (0, 1) if dice.random() < (0.9 if store == 0 else 0.3))
    prices = numbered((attribute, 0, i, dice.choice((None, f"{dice.randrange(1, 60)}.{dice.choice(('000000', '990000', '500000', '333333'))}"))) for i in range(1, 701) for attribute in (77, 78) if dice.random() < 0.9)
    categories = [(c, p, dice.randrange(5)) for c, p in sorted({(dice.randrange(2, 20), dice.randrange(1, 700)) for _ in range(2200)})]
    orders = [(i, f"1{i:08}", dice.choice(("pending", "complete", "Complete", "canceled", None)), f"{dice.randrange(1, 80) * 2.5:.4f}", round(dice.uniform(0, 90), dice.randrange(1, 12)), moment(), dice.choice(MAILS), dice.choice((None, 1, 2, 3)))
              for i in range(1, 1301)]
    tickets = []
    for i in range(1, 1501):
        payload = dice.choice((None, json.dumps({"level": dice.randrange(4), "tags": dice.sample(WORDS, 2), "who": {"mail": dice.choice(MAILS)}})))
        tickets.append((i, dice.randrange(1, 15), dice.choice((None, *range(1, 20))), phrase(2) + dice.choice(("", "", "!", " ")), dice.choice(("new", "open", "open", "Done", "wont fix")), dice.choice(("", "ui", "ui,db", "api,ops", None)),
                        dice.randrange(1, 6), moment() + dice.choice(("", ".000001", ".500000")), moment(), dice.choice((None, "0000-00-00", "2024-00-00", day(30)[:10])), dice.choice((None, "0.00", f"{dice.randrange(90)}.{dice.choice(('00', '25', '50'))}")),
                        dice.choice((None, 0.0, -0.0, dice.uniform(-1, 1) * 10 ** dice.randrange(-5, 9))), dice.choice((None, round(dice.uniform(0, 9), 2))), dice.randrange(16), payload, dice.choice((*WORDS[:12], None, "ä", "ae", "Ae", "a")),
                        dice.choice(WORDS) + str(dice.randrange(30)), dice.choice((*WORDS, None)), dice.choice(("ab", "AB", "ab12", "zz")), dice.choice((b"a", b"A", b"\0\1", None))))
    events = [(dice.randrange(1, 400), dice.choice(("view", "View", "edit", "close")), moment(), dice.choice((None, *range(6))), dice.choice((None, "", phrase(1)))) for _ in range(1600)]
    nodes = [(i, None if i < 5 else dice.randrange(1, i), dice.choice(WORDS), dice.randrange(4)) for i in range(1, 301)]
    return {"wp_posts": posts, "wp_postmeta": postmeta, "wp_term_relationships": [(*pair, dice.randrange(3)) for pair in relations], "wp_terms": terms, "wp_options": options, "product": products, "product_varchar": names,
            "product_decimal": prices, "category_product": categories, "sales_order": orders, "tickets": tickets, "events": events, "nodes": nodes}


def wrong(value, kind, dice):
    """The value as a bad migration leaves it."""
    if kind == INT: return 1 if value is None else value + 1
    if kind == AMOUNT: return "0.01" if value is None else f"{float(value) + 0.01:.{len(value.split('.')[1])}f}"
    if kind == MOMENT: return str(datetime.datetime.fromisoformat(value) + datetime.timedelta(seconds=1))
    if kind == REAL: return 0.25 if value is None else value * 1.0001 + 0.001
    if value is None: return ""
    if value == "": return None if kind == NULLABLE else " "
    blank = value + " " if not value.endswith(" ") else value.rstrip()
    return dice.choice((value.swapcase() if value.swapcase().lower() == value.lower() and value.swapcase() != value else blank, blank, *((None,) if kind == NULLABLE else ())))


def planted(tables, share=0.02):
    dice = random.Random(SEED + 1)
    result, done = {}, {}
    for table, old in tables.items():
        columns, key, _ = TABLES[table]
        spoilt = [c for c, (_, _, kind) in enumerate(columns) if kind not in (KEEP, None)]
        new = []
        for number, row in enumerate(old):
            draw = dice.random()
            if draw >= share:
                new.append(row)
                continue
            what = dice.choice(("deleted", "added", "cell", "cell", "cell", "cell"))
            done[table, row[0]] = what
            if what == "cell":
                c = dice.choice(spoilt)
                new.append((*row[:c], wrong(row[c], columns[c][2], dice), *row[c + 1:]))
            elif what == "added": new += [row, (row[0] + 100_000, *(("x_" + str(number), *row[2:]) if table == "wp_options" else row[1:]))]
        result[table] = new
    return result, done


def statements(layout, dialect):
    """Layout "keys": as the application made them. "bare": no index but the primary key, its columns turned round, partitions, another engine.
    "collated": as "keys", but its texts sort by their bytes."""
    for table, (columns, key, keys) in TABLES.items():
        lines = [f"{name} {definition}" for name, definition, _ in columns]
        pieces, engine, fulltext = "", "InnoDB", "FULLTEXT" in keys
        if layout != "bare":
            lines += [f"PRIMARY KEY ({key})"] * (key is not None) + [keys]
        elif key is None: engine = "Aria" if dialect == "mariadb" else "MyISAM"
        else:
            turned = ", ".join(reversed(key.split(", ")))
            lines += [f"PRIMARY KEY ({turned})"] + ([keys[keys.index("FULLTEXT"):]] if fulltext else [])
            if not fulltext and table != "tickets": pieces = f" PARTITION BY HASH ({turned.split(', ')[0]}) PARTITIONS 3"
        body = ", ".join(lines)
        if dialect == "mariadb": body = body.replace("JSON", "LONGTEXT CHECK (payload IS NULL OR json_valid(payload))")
        if layout == "collated": body = body.replace("COLLATE utf8mb4_unicode_ci", "").replace("COLLATE utf8mb4_german2_ci", "")
        yield f"CREATE TABLE {table} ({body}) ENGINE={engine} DEFAULT CHARSET=utf8mb4 COLLATE={'utf8mb4_bin' if layout == 'collated' else 'utf8mb4_general_ci'}{pieces}"
    yield from VIEWS


def fill(connection, tables, layout):
    given = {table: [name for name, _, kind in TABLES[table][0] if kind is not None] for table in tables}
    filling.fill(connection, given, tables, layout, SEED)
