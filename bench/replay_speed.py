#!/usr/bin/python3
"""darktap replay --pace max, with comparison on, against a bare blocking loop (bench_bare_replay), on one server in turn.

    bench/replay_speed.py --build build/release [--sessions 16] [--seconds 10] [--rounds 5] [--workload point,ro] [--peer MYSQL_REPLAY]

--peer: a build of the wentaojin fork of zyguan/mysql-replay (Go); its `text play --speed 0`, which compares nothing, runs in turn with the others
(its `text dump` reads a tcpdump of the same traffic, beforehand and not counted). Records sysbench at a source, then replays the recording against a target with the same rows: bare, darktap, bare, darktap …
Prints each round and, as JSON, the medians and their ratios. Needs root (to tap lo), sysbench and mariadbd.
"""

import argparse
import json
import os
import pathlib
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests"))
from lab.server import Server  # noqa: E402

USER, PASSWORD, SCHEMA = "bench", "bench-lab-secret", "sbtest"
ROWS = 50_000
WORKLOADS = {"point": ["oltp_point_select"], "ro": ["oltp_read_only", "--skip-trx=on"]}


def sysbench(server, workload, verb, *options):
    subprocess.run(["sysbench", workload[0], *workload[1:], "--mysql-host=127.0.0.1", f"--mysql-port={server.port}", f"--mysql-user={USER}",
                    f"--mysql-password={PASSWORD}", f"--mysql-db={SCHEMA}", "--tables=1", f"--table-size={ROWS}", "--db-ps-mode=disable",
                    "--rand-seed=42", *options, verb], check=True, stdout=subprocess.DEVNULL)


def copy(source, target):
    """sysbench fills its rows at random: the target's are copied."""
    (table,) = {name for (name,) in source.query(f"SHOW TABLES FROM {SCHEMA}")}
    target.query(source.query(f"SHOW CREATE TABLE {SCHEMA}.{table}")[0][1], database=SCHEMA)
    rows = source.query(f"SELECT * FROM {SCHEMA}.{table}")
    connection = target.connect(database=SCHEMA)
    with connection, connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO {table} VALUES ({', '.join(['%s'] * len(rows[0]))})", rows)


def record(build, source, workload, sessions, seconds, path, pcap=None):
    dump = subprocess.Popen(["tcpdump", "-i", "lo", "-s", "0", "-B", "65536", "-w", pcap, f"port {source.port}"], stderr=subprocess.DEVNULL) if pcap else None
    tap = subprocess.Popen([build / "darktap", "capture", "-i", "lo", "--port", str(source.port), "-w", path], stderr=subprocess.DEVNULL)
    time.sleep(2)
    sysbench(source, workload, "run", f"--threads={sessions}", f"--time={seconds}")
    time.sleep(1)
    for each in filter(None, (dump, tap)):
        each.send_signal(signal.SIGINT)
        each.wait(60)
    if tap.returncode != 0:
        sys.exit("the capture failed")


