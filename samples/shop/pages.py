"""The shop's pages as functions over a DB-API connection: what web applications really send.

A page says which causes its reads may give on a sharded stack that lags behind. Three rules keep the run's outcome
exact: lists read tables that nobody writes meanwhile; each row is written at most once a run, by its own session; and
the planted rows are never written (a ROW event carries the whole row and would heal them).
"""

import time

from .data import CATEGORIES, CITIES, CUSTOMERS, OLD_ORDERS, PRODUCTS

# Seconds after which an own write has surely reached the new stack.
SETTLED_SECONDS = 6


class Visitor:
    """One visit: a connection, dice, the ids of regulars that only this worker uses, and what was read of planted rows."""

    def __init__(self, connection, dice, regulars, seen, settled):
        self.connection = connection
        self.dice = dice
        self.regulars = regulars
        self.seen = seen          # planted row's name -> how often it was read
        self.settled = settled    # (time of the write, customer), oldest first

    def read(self, sql, *args):
        with self.connection.cursor() as cursor:
            cursor.execute(sql, args or None)
            return cursor.fetchall()

    def write(self, sql, *args):
        with self.connection.cursor() as cursor:
            cursor.execute(sql, args or None)
            return cursor.lastrowid

    def planted(self, name):
        self.seen[name] = self.seen.get(name, 0) + 1


def front(v):
    """Shelves without ORDER BY (order_undefined), featured products at random and the server's time (nondeterministic)."""
    category = v.dice.choice([name for name in CATEGORIES if name != "lamps"])
    v.read("SELECT id, name, price FROM products WHERE category = %s", category)
    v.read("SELECT id, name FROM products ORDER BY RAND() LIMIT 3")
    v.read("SELECT NOW(6) AS served_at")


def category(v):
    """One shelf's first rows, cut by LIMIT without an order (order_undefined), and its size."""
    name = v.dice.choice([name for name in CATEGORIES if name != "lamps"])
    v.read("SELECT id, name FROM products WHERE category = %s LIMIT 8", name)
    v.read("SELECT COUNT(*), MIN(price), MAX(price) FROM products WHERE category = %s", name)


def lamps(v):
    """The shelf with the planted price: another order, and one wrong cell in it (defect)."""
    v.read("SELECT id, name, price FROM products WHERE category = 'lamps' ORDER BY price DESC")
    v.planted("price of product 45")


def product(v):
    """A product by its key, with its reviews in order; now and then one of the two that are planted wrong (defect)."""
    id = v.dice.choice((45, 205, *(v.dice.randrange(1, PRODUCTS + 1) for _ in range(6))))
    v.read("SELECT id, name, category, price, weight, added FROM products WHERE id = %s /* page:product */", id)
    v.read("SELECT id, stars, author, body FROM reviews WHERE product_id = %s ORDER BY id", id)
    if id == 45:
        v.planted("price of product 45")
    if id == 205:
        v.planted("NULL for the empty review 2")


def neighbours(v):
    """Customers by city: pages by LIMIT over ties, groups and DISTINCT without ORDER BY (order_undefined)."""
    v.read("SELECT id, name, city FROM customers WHERE id <= %s ORDER BY city LIMIT 5", CUSTOMERS)
    v.read("SELECT city, COUNT(*) FROM customers GROUP BY city")
    v.read("SELECT DISTINCT city FROM customers")
    v.read("SELECT id, email FROM customers WHERE city = %s AND id <= %s ORDER BY joined, id LIMIT 10 OFFSET 10",
           v.dice.choice(CITIES), CUSTOMERS)


def tags(v):
    """A value built over rows in no promised order (order_undefined)."""
    v.read("SELECT category, GROUP_CONCAT(name) FROM products GROUP BY category")
    v.read("SELECT product_id, AVG(stars) AS average FROM reviews GROUP BY product_id HAVING COUNT(*) > 3 ORDER BY product_id")


