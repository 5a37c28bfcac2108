"""Rows planted wrong at the target of a run that replays writes: is any of them excused, and does anything differ without them?

    python3 bench/verdicts/writes.py [--workload mixed,sysbench,shop] [--threads 8] [--order commit,session] [--sandbox disposable,rollback]
                                     [--reference none,source,copy] [--pace max,recorded] [--seed 1] [--mysql80 DIR]

What a workload does to a source is recorded; the target and, where asked for, the reference are restored to what the source held before, rows of the
target are changed (a value, its case, a blank behind it, a row missing, a row too many: some that the recording writes to, some that it doesn't), and
the recording is replayed with its writes; once more without planted rows. Prints a matrix of the causes, and every excuse beside planted rows with its
evidence. Needs root (it taps lo). Exit 1 where the planted run holds more excuses than the clean one.
"""

import argparse
import collections
import json
import os
import pathlib
import random
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve()
sys.path[:0] = [str(HERE.parent), *(str(HERE.parents[2] / folder) for folder in ("tests", "tests/end_to_end", "samples"))]
from lab import Server  # noqa: E402
from workplace import darktap  # noqa: E402
from writing import PASSWORDS, USER, dump, mark, open_to_all, record, restore, sysbench  # noqa: E402
import writes_traffic  # noqa: E402
from shop import data as shop_data, workload as shop_workload  # noqa: E402
from shop.schema import SCHEMA as SHOP, TABLES as SHOP_TABLES  # noqa: E402

EXCUSES = {"order_undefined", "nondeterministic", "read_after_write", "data_moved", "skipped_write", "replay_artifact", "normalization"}

