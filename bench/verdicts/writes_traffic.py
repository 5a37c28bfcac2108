"""Writes and reads of a small bank, as several connections send them, and rows to plant wrong."""

import random
import threading
import time

import pymysql

ACCOUNTS, ORDERS = 160, 320
CITIES = ("Oslo", "Rome", "Lyon", "Bern", "Kiel", "Graz")
STATES = ("open", "paid", "sent")
HOT = 4  # each so many-th row is written to, the others never

SHOP_PLANTS = {
    "products": (("name", "UPPER(name)"), ("price", "price + 1"), ("name", "CONCAT(name, ' ')")),
    "customers": (("name", "UPPER(name)"), ("city", "'wrong'"), ("name", "CONCAT(name, ' ')")),
    "orders": (("status", "UPPER(status)"), ("total", "total + 1")),
}


def schema(seed):
    dice = random.Random(f"{seed}/data")
    yield ("CREATE TABLE account (id INT PRIMARY KEY, owner VARCHAR(40) NOT NULL, city VARCHAR(20), status VARCHAR(10) NOT NULL, balance DECIMAL(10,2) NOT NULL, "
           "hits INT NOT NULL, note VARCHAR(60), KEY (city)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4")
    yield ("CREATE TABLE orders (id INT PRIMARY KEY AUTO_INCREMENT, account_id INT NOT NULL, amount DECIMAL(10,2) NOT NULL, state VARCHAR(10) NOT NULL, "
           "KEY (account_id)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4")
    rows = [f"({id}, 'owner {id}', '{dice.choice(CITIES)}', '{dice.choice(STATES)}', {dice.randrange(10000) / 100}, 0, 'note {id}')" for id in range(1, ACCOUNTS + 1)]
    yield f"INSERT INTO account VALUES {', '.join(rows)}"
    rows = [f"({id}, {dice.randrange(1, ACCOUNTS + 1)}, {dice.randrange(5000) / 100}, '{dice.choice(STATES)}')" for id in range(1, ORDERS + 1)]
    yield f"INSERT INTO orders VALUES {', '.join(rows)}"


def planted(seed):
    """Of each kind some in rows that are written to, and some in others."""
    dice = random.Random(f"{seed}/planted")
    hot, cold = [id for id in range(1, ACCOUNTS + 1) if id % HOT == 0], [id for id in range(1, ACCOUNTS + 1) if id % HOT]
    changes = ("owner = CONCAT('wrong ', id)", "city = UPPER(city)", "note = CONCAT(note, ' ')", "balance = balance + 1", "status = UPPER(status)", "hits = hits + 7", None)
    for n, id in enumerate(dice.sample(hot, 14) + dice.sample(cold, 28)):
        change = changes[n % len(changes)]
        yield f"UPDATE account SET {change} WHERE id = {id}" if change else f"DELETE FROM account WHERE id = {id}"
    for id in (1001, 1002, 1003): yield f"INSERT INTO account VALUES ({id}, 'extra', '{dice.choice(CITIES)}', 'open', 99.5, 0, 'note {id}')"
    for n, id in enumerate(dice.sample(range(1, ORDERS + 1), 24)):
        yield [f"UPDATE orders SET amount = amount + 1 WHERE id = {id}", f"UPDATE orders SET state = UPPER(state) WHERE id = {id}", f"DELETE FROM orders WHERE id = {id}"][n % 3]


