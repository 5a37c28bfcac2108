"""The shop's rows before the run, from one generator with a fixed seed, and the rows planted wrong on the new stack."""

import datetime
import json
import pathlib
import random

SEED = 20080815
PRODUCTS = 240
CUSTOMERS = 900          # browse and have old orders; nobody writes their rows
REGULARS = 400           # place orders during the run: the ids behind CUSTOMERS
OLD_ORDERS = 1500
REVIEWS = 500
CATEGORIES = ("books", "chairs", "desks", "garden", "kitchen", "lamps", "posters", "rugs", "tea", "toys")
CITIES = ("Aarhus", "Bergen", "Cork", "Dresden", "Espoo", "Faro", "Ghent", "Lima", "Oslo", "Porto", "Rome", "Zagreb")
FIRST_NAMES = ("Ada", "Björn", "Carla", "Deniz", "Edda", "Farid", "Grete", "Hugo", "Ines", "João", "Kaya", "Lars")
LAST_NAMES = ("Almeida", "Berg", "Costa", "Duarte", "Eriksen", "Fischer", "Grünwald", "Horvat", "Ito", "Jansen")
FINISHED = ("shipped", "paid", "returned")

PLANTED = json.loads((pathlib.Path(__file__).parent / "planted.json").read_text())


def rows():
    """Table name -> rows, in the order of the schema's columns; the same on every call."""
    dice = random.Random(SEED)
    start = datetime.datetime(2024, 1, 1)
    prices = {id: round(dice.uniform(2, 400), 2) for id in range(1, PRODUCTS + 1)}
    products = [(id, f"{dice.choice(('Plain', 'Fine', 'Blue', 'Old', 'Tiny'))} {CATEGORIES[id % 10].rstrip('s')} {id}",
                 CATEGORIES[id % 10], prices[id], round(dice.uniform(0.05, 40), 3) if id % 7 else None,
                 (start + datetime.timedelta(days=dice.randrange(600))).date()) for id in prices]
    customers = []
    for id in range(1, CUSTOMERS + REGULARS + 1):
        name = f"{dice.choice(FIRST_NAMES)} {dice.choice(LAST_NAMES)}"
        customers.append((id, name, f"c{id}@example.com", CITIES[id % 12], dice.randrange(500),
                          start + datetime.timedelta(minutes=dice.randrange(800_000))))
    orders, items = [], []
    for id in range(1, OLD_ORDERS + 1):
        customer = id % CUSTOMERS + 1
        lines = [(id, customer, line, product, dice.randrange(1, 4), prices[product])
                 for line, product in enumerate(dice.sample(range(1, PRODUCTS + 1), dice.randrange(1, 4)), 1)]
        items += lines
        orders.append((id, customer, FINISHED[id % 3], round(sum(line[4] * line[5] for line in lines), 2),
                       start + datetime.timedelta(minutes=30 * id, microseconds=dice.randrange(1_000_000))))
    reviews = [(id, dice.randrange(1, PRODUCTS + 1), dice.randrange(1, 6), dice.choice(FIRST_NAMES),
                dice.choice(("Does what it says.", "Arrived late.", "Lovely 🌿", "", "Would buy again; “solid”.")))
               for id in range(1, REVIEWS + 1)]
    return {"products": products, "customers": customers, "orders": orders, "order_items": items, "reviews": reviews}


def fill(server, schema):
    """Loads the rows as root, past the binary log: replication must not carry them."""
    connection = server.connect(database=schema)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION sql_log_bin = 0")
            for table, values in rows().items():
                places = ", ".join(["%s"] * len(values[0]))
                for first in range(0, len(values), 500):
                    cursor.executemany(f"INSERT INTO {table} VALUES ({places})", values[first:first + 500])
    finally:
        connection.close()


def plant(server, schema):
    """Makes the planted rows wrong, and looks that each is (Spider does not tell how many rows a statement changed)."""
    for wrong in PLANTED:
        before = server.query(wrong["look"], database=schema)
        server.query(wrong["sql"], database=schema)
        if len(before) != 1 or server.query(wrong["look"], database=schema) == before:
            raise ValueError(f"planting {wrong['name']!r} changed nothing: {wrong['sql']}")


def fill_stack(stack):
    """Fills a lab.Stack that has just started: the same rows everywhere, the planted ones wrong on the new stack, and
    from then on the replica and the new stack follow legacy."""
    for server in (stack.legacy, stack.reference, stack.head):
        fill(server, stack.schema)
    plant(stack.head, stack.schema)
    stack.follow()
