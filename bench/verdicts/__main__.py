"""Verdicts held against the truth: the same rows in other layouts, rows planted wrong, and both, on real servers.

    python3 bench/verdicts                        MariaDB to MariaDB
    python3 bench/verdicts --source mysql57 --target mysql80 --mysql57 DIR --mysql80 DIR

Needs root (it taps lo). Prints one confusion matrix a target; docs/verdicts.md holds them. Exit 1 where a bar is missed.
"""

import argparse
import collections
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

import pymysql

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import applications  # noqa: E402
import queries  # noqa: E402
import servers  # noqa: E402
import shapes  # noqa: E402
import sundries  # noqa: E402
from binary import as_text, execute_prepared  # noqa: E402


ROOT = pathlib.Path(__file__).resolve().parents[2]
EXCUSES = {"order_undefined", "nondeterministic", "read_after_write", "data_moved", "skipped_write", "replay_artifact", "normalization"}
WRONG = {"wrong", "wrong order"}
EXPLAINED = {"order_undefined", "nondeterministic", "normalization"}

WORKLOADS = {"queries": queries, "shapes": shapes, "applications": applications, "sundries": sundries}

parser = argparse.ArgumentParser(prog="verdicts", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--darktap", default=ROOT / "build/release/darktap")
parser.add_argument("--queries", type=int, default=1600)
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--source", default="mariadb", choices=("mariadb", "mysql80", "mysql57"))
parser.add_argument("--target", default="mariadb", choices=("mariadb", "mysql80", "mysql57"))
parser.add_argument("--mysql80")
parser.add_argument("--mysql57")
parser.add_argument("--targets", default="twin,layout,planted,both", help="which targets (default these): the same; other layout; rows planted wrong; both. collated: the same rows, texts that sort by their bytes (applications; sundries: three columns)")
parser.add_argument("--workload", default="queries", choices=tuple(WORKLOADS),
                    help="queries: as applications and ORMs send them; shapes: rarer ones, and other types; applications: a weblog's, a shop's and a tracker's, over their own tables; "
                         "sundries: columns of every type and character set, parameters, several statements in a text, modes")
parser.add_argument("--switches", action="store_true", help="targets of another layout run with other optimizer switches and small buffers, too")
parser.add_argument("--aa", action="store_true", help="the targets are taken for the reference's like (replay --aa)")
parser.add_argument("--families", help="only these families")
parser.add_argument("--prepared", type=float, default=0.15, help="share of statements sent prepared, with the binary protocol")
parser.add_argument("--show", type=int, default=6, help="examples printed of each cell that misses a bar")
parser.add_argument("--keep", help="a folder for reports")
options = parser.parse_args()
workload = WORKLOADS[options.workload]
data = workload.data
SWITCHES = {"mariadb": ["--optimizer-switch=derived_merge=off,materialization=off,mrr=on,mrr_sort_keys=on,join_cache_hashed=on,semijoin=off,derived_with_keys=off", "--join-cache-level=8",
                        "--sort-buffer-size=32K", "--tmp-table-size=64K", "--max-heap-table-size=64K"],
            "mysql": ["--optimizer-switch=derived_merge=off,materialization=off,semijoin=off,batched_key_access=on,mrr=on,mrr_cost_based=off", "--sort-buffer-size=64K", "--tmp-table-size=64K"]}


def app(server, charset="utf8mb4"):
    return pymysql.connect(host=server.host, port=server.port, user=servers.APP[0], password=servers.APP[1], database="shop", charset=charset,
                           autocommit=True, conv={}, cursorclass=pymysql.cursors.Cursor, client_flag=pymysql.constants.CLIENT.MULTI_STATEMENTS)


def send(connection, sql):
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            rows = [tuple(row) for row in cursor.fetchall()]
            place = 0
            while cursor.nextset():
                place += 1
                rows += [("result", place, *row) for row in cursor.fetchall()]
            return rows
    except pymysql.Error as error:
        return ("error", error.args[0])


def answer(connection, statement):
    for sql in statement.before: send(connection, sql)
    rows = send(connection, as_text(connection, statement.sql, statement.parameters) if statement.parameters else statement.sql)
    for sql in statement.after: send(connection, sql)
    return rows


def run(*arguments):
    environment = {**os.environ, "DARKTAP_TARGET_PASSWORD": servers.DARKTAP[1], "DARKTAP_REFERENCE_PASSWORD": servers.DARKTAP[1]}
    done = subprocess.run([options.darktap, *map(str, arguments)], env=environment, capture_output=True, text=True)
    if done.returncode > 1: sys.exit(f"darktap {arguments[0]} ended with {done.returncode}: {done.stderr}")
    return done.stdout


def capture(source, statements, folder):
    recording = folder / "app.dtap"
    tap = subprocess.Popen([options.darktap, "capture", "-i", "lo", "--port", str(source.port), "-w", recording], stderr=subprocess.DEVNULL)
    time.sleep(3)
    # Statements that are plain ASCII may come in another character set; their answers then do, too.
    connections = [app(source, charset) for charset in ("utf8mb4", "utf8mb4", "latin1" if options.workload == "shapes" else "utf8mb4")]
    for statement in statements:
        connection = connections[statement.number % 3]
        prepared = (statement.number * 7919) % 1000 < options.prepared * 1000 and statement.family not in workload.OWN_WORDS and "; " not in statement.sql
        if statement.parameters: execute_prepared(connection, statement.sql, statement.parameters)
        elif prepared and not statement.before: execute_prepared(connection, statement.sql)
        else: answer(connection, statement)
    for connection in connections: connection.close()
    time.sleep(1)
    tap.send_signal(signal.SIGINT)
    tap.wait(20)
    return recording


def verdicts(recording, source, reference, target, folder, name):
    store = folder / f"{name}.store"
    started = time.monotonic()
    run("replay", recording, *(["--aa"] if options.aa else []), "--target", target.url(servers.DARKTAP[0], "shop"), "--reference", reference.url(servers.DARKTAP[0], "shop"), "--pace", "max",
        "--requery-rate", "2000", "--requery-budget", "100000", "--store", store)
    report = json.loads(run("report", store, "--format", "json"))
    (folder / f"{name}.json").write_text(json.dumps(report, indent=1))
    found, beside = {}, collections.defaultdict(list)
    for finding in report["findings"]:
        for example in finding["examples"]:
            marker = re.search(r"/\* q(\d+) (\w+) \*/", example["sql"])
            if not marker: continue
            if finding["difference"] in ("column_metadata", "warnings"): beside[finding["difference"], finding["cause"]].append(example["sql"])
            else: found[int(marker[1])] = (finding["cause"], finding["difference"], example)
    for kind, statements in sorted(beside.items()): print(f"  beside the content: {' '.join(kind)} {len(statements)}, such as {statements[0][:200]}")
    print(f"{name}: {report['ledger']['compared']} compared, questions {report['run']['questions']}, {time.monotonic() - started:.0f} s")
    return found


def matrix(name, statements, truth, found):
    cells, examples = collections.Counter(), collections.defaultdict(list)
    for statement in statements:
        number, sql = statement.number, statement.sql
        planted = truth(statement)
        if planted is None: continue
        cause = found[number][0] if number in found else "match"
        cells[planted, cause] += 1
        examples[planted, cause].append((number, sql, found.get(number)))
    causes = sorted({cause for _, cause in cells})
    print(f"\n| {name} | " + " | ".join(causes) + " |\n|---|" + "---|" * len(causes))
    for planted in sorted({planted for planted, _ in cells}):
        print(f"| {planted} | " + " | ".join(str(cells[planted, cause] or "") for cause in causes) + " |")
    bad = []
    for (planted, cause), count in sorted(cells.items()):
        wrong = (planted == "same" and cause != "match") or (planted == "order" and cause not in EXPLAINED) or (planted in WRONG and cause in EXCUSES)
        if not wrong and not (planted in WRONG and cause in ("unexamined", "match")): continue
        bad.append((planted, cause, count))
        for number, sql, one in examples[planted, cause][:options.show]:
            print(f"  {planted} -> {cause}: {sql[:330]}\n      {json.dumps(one[2]['evidence'])[:700] if one else ''}")
    return cells, bad


def main():
    homes = {"mysql80": options.mysql80, "mysql57": options.mysql57}
    folder = pathlib.Path(tempfile.mkdtemp(prefix="verdicts-", dir=options.keep))
    tables = data.rows()
    wrong, done = data.planted(tables)
    statements = list(workload.generate(options.queries, options.seed, {options.source, options.target}))
    if options.families: statements = [one for one in statements if one.family in options.families.split(",")]
    plan = {"source": (options.source, "keys", tables), "reference": (options.source, "keys", tables), "twin": (options.target, "keys", tables),
            "layout": (options.target, "bare", tables), "planted": (options.target, "keys", wrong), "both": (options.target, "bare", wrong), "collated": (options.target, "collated", tables)}
    wanted = [name for name in options.targets.split(",")]
    running = {}
    try:
        for name, (dialect, layout, content) in plan.items():
            if name in ("source", "reference", "twin", "layout") or name in wanted: running[name] = servers.make(folder / name, dialect, homes, SWITCHES["mariadb" if dialect == "mariadb" else "mysql"] if options.switches and layout == "bare" else ())
        for server in running.values(): server.start()
        for name, server in running.items():
            server.wait()
            servers.furnish(server, plan[name][0], plan[name][1], plan[name][2], schema=data)
        started = time.monotonic()
        recording = capture(running["source"], statements, folder)
        print(f"{len(statements)} statements, {len(done)} rows planted wrong; captured in {time.monotonic() - started:.0f} s")
        answers = {name: {one.number: answer(connection, one) for one in statements} for name, connection in ((name, app(server)) for name, server in running.items())}
        missed = []
        for name in wanted:
            found = verdicts(recording, running["source"], running["reference"], running[name], folder, name)

            def truth(statement):
                number = statement.number
                own = answers["source"][number]
                if statement.family in workload.OWN_WORDS: return "own words"
                clean = answers["layout" if name == "both" else "twin"][number]
                if own == answers[name][number]: return "same" if number in found else None
                if name in ("twin", "layout"): return "order"
                rows_of = lambda side: sorted(map(repr, answers[side][number]))
                # Where servers without a wrong row already answer different rows, a wrong row elsewhere may only have moved a tie.
                settled = rows_of("source") == rows_of("reference") == rows_of("twin") == rows_of("layout")
                if name == "collated" and rows_of(name) == rows_of("source"):
                    return "wrong order" if own == answers["reference"][number] == answers["twin"][number] == answers["layout"][number] else "order, or a wrong one"
                clean_servers_agree = own == answers["reference"][number] == answers["twin"][number] == answers["layout"][number]
                if rows_of(name) == sorted(map(repr, clean)): return "order, or a wrong key" if clean_servers_agree else "order"
                return "wrong" if settled else "wrong or order"
            missed += [(name, *bad) for bad in matrix(name, statements, truth, found)[1]]
        print("\nmissed:", missed or "nothing")
    finally:
        for server in running.values(): server.stop()
        if options.keep is None: shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if missed else 0)


main()
