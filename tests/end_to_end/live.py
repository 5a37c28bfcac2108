"""A darktap that taps lo in the background, and an application to be tapped."""

import contextlib
import signal
import subprocess
import time

import pymysql

from workplace import DARKTAP, environment, until

END_SECONDS = 10  # the contract: by then it has ended after SIGINT


class Tap:
    def __init__(self, *arguments, passwords=None, log):
        self.log = log
        with open(log, "wb") as file:
            self.process = subprocess.Popen([DARKTAP, *map(str, arguments)], env=environment(passwords), stdin=subprocess.DEVNULL,
                                            stdout=file, stderr=subprocess.STDOUT)
        until(lambda: self.taps() or self.process.poll() is not None, "it taps, or ends")

    def taps(self):
        return any(word in self.said() for word in ("darktap: capturing on", ": shadowing "))

    def said(self):
        return self.log.read_text(errors="replace")

    def interrupt(self, how=signal.SIGINT):
        """Gives the exit status and the seconds that the end took."""
        start = time.monotonic()
        self.process.send_signal(how)
        try:
            return self.process.wait(END_SECONDS + 20), time.monotonic() - start
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@contextlib.contextmanager
def tapping(*arguments, **options):
    tap = Tap(*arguments, **options)
    try:
        yield tap
    finally:
        tap.kill()


def visit(server, user, password, pages, pause=0.0):
    """A visitor who only reads, with answers that any server with the same rows must give in the same order."""
    connection = pymysql.connect(host=server.host, port=server.port, user=user, password=password, database="shop",
                                 charset="utf8mb4", autocommit=True)
    try:
        with connection.cursor() as cursor:
            for page in range(pages):
                id = 40 + page % 10
                cursor.execute("SELECT id, name, price, weight, added FROM products WHERE id = %s", (id,))
                cursor.execute("SELECT id, name FROM customers WHERE city = 'Oslo' AND id < %s ORDER BY id", (20 * id,))
                cursor.execute("SELECT COUNT(*), SUM(total) FROM orders WHERE customer_id = %s", (id,))
                time.sleep(pause)
    finally:
        connection.close()
