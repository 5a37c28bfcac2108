"""How polite are the questions? Every read mismatches, and the reference's own general log is held against the budget.

    python3 bench/verdicts/polite.py

Needs root (it taps lo). Prints the busiest second and the busiest minute of a statement, and exits 1 where either is beyond the limit or the report
counts other questions than the log.
"""

import argparse
import collections
import datetime
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import pymysql  # noqa: E402
import servers  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
FINGERPRINTS = 3

parser = argparse.ArgumentParser(prog="polite", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--darktap", default=ROOT / "build/release/darktap")
parser.add_argument("--rate", type=int, default=50)
parser.add_argument("--budget", type=int, default=200)
parser.add_argument("--rows", type=int, default=20, help="of each of three tables; a mismatch each")
options = parser.parse_args()
ROWS = options.rows


def furnish(server, wrong):
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE shop")
        for (name, password), privileges in ((servers.APP, "ALL"), (servers.DARKTAP, "SELECT")):
            cursor.execute(f"CREATE USER '{name}'@'127.0.0.1' IDENTIFIED BY '{password}'")
            cursor.execute(f"GRANT {privileges} ON shop.* TO '{name}'@'127.0.0.1'")
        cursor.execute(f"GRANT BINLOG MONITOR, SLAVE MONITOR, PROCESS ON *.* TO '{servers.DARKTAP[0]}'@'127.0.0.1'")
        for table in range(FINGERPRINTS):
            cursor.execute(f"CREATE TABLE shop.t{table} (id INT PRIMARY KEY, name VARCHAR(20))")
            cursor.executemany(f"INSERT INTO shop.t{table} VALUES (%s, %s)", [(i, f"{'wrong' if wrong else 'right'} {i}") for i in range(ROWS)])


def busiest(times, width):
    """The most events in any span of `width` seconds."""
    most, first = 0, 0
    for last, moment in enumerate(times):
        while moment - times[first] >= width: first += 1
        most = max(most, last - first + 1)
    return most


def questions_in(log):
    """(seconds, statement) of what the log holds of our tables, comments and literals aside."""
    # A thread's moment stands on its first line of that second only.
    found, moment = [], None
    for line in log.read_text(errors="replace").splitlines():
        stamp = re.match(r"(\d{6}) +(\d+:\d\d:\d\d)\t", line)
        if stamp: moment = datetime.datetime.strptime(f"{stamp[1]} {stamp[2].zfill(8)}", "%y%m%d %H:%M:%S").timestamp()
        query = re.search(r"\tQuery\t|\d+ (?:Query|Execute)\t", line)
        table = re.search(r"FROM (t\d)\b", line)
        if query and table and moment is not None: found.append((moment, table[1]))
    return found


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="polite-"))
    names = ("source", "reference", "target")
    running = {name: servers.make(folder / name, "mariadb", {}, [f"--general-log=ON", f"--general-log-file={folder}/{name}.general"]) for name in names}
    try:
        for server in running.values(): server.start()
        for name, server in running.items():
            server.wait()
            furnish(server, name == "target")
        source, reference, target = (running[name] for name in names)
        recording = folder / "app.dtap"
        tap = subprocess.Popen([options.darktap, "capture", "-i", "lo", "--port", str(source.port), "-w", recording], stderr=subprocess.DEVNULL)
        time.sleep(3)
        connection = pymysql.connect(host=source.host, port=source.port, user=servers.APP[0], password=servers.APP[1], database="shop", autocommit=True)
        with connection, connection.cursor() as cursor:
            for row in range(ROWS):
                for table in range(FINGERPRINTS): cursor.execute(f"SELECT name FROM t{table} WHERE id = {row}")
        time.sleep(1)
        tap.send_signal(signal.SIGINT)
        tap.wait(20)
        environment = {**os.environ, "DARKTAP_TARGET_PASSWORD": servers.DARKTAP[1], "DARKTAP_REFERENCE_PASSWORD": servers.DARKTAP[1]}
        started = time.monotonic()
        subprocess.run([options.darktap, "replay", recording, "--target", target.url(servers.DARKTAP[0], "shop"), "--reference", reference.url(servers.DARKTAP[0], "shop"), "--pace", "max",
                        "--requery-rate", str(options.rate), "--requery-budget", str(options.budget), "--store", folder / "s.store"], env=environment, capture_output=True, text=True)
        report = json.loads(subprocess.run([options.darktap, "report", folder / "s.store", "--format", "json"], env=environment, capture_output=True, text=True).stdout)
        asked = report["run"]["questions"]
        logged = {name: questions_in(folder / f"{name}.general") for name in ("reference", "target")}
        # What the target was sent by the replay itself is no question.
        on_target = len(logged["target"]) - ROWS * FINGERPRINTS
        everything = sorted(moment for moment, _ in logged["reference"] + logged["target"])
        second = busiest([moment for moment, _ in logged["reference"]], 1)
        minutes = collections.Counter()
        for table in {table for _, table in logged["reference"]}:
            minutes[table] = busiest([moment for moment, where in logged["reference"] if where == table], 60)
        print(f"{ROWS * FINGERPRINTS} mismatches, {time.monotonic() - started:.0f} s, causes { {f['cause']: f['events'] for f in report['findings']} }")
        print(f"report: {asked}; logs: reference {len(logged['reference'])}, target {on_target} and {ROWS * FINGERPRINTS} replayed")
        print(f"reference: busiest second {second} of {options.rate}, busiest minute of a statement {max(minutes.values(), default=0)} of {options.budget}; both together {len(everything) / max(1, everything[-1] - everything[0]):.1f} a second")
        bad = second > options.rate + 1 or max(minutes.values(), default=0) > options.budget or asked["reference"]["n"] != len(logged["reference"]) or asked["target"]["n"] != on_target
    finally:
        for server in running.values(): server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if bad else 0)


main()
