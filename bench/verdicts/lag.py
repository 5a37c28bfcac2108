"""A lagging replica as the target: reads behind their writes, rows that stay wrong, and nothing else.

    python3 bench/verdicts/lag.py [--reads 1500]

Source and reference are MariaDB; the target applies the source's log in jumps (its applier sleeps and wakes). Every read is
asked of the source alone, then laid beside what the target answers at once. Needs root (it taps lo). Exit 1 where a bar is missed.
"""

import argparse
import collections
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import data  # noqa: E402
import servers  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--darktap", default=ROOT / "build/release/darktap")
parser.add_argument("--reads", type=int, default=1500)
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--gtids", action="store_true", help="the source tells GTIDs in its OK packets (session_track_system_variables=last_gtid)")
parser.add_argument("--keep", help="a folder for the report")
options = parser.parse_args()
STUCK = range(100, 130)  # rows of the target that are wrong for good


def follow(replica, source):
    replica.run([f"CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT={source.port}, MASTER_USER='repl', MASTER_PASSWORD='repl-bench', "
                 "MASTER_CONNECT_RETRY=1, MASTER_USE_GTID=slave_pos", "SET GLOBAL gtid_slave_pos=''", "START SLAVE"])


def app(server):
    import pymysql
    return pymysql.connect(host=server.host, port=server.port, user=servers.APP[0], password=servers.APP[1], database="shop", charset="utf8mb4", autocommit=True)


def traffic(source, dice):
    """Writers that read their own writes, readers of others' writes, and readers of what nobody writes. Yields each read's marker."""
    writer, reader = app(source).cursor(), app(source).cursor()
    for number in range(options.reads):
        kind = dice.choice(("own", "own", "other", "calm", "stuck", "list", "count"))
        row = dice.randrange(200, 400)
        mark = f"/* r{number} {kind} */ "
        cursor = writer
        if kind in ("own", "other", "list", "count"):
            writer.execute(f"UPDATE people SET score = {dice.randrange(1, 40)}, name = 'w{number}' WHERE id = {row}")
            time.sleep(dice.choice((0, 0.001, 0.01, 0.05, 0.2)))
        if kind == "other": cursor = reader
        if kind in ("own", "other"): cursor.execute(mark + f"SELECT id, name, score FROM people WHERE id = {row}")
        elif kind == "list": cursor.execute(mark + f"SELECT id, name FROM people WHERE id BETWEEN {row - 5} AND {row + 5} ORDER BY id")
        elif kind == "count": cursor.execute(mark + f"SELECT COUNT(*) FROM people WHERE name = 'w{number}'")
        elif kind == "calm": cursor.execute(mark + f"SELECT id, name, score FROM people WHERE id = {dice.randrange(1000, 2000)}")
        else: cursor.execute(mark + f"SELECT id, name, score FROM people WHERE id = {dice.choice(STUCK)}")
        cursor.fetchall()
        time.sleep(dice.uniform(0, 0.02))


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="lag-", dir=options.keep))
    tables = {"people": data.rows()["people"], "orders": [], "posts": []}
    track = ["--session-track-system-variables=last_gtid"] if options.gtids else []
    source = servers.make(folder / "source", "mariadb", {}, ["--server-id=1", "--log-bin=source-bin", "--binlog-format=ROW", *track])
    reference = servers.make(folder / "reference", "mariadb", {}, ["--server-id=2"])
    target = servers.make(folder / "target", "mariadb", {}, ["--server-id=3"])
    tap = None
    try:
        for server in (source, reference, target): server.start()
        for server in (source, reference, target):
            server.wait()
            servers.furnish(server, "mariadb", "keys", tables)
        source.run(["CREATE USER 'repl'@'127.0.0.1' IDENTIFIED BY 'repl-bench'", "GRANT REPLICATION SLAVE ON *.* TO 'repl'@'127.0.0.1'"])
        target.run([f"UPDATE people SET name = 'stuck', score = 0 WHERE id IN ({', '.join(map(str, STUCK))})"], database="shop")
        for replica in (reference, target): follow(replica, source)
        store = folder / "lag.store"
        environment = {**os.environ, "DARKTAP_TARGET_PASSWORD": servers.DARKTAP[1], "DARKTAP_REFERENCE_PASSWORD": servers.DARKTAP[1]}
        with open(folder / "shadow.log", "wb") as log:
            tap = subprocess.Popen([options.darktap, "shadow", "-i", "lo", "--port", str(source.port), "--target", target.url(servers.DARKTAP[0], "shop"),
                                    "--reference", reference.url(servers.DARKTAP[0], "shop"), "--requery-rate", "2000", "--requery-budget", "100000",
                                    "--store", store, "--listen", f"127.0.0.1:{servers.free_port()}"], env=environment, stdout=log, stderr=log)
        time.sleep(3)
        over = threading.Event()

        def jumps():
            dice = random.Random(options.seed)
            while not over.is_set():
                target.run(["STOP SLAVE SQL_THREAD"])
                over.wait(dice.choice((0.1, 0.3, 0.7, 1.2)))
                target.run(["START SLAVE SQL_THREAD"])
                over.wait(dice.choice((0.2, 0.5)))
            target.run(["START SLAVE SQL_THREAD"])

        jumper = threading.Thread(target=jumps)
        jumper.start()
        traffic(source, random.Random(options.seed))
        over.set()
        jumper.join()
        time.sleep(7)
        tap.send_signal(signal.SIGINT)
        tap.wait(20)
        report = json.loads(subprocess.run([options.darktap, "report", store, "--format", "json"], capture_output=True, text=True).stdout)
        (folder / "lag.json").write_text(json.dumps(report, indent=1))
        cells, examples = collections.Counter(), {}
        for finding in report["findings"]:
            for example in finding["examples"]:
                marker = re.search(r"/\* r(\d+) (\w+) \*/", example["sql"])
                if not marker: continue
                examples[marker[2], finding["cause"]] = example
            kinds = {re.search(r"/\* r\d+ (\w+) \*/", e["sql"])[1] for e in finding["examples"]}
            stuck = "stuck or calm" if kinds <= {"stuck", "calm"} else "read back: " + "/".join(sorted(kinds))
            cells[stuck, finding["cause"]] += finding["events"]
        print(f"{report['ledger']['compared']} compared, questions {report['run']['questions']}")
        for (kind, cause), count in sorted(cells.items()): print(f"| {kind} | {cause} | {count} |")
        for (kind, cause), example in sorted(examples.items()):
            if (kind in ("stuck", "calm")) != (cause == "defect"): print(kind, cause, example["sql"], json.dumps(example["evidence"])[:900])
        one = examples.get(("own", "read_after_write"))
        if one: print("example:", one["sql"], json.dumps(one["evidence"])[:1200])
    finally:
        if tap and tap.poll() is None: tap.kill()
        for server in (source, reference, target): server.stop()
        if options.keep is None: shutil.rmtree(folder, ignore_errors=True)


main()
