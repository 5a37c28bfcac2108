"""The servers of a run: MariaDB by the lab's Server, MySQL from a folder with bin/mysqld (--mysql80, --mysql57)."""

import os
import pathlib
import shutil
import subprocess
import sys
import time

import pymysql

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests"))
from lab.server import Server, as_root, end_with_parent, free_port  # noqa: E402

import data  # noqa: E402

APP = ("app", "app-bench-secret")
DARKTAP = ("darktap", "tap-bench-secret")


class MySQL:
    """As much of lab.Server as is needed here."""

    def __init__(self, folder, home, options=()):
        self.folder, self.home, self.options = pathlib.Path(folder), pathlib.Path(home), list(options)
        self.host, self.port, self.process = "127.0.0.1", free_port(), None

    def start(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        template = self.folder.parent / f"template-{self.home.name}"
        common = [self.home / "bin/mysqld", "--no-defaults", f"--basedir={self.home}", *as_root(), "--innodb-log-file-size=8M", "--innodb-buffer-pool-size=48M"]
        if not template.exists():
            subprocess.run([*common, "--initialize-insecure", f"--datadir={template}"], check=True, capture_output=True)
        subprocess.run(["cp", "-r", template, self.folder], check=True)
        (self.folder / "auto.cnf").unlink(missing_ok=True)  # each server has a uuid of its own
        with open(self.folder / "server.log", "wb") as log:
            self.process = subprocess.Popen(
                [*common, f"--datadir={self.folder}", f"--port={self.port}", "--bind-address=127.0.0.1", f"--socket={self.folder}/s.sock", "--performance-schema=OFF",
                 "--character-set-server=utf8mb4", "--collation-server=utf8mb4_general_ci", "--skip-ssl", "--default-authentication-plugin=mysql_native_password",
                 "--innodb-flush-log-at-trx-commit=0", "--sql-mode=NO_ENGINE_SUBSTITUTION", f"--pid-file={self.folder}/server.pid", "--explicit-defaults-for-timestamp=1", *self.options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=end_with_parent)
        return self

    def wait(self):
        deadline = time.monotonic() + 60
        while True:
            try:
                self.connect().close()
                return self
            except (pymysql.Error, OSError):
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise RuntimeError((self.folder / "server.log").read_text()[-2000:])
                time.sleep(0.1)

    def connect(self, **options):
        return pymysql.connect(unix_socket=f"{self.folder}/s.sock", user="root", charset="utf8mb4", autocommit=True, **options)

    def url(self, user, schema=""):
        return f"mysql://{user}@{self.host}:{self.port}/{schema}"

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)


def make(folder, dialect, homes, options=()):
    if dialect == "mariadb":
        return Server(folder, ["--sql-mode=NO_ENGINE_SUBSTITUTION", *options], cache=folder.parent)
    return MySQL(folder, homes[dialect], options)


def furnish(server, dialect, layout, tables, binlog=False, schema=data):
    connection = server.connect()
    with connection.cursor() as cursor:
        if not binlog: cursor.execute("SET SESSION sql_log_bin = 0")
        cursor.execute("CREATE DATABASE shop")
        cursor.execute("USE shop")
        cursor.execute("SET SESSION sql_mode=''")
        for (name, password), privileges in ((APP, "ALL"), (DARKTAP, "SELECT, SHOW VIEW")):
            cursor.execute(f"CREATE USER '{name}'@'127.0.0.1' IDENTIFIED BY '{password}'")
            cursor.execute(f"GRANT {privileges} ON shop.* TO '{name}'@'127.0.0.1'")
        also = "BINLOG MONITOR, SLAVE MONITOR, PROCESS" if dialect == "mariadb" else "REPLICATION CLIENT, PROCESS"
        cursor.execute(f"GRANT {also} ON *.* TO '{DARKTAP[0]}'@'127.0.0.1'")
        for statement in schema.statements(layout, dialect): cursor.execute(statement)
    schema.fill(connection, tables, layout)
    connection.close()