class Customer(threading.Thread):
    def __init__(self, server, database, number, steps, seed):
        super().__init__(daemon=True)
        self.dice, self.steps, self.error = random.Random(f"{seed}/{number}"), steps, None
        self.number = number
        self.connection = pymysql.connect(host=server.host, port=server.port, user="tester", password="tester-lab-secret", database=database, autocommit=True)
        self.cursor = self.connection.cursor()
        if number % 3 == 2: self.cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")

    def hot(self): return self.dice.randrange(1, ACCOUNTS // HOT + 1) * HOT
    def any(self): return self.dice.randrange(1, ACCOUNTS + 1)

    def read(self):
        dice, ask = self.dice, self.cursor.execute
        low = dice.randrange(1, ACCOUNTS - 20)
        kind = dice.randrange(14)
        if kind == 0: ask("SELECT id, owner, city, status, balance, hits, note FROM account WHERE id = %s", (self.any(),))
        if kind == 1: ask("SELECT owner, note FROM account WHERE id = %s", (self.any(),))
        if kind == 2: ask("SELECT id, owner, status FROM account WHERE id BETWEEN %s AND %s", (low, low + 20))
        if kind == 3: ask("SELECT owner, note FROM account WHERE id BETWEEN %s AND %s", (low, low + 20))
        if kind == 4: ask("SELECT SUM(hits), SUM(balance), COUNT(*) FROM account WHERE id BETWEEN %s AND %s", (low, low + 20))
        if kind == 5: ask("SELECT id, balance FROM account WHERE city = %s ORDER BY balance DESC, id LIMIT 5", (dice.choice(CITIES),))
        if kind == 6: ask("SELECT city, COUNT(*), SUM(balance) FROM account GROUP BY city ORDER BY city")
        if kind == 7: ask("SELECT a.owner, o.id, o.amount, o.state FROM account a JOIN orders o ON o.account_id = a.id WHERE a.id = %s ORDER BY o.id", (self.any(),))
        if kind == 8: ask("SELECT DISTINCT status FROM account WHERE id BETWEEN %s AND %s ORDER BY status", (low, low + 20))
        if kind == 9: ask("SELECT id, state FROM orders WHERE account_id = %s", (self.any(),))
        if kind == 10: ask("SELECT id, owner FROM account WHERE status = %s ORDER BY id LIMIT 10", (dice.choice(STATES),))
        if kind == 11: ask("SELECT COUNT(*) FROM orders WHERE account_id IN (%s, %s, %s)", (self.any(), self.any(), self.any()))
        if kind == 12: ask("SELECT id, status, hits FROM account WHERE id IN (%s, %s, %s)", (self.hot(), self.any(), self.any()))
        if kind == 13: ask("SELECT city FROM account WHERE id = %s", (self.any(),))
        self.cursor.fetchall()

    def write(self):
        dice, ask = self.dice, self.cursor.execute
        kind = dice.randrange(7)
        if kind == 0: ask("UPDATE account SET hits = hits + 1 WHERE id = %s", (self.hot(),))
        if kind == 1: ask("UPDATE account SET status = %s WHERE id = %s", (dice.choice(STATES), self.hot()))
        if kind == 2: ask("UPDATE account SET balance = %s WHERE id = %s", (dice.randrange(10000) / 100, self.hot()))
        if kind == 3: ask("INSERT INTO orders (account_id, amount, state) VALUES (%s, %s, 'open')", (self.any(), dice.randrange(5000) / 100))
        if kind == 4: ask("DELETE FROM orders WHERE id = %s", (self.dice.randrange(1, ORDERS // HOT) * HOT,))
        if kind == 5: ask("UPDATE orders SET state = %s WHERE id = %s", (dice.choice(STATES), self.dice.randrange(1, ORDERS // HOT) * HOT + 1))
        if kind == 6: ask("UPDATE account SET owner = %s, note = %s WHERE id = %s", (f"owner {dice.randrange(1000)}", f"note {dice.randrange(1000)}", self.hot()))

    def step(self):
        if self.dice.random() < 0.35:
            self.connection.begin()
            for _ in range(self.dice.randrange(2, 6)): (self.read if self.dice.random() < 0.6 else self.write)()
            self.connection.commit() if self.dice.random() < 0.9 else self.connection.rollback()
        else:
            for _ in range(4): (self.read if self.dice.random() < 0.75 else self.write)()

    def run(self):
        try:
            for _ in range(self.steps):
                try: self.step()
                except pymysql.err.OperationalError as error:
                    if error.args[0] not in (1205, 1213, 1020): raise
                    self.connection.rollback()
                time.sleep(self.dice.random() * 0.01)
            self.connection.close()
        except Exception as error:  # told in the caller's thread
            self.error = error


def run(server, database, threads, steps, seed):
    customers = [Customer(server, database, number, steps, seed) for number in range(threads)]
    for customer in customers: customer.start()
    for customer in customers: customer.join()
    for customer in customers:
        if customer.error: raise customer.error
