"""Visitors at the shop: two workers on PyMySQL, one on MySQLdb (the C client library), one on prepared statements."""

import json
import os
import random
import subprocess
import threading
import time

import MySQLdb
import pymysql

from .data import CUSTOMERS, REGULARS
from .pages import WEIGHTS, Visitor

PAGES_A_VISIT = 6
THINKING_SECONDS = (0.03, 0.17)  # between two pages, drawn evenly


def pymysql_connection(place, password):
    return pymysql.connect(host=place["host"], port=place["port"], user=place["user"], password=password, database="shop",
                           charset="utf8mb4", autocommit=True)


def mysqldb_connection(place, password):
    """As it comes: autocommit off, which is what an application gets that asks for nothing."""
    connection = MySQLdb.connect(host=place["host"], port=place["port"], user=place["user"], passwd=password, db="shop",
                                 charset="utf8mb4")
    connection.begin = lambda: None  # with autocommit off a transaction is always open
    return connection


WORKERS = (("PyMySQL", pymysql_connection), ("PyMySQL", pymysql_connection), ("MySQLdb", mysqldb_connection))


class Worker(threading.Thread):
    def __init__(self, number, connect, seed, pages):
        super().__init__(name=f"visitor {number}", daemon=True)
        share = REGULARS // len(WORKERS)
        first = CUSTOMERS + 1 + number * share
        self.connect = connect
        self.dice = random.Random(f"{seed}/{number}")
        self.regulars = iter(range(first, first + share))
        self.pages = pages
        self.seen = {}
        self.error = None

    def run(self):
        try:
            self.visit_pages()
        except Exception as error:  # reported by Workload.run, in the caller's thread
            self.error = error

    def visit_pages(self):
        kinds, weights = list(WEIGHTS), list(WEIGHTS.values())
        # Every page at least once a run, the rest by weight.
        program = (kinds + self.dice.choices(kinds, weights, k=max(0, self.pages - len(kinds))))[:self.pages]
        self.dice.shuffle(program)
        settled = []
        for first in range(0, len(program), PAGES_A_VISIT):
            connection = self.connect()
            try:
                for page in program[first:first + PAGES_A_VISIT]:
                    page(Visitor(connection, self.dice, self.regulars, self.seen, settled))
                    connection.commit()
                    time.sleep(self.dice.uniform(*THINKING_SECONDS))
            finally:
                connection.close()


def run(host, port, user, password, *, seed=1, pages=100, prepared_client=None):
    """Runs all visitors to the end. Gives {planted row's name: how often it was read}."""
    place = {"host": host, "port": port, "user": user}
    workers = [Worker(number, lambda c=connect: c(place, password), seed, pages)
               for number, (_, connect) in enumerate(WORKERS)]
    prepared = None
    if prepared_client:
        prepared = subprocess.Popen([prepared_client, host, str(port), user, "shop", str(pages), str(seed)],
                                    env={**os.environ, "SHOP_PASSWORD": password}, stdout=subprocess.PIPE, text=True)
    seen = {}
    try:
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
            if worker.error:
                raise worker.error
            add(seen, worker.seen)
        if prepared:
            output, _ = prepared.communicate(timeout=120)
            if prepared.returncode != 0:
                raise RuntimeError(f"{prepared_client} ended with status {prepared.returncode}")
            add(seen, json.loads(output)["planted"])
    finally:
        if prepared and prepared.poll() is None:
            prepared.kill()
            prepared.wait()
    return seen


def add(total, more):
    for name, count in more.items():
        total[name] = total.get(name, 0) + count
