"""The migration in small: a legacy server, its replica, and the new stack, a Spider head over two shards that follows
legacy by replication with a delay."""

import pathlib
import time

from .server import LabError, Server, plugin_folder

APP = ("app", "app-lab-secret")          # the application's account
DARKTAP = ("darktap", "tap-lab-secret")  # reads only, and what the guard rails look at
REPLICATION = ("repl", "repl-lab-secret")
SHARDS = ("spider", "spider-lab-secret")
DARKTAP_PRIVILEGES = "BINLOG MONITOR, SLAVE MONITOR, PROCESS"
CATCH_UP_SECONDS = 30


def account(name_and_password, privileges, where="*.*"):
    name, password = name_and_password
    return [f"CREATE USER IF NOT EXISTS '{name}'@'127.0.0.1' IDENTIFIED BY '{password}'",
            f"GRANT {privileges} ON {where} TO '{name}'@'127.0.0.1'"]


class Stack:
    """`tables` describes the application's schema (see samples/shop/schema.py); `delay` is in seconds.

    start() leaves every side with the schema and no rows: fill `legacy`, `reference` and `head` with run(), which writes
    no binary log, then call follow(). From there on the new stack changes only by what production does.
    """

    def __init__(self, folder, schema, tables, *, delay=1, cache=None):
        self.folder = pathlib.Path(folder).resolve()
        cache = cache or self.folder
        self.schema = schema
        self.tables = tables
        self.delay = delay
        common = {"cache": cache}
        self.legacy = Server(self.folder / "legacy", [
            "--server-id=1", "--log-bin=legacy-bin", "--binlog-format=ROW", "--binlog-row-image=FULL"], **common)
        self.reference = Server(self.folder / "reference", ["--server-id=2", "--read-only=1"], **common)
        self.head = Server(self.folder / "head", [
            "--server-id=3", f"--plugin-dir={plugin_folder(pathlib.Path(cache))}", "--plugin-maturity=gamma",
            "--plugin-load-add=ha_spider", "--spider-same-server-link=1"], **common)
        self.shards = [Server(self.folder / f"shard{n}", [f"--server-id={3 + n}"], **common) for n in (1, 2)]

    @property
    def servers(self):
        return [self.legacy, self.reference, self.head, *self.shards]

    def start(self):
        for server in self.servers:
            server.start()
        for server in self.servers:
            server.wait()
        self._accounts()
        plain = [f"CREATE DATABASE {self.schema}", f"USE {self.schema}", *(table.plain() for table in self.tables)]
        for server in (self.legacy, self.reference, *self.shards):
            server.run(plain)
        links = [f"CREATE SERVER shard{n} FOREIGN DATA WRAPPER mysql OPTIONS (HOST '{shard.host}', PORT {shard.port}, "
                 f"USER '{SHARDS[0]}', PASSWORD '{SHARDS[1]}', DATABASE '{self.schema}')"
                 for n, shard in enumerate(self.shards, 1)]
        self.head.run([*links, f"CREATE DATABASE {self.schema}", f"USE {self.schema}",
                       *(table.sharded(len(self.shards)) for table in self.tables)])
        return self

    def _accounts(self):
        reader = [*account(DARKTAP, DARKTAP_PRIVILEGES), *account(DARKTAP, "SELECT", f"{self.schema}.*")]
        self.legacy.run([*account(APP, "ALL", f"{self.schema}.*"), *account(REPLICATION, "REPLICATION SLAVE"), *reader])
        for server in (self.reference, self.head):
            server.run(reader)
        for shard in self.shards:
            shard.run(account(SHARDS, "ALL"))

    def follow(self):
        """Lets the replica and the new stack follow legacy; returns when both appliers run."""
        source = (f"MASTER_HOST='{self.legacy.host}', MASTER_PORT={self.legacy.port}, MASTER_USER='{REPLICATION[0]}', "
                  f"MASTER_PASSWORD='{REPLICATION[1]}', MASTER_CONNECT_RETRY=1, MASTER_USE_GTID=slave_pos")
        self.reference.run([f"CHANGE MASTER TO {source}", "START SLAVE"])
        self.head.run([f"CHANGE MASTER TO {source}, MASTER_DELAY={self.delay}", "START SLAVE"])
        for server in (self.reference, self.head):
            self._await(lambda s=server: self.applier(s)["Slave_IO_Running"] == "Yes", f"{server.folder.name} to follow legacy")

    def applier(self, server):
        """SHOW SLAVE STATUS as a dictionary; an applier that stopped with an error raises."""
        connection = server.connect()
        try:
            with connection.cursor() as cursor:
                cursor.execute("SHOW SLAVE STATUS")
                status = dict(zip([column[0] for column in cursor.description], cursor.fetchone()))
        finally:
            connection.close()
        error = status["Last_SQL_Error"] or status["Last_IO_Error"]
        if error:
            raise LabError(f"{server.folder.name} stopped following legacy: {error}")
        return status

    def catch_up(self):
        """Waits until the replica and the new stack have applied all that legacy has written."""
        position = self.legacy.query("SELECT @@gtid_binlog_pos")[0][0]
        for server in (self.reference, self.head):
            self._await(lambda s=server: self.applier(s) and s.query("SELECT @@gtid_slave_pos")[0][0] == position,
                        f"{server.folder.name} to reach {position or 'the start'}")

    def _await(self, reached, what):
        deadline = time.monotonic() + CATCH_UP_SECONDS
        while not reached():
            if time.monotonic() > deadline:
                raise LabError(f"waited {CATCH_UP_SECONDS} s in vain for {what}")
            time.sleep(0.05)

    def stop(self):
        for server in self.servers:
            server.terminate()
        for server in self.servers:
            server.stop()
        if self.folder.exists() and not any(self.folder.iterdir()):
            self.folder.rmdir()

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_):
        self.stop()