def run(command, **options):
    """Wall seconds and processor seconds of a process, and what it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    wall = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done


def replay(build, recording, target, place, *options):
    """Wall seconds, processor seconds and standard error of a replay whose store is at `place`."""
    store = place / "run.db"
    store.unlink(missing_ok=True)
    wall, cpu, done = run([build / "darktap", "replay", recording, "--target", f"mysql://{USER}@127.0.0.1:{target.port}/{SCHEMA}", "--store", store, *options],
                          env={**os.environ, "DARKTAP_TARGET_PASSWORD": PASSWORD})
    if done.returncode not in (0, 1):
        sys.exit(done.stderr)
    return wall, cpu, done.stderr


def selects(server):
    return int(server.query("SHOW GLOBAL STATUS LIKE 'Com_select'")[0][1])


def play(peer, events, target):
    """Statements a second and processor microseconds of one, of another replayer, and how many of its statements the server saw."""
    before = selects(target)
    wall, cpu, done = run([peer, "text", "play", "--speed", "0", "--target-dsn", f"{USER}:{PASSWORD}@tcp(127.0.0.1:{target.port})/{SCHEMA}", events])
    if done.returncode != 0:
        sys.exit(done.stderr)
    sent = selects(target) - before
    return {"peer_qps": sent / wall, "peer_cpu_us": cpu / max(sent, 1) * 1e6, "peer_sent": sent}


def prepare(source, target):
    for server in (source, target):
        server.run([f"CREATE DATABASE {SCHEMA}", f"CREATE USER {USER}@'%' IDENTIFIED BY '{PASSWORD}'", f"GRANT ALL ON {SCHEMA}.* TO {USER}@'%'"])
    sysbench(source, ["oltp_read_only"], "prepare")
    copy(source, target)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    parser.add_argument("--sessions", type=int, default=16)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workload", default="point,ro")
    parser.add_argument("--peer", type=pathlib.Path)
    arguments = parser.parse_args()
    build = arguments.build.resolve()
    with tempfile.TemporaryDirectory(dir=build) as folder:
        place = pathlib.Path(folder)
        options = ["--max-connections=2000", "--innodb-buffer-pool-size=128M"]
        with Server(place / "source", options, cache=place) as source, Server(place / "target", options, cache=place) as target:
            prepare(source, target)
            recordings = {}
            for name in arguments.workload.split(","):
                recordings[name] = place / f"{name}.dtap"
                pcap = place / f"{name}.pcap" if arguments.peer else None
                record(build, source, WORKLOADS[name], arguments.sessions, arguments.seconds, recordings[name], pcap)
                if arguments.peer:
                    run([arguments.peer.resolve(), "text", "dump", "-o", place / f"{name}.events", pcap])
            source.stop()
            for name, recording in recordings.items():
                rounds = []
                for turn in range(arguments.rounds):
                    _, _, done = run([build / "bench_bare_replay", recording, "127.0.0.1", target.port, USER, PASSWORD, SCHEMA])
                    bare = json.loads(done.stdout)
                    wall, cpu, _ = replay(build, recording, target, place, "--pace", "max")
                    report = subprocess.run([build / "darktap", "report", place / "run.db", "--format", "json"], capture_output=True, text=True).stdout
                    ledger = json.loads(report)["ledger"]
                    row = {"queries": bare["queries"], "bare_qps": bare["queries"] / bare["seconds"], "darktap_qps": ledger["compared"] / wall,
                           "bare_cpu_us": bare["loop_cpu"] / bare["queries"] * 1e6, "bare_process_cpu_us": bare["process_cpu"] / bare["queries"] * 1e6,
                           "darktap_cpu_us": cpu / max(ledger["compared"], 1) * 1e6, "lost": bare["queries"] - ledger["compared"]}
                    if arguments.peer:
                        row.update(play(arguments.peer.resolve(), place / f"{name}.events", target))
                    rounds.append(row)
                    print(name, turn, {key: round(value, 1) for key, value in row.items()}, f"load {os.getloadavg()[0]:.1f}", file=sys.stderr)
                middle = {key: statistics.median(row[key] for row in rounds) for key in rounds[0]}
                middle["qps_ratio"] = statistics.median(row["darktap_qps"] / row["bare_qps"] for row in rounds)
                if arguments.peer:
                    middle["peer_qps_ratio"] = statistics.median(row["peer_qps"] / row["bare_qps"] for row in rounds)
                    middle["peer_cpu_ratio"] = statistics.median(row["peer_cpu_us"] / row["bare_cpu_us"] for row in rounds)
                middle["cpu_ratio"] = statistics.median(row["darktap_cpu_us"] / row["bare_cpu_us"] for row in rounds)
                print(json.dumps({"workload": name, "sessions": arguments.sessions, "rounds": arguments.rounds, **{k: round(v, 3) for k, v in middle.items()}}))


if __name__ == "__main__":
    main()