def account(v):
    """A customer's page; now and then the one whose name is planted in another case (defect)."""
    id = v.dice.choice((131, *(v.dice.randrange(1, CUSTOMERS + 1) for _ in range(3))))
    v.read("SELECT name, email, city FROM customers WHERE id = %s", id)
    if id == 131:
        v.planted("case of customer 131's name")


def history(v):
    """A customer's old orders with their lines; now and then the customer who lost one (defect)."""
    id = v.dice.choice((378, *(v.dice.randrange(1, OLD_ORDERS - CUSTOMERS) for _ in range(3))))
    orders = v.read("SELECT id, status, total, placed FROM orders WHERE customer_id = %s ORDER BY placed DESC LIMIT 10", id)
    if id == 378:
        v.planted("order 377 missing")
    for order in orders[:2]:
        v.read("SELECT i.line, p.name, i.quantity, i.price FROM order_items i JOIN products p ON p.id = i.product_id "
               "WHERE i.order_id = %s AND i.customer_id = %s ORDER BY i.line", order[0], id)


def checkout(v):
    """An order placed in a transaction and read back at once (read_after_write)."""
    customer = next(v.regulars)
    basket = v.dice.sample(range(1, PRODUCTS + 1), 2)
    v.connection.begin()
    v.read("SELECT points FROM customers WHERE id = %s FOR UPDATE", customer)
    order = v.write("INSERT INTO orders (customer_id, status, total, placed) VALUES (%s, 'new', %s, NOW(6))",
                    customer, f"{v.dice.uniform(5, 300):.2f}")
    for line, id in enumerate(basket, 1):
        v.write("INSERT INTO order_items VALUES (%s, %s, %s, %s, %s, %s)", order, customer, line, id, 1, "9.90")
    v.connection.commit()
    v.read("SELECT id, status, total, placed FROM orders WHERE id = %s AND customer_id = %s", order, customer)
    v.read("SELECT line, product_id, quantity FROM order_items WHERE order_id = %s AND customer_id = %s ORDER BY line",
           order, customer)
    v.settled.append((time.monotonic(), customer))


def loyalty(v):
    """A row updated and read back by its key (read_after_write)."""
    customer = next(v.regulars)
    v.write("UPDATE customers SET points = points + %s WHERE id = %s", v.dice.randrange(10, 90), customer)
    v.connection.commit()
    v.read("SELECT id, points FROM customers WHERE id = %s", customer)


def later(v):
    """An order that was placed a while ago, read again: by now the new stack has it (a match)."""
    if v.settled and time.monotonic() - v.settled[0][0] > SETTLED_SECONDS:
        v.read("SELECT id, status, total FROM orders WHERE customer_id = %s ORDER BY id", v.settled.pop(0)[1])


def raffle(v):
    """Draws that no two servers can agree on (nondeterministic), beside columns that they must agree on."""
    v.read("SELECT RAND() AS draw")
    v.read("SELECT id, name, RAND() AS luck FROM products WHERE id IN (3, 5, 9) ORDER BY id")


def mistakes(v):
    """What goes wrong every day: a duplicate key, an unknown table, an unknown column, a slip of the keyboard."""
    for sql in ("INSERT INTO products VALUES (7, 'Twice', 'books', 1.00, NULL, '2024-05-05')",
                "SELECT * FROM no_such_table", "SELECT no_such_column FROM products", "SELEC 1"):
        try:
            v.read(sql)
        except Exception as error:  # each driver has its own classes; both give (code, text)
            if not isinstance(error.args[0], int) or not 1000 < error.args[0] < 2000:
                raise
    v.connection.rollback()


def monitor(v):
    """What pools and frameworks send by themselves."""
    v.connection.ping()
    v.read("SELECT 1")
    v.read("SHOW TABLES")


# How often a page is opened: page -> weight.
WEIGHTS = {front: 4, category: 3, lamps: 1, product: 6, neighbours: 3, tags: 2, account: 4, history: 4, checkout: 4,
           loyalty: 3, later: 3, raffle: 2, mistakes: 1, monitor: 1}
