#!/usr/bin/python3
"""Memory of darktap replay with many captured sessions open at once, and how late commands are at a given rate.

    bench/many_sessions.py --build build/release [--sessions 9000] [--rate 0]

Opens the sessions at a source while tapping it, lets each ask one small question a round (at --rate questions a second in all, or as
fast as it goes), and replays the recording as recorded on a second server. Prints, as JSON, the process's resident memory with no session
and with all of them open, and the lateness. Needs root (to tap lo), mariadbd with pool-of-threads, and descriptors (ulimit -n) for twice
the sessions.
"""

import argparse
import json
import os
import pathlib
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests"))
from lab.server import Server, free_port  # noqa: E402
import pymysql  # noqa: E402

USER, PASSWORD, SCHEMA = "bench", "bench-lab-secret", "sbtest"


def visit(port, count, rounds, gap, ready, go):
    """`count` sessions, all open before any asks; each asks once a round."""
    options = {"host": "127.0.0.1", "port": port, "user": USER, "password": PASSWORD, "database": SCHEMA, "autocommit": None}
    connections = [pymysql.connect(**options) for _ in range(count)]
    ready.release()
    go.wait()
    start = time.monotonic()
    asked = 0
    for _ in range(rounds):
        for number, connection in enumerate(connections):
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT v FROM t WHERE id = {number % 100}")
            asked += 1
            if gap:
                time.sleep(max(0, start + asked * gap - time.monotonic()))
    for connection in connections:
        connection.close()


def memory_kib(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    parser.add_argument("--sessions", type=int, default=9000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--rate", type=float, default=0)
    arguments = parser.parse_args()
    build = arguments.build.resolve()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory(dir=build) as folder:
        place = pathlib.Path(folder)
        options = [f"--max-connections={arguments.sessions + 100}", "--thread-handling=pool-of-threads", "--thread-pool-size=4", "--back-log=4096",
                   f"--open-files-limit={hard}", "--table-open-cache=2000"]
        with Server(place / "source", options, cache=place) as source, Server(place / "target", options, cache=place) as target:
            for server in (source, target):
                server.run([f"CREATE DATABASE {SCHEMA}", f"CREATE USER {USER}@'%' IDENTIFIED BY '{PASSWORD}'", f"GRANT ALL ON {SCHEMA}.* TO {USER}@'%'",
                            f"CREATE TABLE {SCHEMA}.t (id INT PRIMARY KEY, v VARCHAR(40))",
                            f"INSERT INTO {SCHEMA}.t SELECT seq, CONCAT('value ', seq) FROM {SCHEMA}.seq_0_to_99"])
            recording = place / "many.dtap"
            tap = subprocess.Popen([build / "darktap", "capture", "-i", "lo", "--port", str(source.port), "-w", recording], stderr=subprocess.DEVNULL)
            time.sleep(2)
            workers = 8
            ready, go = threading.Semaphore(0), threading.Event()
            gap = workers / arguments.rate if arguments.rate else 0
            threads = [threading.Thread(target=visit, args=(source.port, arguments.sessions // workers, arguments.rounds, gap, ready, go)) for _ in range(workers)]
            for thread in threads:
                thread.start()
            for _ in threads:
                ready.acquire()
            go.set()
            for thread in threads:
                thread.join()
            time.sleep(1)
            tap.send_signal(signal.SIGINT)
            tap.wait(60)
            source.stop()
            port = free_port()
            run = subprocess.Popen([build / "darktap", "replay", recording, "--target", f"mysql://{USER}@127.0.0.1:{target.port}/{SCHEMA}", "--store", place / "s.db",
                                    "--metrics", f"127.0.0.1:{port}"], env={**os.environ, "DARKTAP_TARGET_PASSWORD": PASSWORD}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            least, most, connections, late = 0, 0, 0, {}
            while run.poll() is None:
                time.sleep(0.2)
                try:
                    memory = memory_kib(run.pid)
                    text = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=2).read().decode()
                except (OSError, StopIteration):
                    continue
                values = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
                open_now = max((float(v) for k, v in values.items() if k.startswith("darktap_connections{")), default=0)
                least = least or memory
                if open_now >= connections:
                    connections, most = open_now, max(most, memory)
                late = {k.split('quantile="')[1].split('"')[0]: float(v) for k, v in values.items() if "quantile" in k} or late
            report = json.loads(subprocess.run([build / "darktap", "report", place / "s.db", "--format", "json"], capture_output=True, text=True).stdout)
            print(json.dumps({"sessions": arguments.sessions, "connections": connections, "rss_at_start_kib": least, "rss_with_all_kib": most,
                              "kib_a_session": round((most - least) / max(connections, 1), 1), "late_s": late, "ledger": report["ledger"],
                              "load": os.getloadavg()[0]}))


if __name__ == "__main__":
    main()
