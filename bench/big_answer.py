#!/usr/bin/python3
"""An answer of ten million rows, recorded and compared: the memory that it takes.

    bench/big_answer.py --build build/release [--rows 10000000]

Two MariaDB servers answer SELECT … FROM seq_1_to_N; `darktap replay` compares them. Prints the replay's peak memory beside the
same for one row. Needs root (to tap lo) and mariadbd.
"""

import argparse
import json
import pathlib
import resource
import signal
import subprocess
import sys
import tempfile
import time

import pymysql

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests"))
from lab.server import Server  # noqa: E402

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--build", type=pathlib.Path, default="build/release")
parser.add_argument("--rows", type=int, default=10_000_000)
options = parser.parse_args()
USER, PASSWORD = "bench", "bench-lab-secret"


def account(server):
    server.run(["CREATE DATABASE big", f"CREATE USER '{USER}'@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'", f"GRANT SELECT ON *.* TO '{USER}'@'127.0.0.1'"])


def record(server, rows, kept, path):
    tap = subprocess.Popen([options.build / "darktap", "capture", "-i", "lo", "--port", str(server.port), "--rows", kept, "-w", path], stderr=subprocess.DEVNULL)
    time.sleep(2)
    connection = pymysql.connect(host="127.0.0.1", port=server.port, user=USER, password=PASSWORD, database="big", cursorclass=pymysql.cursors.SSCursor)
    with connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT seq, CONCAT('row ', seq) FROM seq_1_to_{rows}")
        for _ in cursor:
            pass
    time.sleep(1)
    tap.send_signal(signal.SIGINT)
    if tap.wait(120) != 0:
        sys.exit("the capture failed")


def replay(recording, target, store):
    environment = {"DARKTAP_TARGET_PASSWORD": PASSWORD}
    program = ("import resource, subprocess, sys; done = subprocess.run(sys.argv[1:]); "
               "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(done.returncode)")
    done = subprocess.run([sys.executable, "-c", program, options.build / "darktap", "replay", recording, "--target", f"mysql://{USER}@127.0.0.1:{target.port}/big",
                           "--store", store, "--pace", "max", "--statement-timeout", "300s"], env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    report = json.loads(subprocess.run([options.build / "darktap", "report", store, "--format", "json"], capture_output=True, text=True).stdout)
    return int(done.stdout.split()[-1]) / 1024, report


with tempfile.TemporaryDirectory() as folder:
    place = pathlib.Path(folder)
    with Server(place / "source", cache=place) as source, Server(place / "target", cache=place) as target:
        for server in (source, target):
            account(server)
        for rows, kept in ((1, "full"), (options.rows, "full"), (options.rows, "digest")):
            name = f"{rows}-{kept}"
            record(source, rows, kept, place / f"{name}.dtap")
            seen = json.loads(subprocess.run([options.build / "darktap", "inspect", place / f"{name}.dtap", "--format", "summary"], capture_output=True, text=True).stdout)
            if seen["rows"] < rows:
                sys.exit(f"only {seen['rows']} rows were recorded")
            size = (place / f"{name}.dtap").stat().st_size / 2**20
            peak, report = replay(place / f"{name}.dtap", target, place / f"{name}.db")
            print(f"{rows:>10} rows, --rows {kept}: recording {size:.1f} MiB, replay {peak:.1f} MiB at most, {report['ledger']['compared']} compared, {len(report['findings'])} findings")