parser = argparse.ArgumentParser(prog="writes", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--workload", default="mixed,sysbench,shop")
parser.add_argument("--threads", type=int, default=8)
parser.add_argument("--steps", type=int, default=40, help="of each thread of the mixed workload")
parser.add_argument("--order", default="commit")
parser.add_argument("--sandbox", default="disposable")
parser.add_argument("--reference", default="none,source,copy")
parser.add_argument("--pace", default="max")
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--follows", default="auto", help="--target-follows")
parser.add_argument("--budget", default="2000,100000", help="--requery-rate and --requery-budget; 'default' for the program's own")
parser.add_argument("--mysql80", help="a folder with bin/mysqld: the servers are MySQL 8")
parser.add_argument("--keep", help="a folder for reports and stores")
parser.add_argument("--show", type=int, default=3, help="excuses shown of each finding")
options = parser.parse_args()


def server_kind():
    if not options.mysql80: return Server
    os.environ["DARKTAP_MYSQLD"] = str(pathlib.Path(options.mysql80) / "bin/mysqld")
    from test_writes import MySQL
    return MySQL


class Mixed:
    schema = "bank"

    def fill(self, server): server.run([f"CREATE DATABASE {self.schema}", f"USE {self.schema}", *writes_traffic.schema(options.seed)])
    def work(self, server): writes_traffic.run(server, self.schema, options.threads, options.steps, options.seed)
    def plant(self, server): server.run([f"USE {self.schema}", *writes_traffic.planted(options.seed)])


class Sysbench:
    schema = "sb"

    def fill(self, server):
        server.run(["CREATE DATABASE sb"])
        sysbench(server, "sb", "prepare", size=300)

    def work(self, server): sysbench(server, "sb", "run", threads=options.threads, events=options.threads * 20, size=300)

    def plant(self, server):
        dice = random.Random(options.seed)
        statements = []
        for table in ("sbtest1", "sbtest2"):
            ids = dice.sample(range(1, 301), 25)
            for n, id in enumerate(ids):
                statements.append([f"UPDATE {table} SET c = CONCAT('wrong', SUBSTRING(c, 6)) WHERE id = {id}", f"UPDATE {table} SET k = k + 1000 WHERE id = {id}",
                                   f"DELETE FROM {table} WHERE id = {id}", f"UPDATE {table} SET c = CONCAT(c, ' ') WHERE id = {id}",
                                   f"UPDATE {table} SET pad = 'wrong' WHERE id = {id}"][n % 5])
        server.run(["USE sb", *statements])


class Shop:
    schema = SHOP

    def fill(self, server):
        server.run([f"CREATE DATABASE {SHOP}", f"USE {SHOP}", *(table.plain() for table in SHOP_TABLES)])
        shop_data.fill(server, SHOP)

    def work(self, server): shop_workload.run(server.host, server.port, *USER, pages=60)

    def plant(self, server):
        dice = random.Random(options.seed)
        changes = []
        for table, columns in writes_traffic.SHOP_PLANTS.items():
            ids = [id for (id,) in server.query(f"SELECT id FROM {SHOP}.{table} ORDER BY id")]
            for n, id in enumerate(dice.sample(ids, min(len(ids), 6))):
                column, value = columns[n % len(columns)]
                changes.append(f"UPDATE {table} SET {column} = {value} WHERE id = {id}")
        server.run([f"USE {SHOP}", *changes])


def replay_once(recording, target, reference, store, schema, order, sandbox, pace):
    extra = [] if options.budget == "default" else [part for pair in zip(("--requery-rate", "--requery-budget"), options.budget.split(",")) for part in pair]
    if reference: extra += ["--reference", reference.url(USER[0], schema)]
    done = darktap("replay", recording, "--target", target.url(USER[0], schema), "--store", store, "--pace", pace, "--run", "both", "--sandbox", sandbox,
                   "--order", order, "--target-follows", options.follows, *extra, passwords=PASSWORDS, timeout=900)
    if done.status not in (0, 1): print(done.err, file=sys.stderr)
    report = darktap("report", store, "--format", "json").json()
    return report, done.err


def counted(report):
    causes = collections.Counter()
    for finding in report["findings"]:
        if "rand()" in finding["normalized"]: continue  # drawn anew wherever it is asked
        causes[finding["cause"]] += finding["events"]
    return causes


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="writes-", dir=options.keep))
    kind, excused = server_kind(), 0
    servers = [kind(folder / name, ()) for name in ("source", "target", "copy")]
    try:
        for server in servers: server.start()
        for server in servers: server.wait()
        source, target, copy = servers
        open_to_all(*servers)
        mark(target)
        for name in options.workload.split(","):
            workload = {"mixed": Mixed, "sysbench": Sysbench, "shop": Shop}[name]()
            workload.fill(source)
            before = dump(source, workload.schema)
            recording = record(folder, source, lambda: workload.work(source), f"{name}.dtap")
            restore(copy, workload.schema, before)
            for order in options.order.split(","):
                for sandbox in options.sandbox.split(","):
                    for pace in options.pace.split(","):
                        for asked in options.reference.split(","):
                            excuses = {}
                            for planted in (False, True):
                                restore(target, workload.schema, before)
                                if planted: workload.plant(target)
                                label = f"{name}-{order}-{sandbox}-{pace}-{asked}-{'planted' if planted else 'clean'}"
                                report, said = replay_once(recording, target, {"none": None, "source": source, "copy": copy}[asked], folder / f"{label}.db",
                                                           workload.schema, order, sandbox, pace)
                                (folder / f"{label}.json").write_text(json.dumps(report, indent=1))
                                causes = counted(report)
                                excuses[planted] = {cause: n for cause, n in causes.items() if cause in EXCUSES}
                                print(f"{label}: compared {report['ledger']['compared']}, {dict(sorted(causes.items()))}", flush=True)
                                for line in said.splitlines():
                                    if "order" in line or "commit" in line: print("    ", line)
                                for finding in report["findings"]:
                                    if finding["cause"] not in EXCUSES or "rand()" in finding["normalized"]: continue
                                    if not planted and options.show < 5: continue
                                    for example in finding["examples"][:options.show]:
                                        evidence = {k: v for k, v in example["evidence"].items() if k not in ("ladder", "explain", "session_strip")}
                                        print("    ", finding["difference"], finding["cause"], finding["level"], finding["events"], "session", example["session"], "seq", example["seq"], example["sql"][:150], example["params"])
                                        print("         ", json.dumps(evidence)[:1400])
                            more = sum(excuses[True].values()) - sum(excuses[False].values())
                            excused += max(0, more)
        print("excuses beside planted rows that the clean run doesn't have:", excused)
        return 1 if excused else 0
    finally:
        for server in servers: server.stop()


sys.exit(main())
