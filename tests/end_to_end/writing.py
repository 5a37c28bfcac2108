"""What the tests of replayed writes share: a source's state put aside and restored, markers, checksums, a recorded workload."""

import subprocess
import time

from lab.stack import account
from live import tapping
from workplace import darktap

USER = ("tester", "tester-lab-secret")
PASSWORDS = {"target": USER[1], "reference": USER[1], "source": USER[1]}
MARKER = "darktap_sandbox.marker"


def tables(server, schema):
    return [name for (name,) in server.query("SELECT table_name FROM information_schema.tables WHERE table_schema = %s ORDER BY 1", (schema,))]


def checksums(server, schema):
    return {name: server.query(f"CHECKSUM TABLE {schema}.{name}")[0][1] for name in tables(server, schema)}


def dump(server, schema):
    """Table -> (its CREATE statement, its rows)."""
    return {name: (server.query(f"SHOW CREATE TABLE {schema}.{name}")[0][1], server.query(f"SELECT * FROM {schema}.{name}"))
            for name in tables(server, schema)}


def restore(server, schema, dumped):
    server.run([f"DROP DATABASE IF EXISTS {schema}", f"CREATE DATABASE {schema}", f"USE {schema}", *(create for create, _ in dumped.values())])
    connection = server.connect(database=schema)
    try:
        with connection.cursor() as cursor:
            for name, (_, rows) in dumped.items():
                places = ", ".join(["%s"] * len(rows[0])) if rows else ""
                for first in range(0, len(rows), 500):
                    cursor.executemany(f"INSERT INTO {name} VALUES ({places})", rows[first:first + 500])
    finally:
        connection.close()


def open_to_all(*servers):
    for server in servers:
        server.run(account(USER, "ALL"))


def mark(server, disposable=1, target=None, schema="darktap_sandbox"):
    server.run([f"CREATE DATABASE IF NOT EXISTS {schema}",
                f"CREATE TABLE IF NOT EXISTS {schema}.marker (target VARCHAR(255) NOT NULL, disposable TINYINT NOT NULL DEFAULT 0)",
                f"INSERT INTO {schema}.marker VALUES ('{target or f'127.0.0.1:{server.port}'}', {disposable})"])


def record(place, source, work, name="work.dtap"):
    """A recording of what `work()` sends to the source."""
    recording = place / name
    with tapping("capture", "-i", "lo", "--port", source.port, "-w", recording, log=place / "capture.log") as tap:
        work()
        time.sleep(0.3)
        status, _ = tap.interrupt()
        assert status == 0, tap.said()
    return recording


def sysbench(server, schema, step, threads=4, events=200, size=500, script="oltp_read_write"):
    subprocess.run(["sysbench", script, f"--mysql-host={server.host}", f"--mysql-port={server.port}", f"--mysql-user={USER[0]}",
                    f"--mysql-password={USER[1]}", f"--mysql-db={schema}", f"--threads={threads}", "--tables=2", f"--table-size={size}",
                    f"--events={events}", "--time=0", "--mysql-ignore-errors=1213,1020,1205", step],
                   check=True, stdout=subprocess.DEVNULL)


def replay(recording, target, store, *options, schema="", run="both", sandbox="disposable", order="commit", pace="max"):
    return darktap("replay", recording, "--target", target.url(USER[0], schema), "--store", store, "--pace", pace, "--run", run,
                   "--sandbox", sandbox, "--order", order, *options, passwords=PASSWORDS)
