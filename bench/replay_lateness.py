#!/usr/bin/python3
"""How late darktap replay sends what is due, at the recorded pace of a steady load.

    bench/replay_lateness.py --build build/release [--rate 5000] [--sessions 16] [--seconds 10] [--rounds 4]

Records sysbench's point selects at that rate on a source, and replays them at a target with the same rows. Prints each round and, as
JSON, the 99th percentiles that the run's last progress line told. Needs root (to tap lo), sysbench and mariadbd.
"""

import argparse
import json
import os
import pathlib
import re
import sys
import tempfile

from replay_speed import WORKLOADS, Server, prepare, record, replay


def lateness(build, recording, target, place):
    _, _, said = replay(build, recording, target, place)
    told = re.findall(r"([\d,]+)/[\d,]+ done.*?\(recorded: ([\d,]+)\), late p99 ([\d.]+) ms", said)
    if not told:
        sys.exit(said)
    exchanges, rate, late = (float(word.replace(",", "")) for word in told[-1])
    return {"exchanges": int(exchanges), "recorded_qps": int(rate), "late_p99_ms": late, "load": round(os.getloadavg()[0], 1)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    parser.add_argument("--rate", type=int, default=5000)
    parser.add_argument("--sessions", type=int, default=16)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=4)
    arguments = parser.parse_args()
    build = arguments.build.resolve()
    with tempfile.TemporaryDirectory(dir=build) as folder:
        place = pathlib.Path(folder)
        with Server(place / "source", cache=place) as source, Server(place / "target", cache=place) as target:
            prepare(source, target)
            recording = place / "steady.dtap"
            record(build, source, [*WORKLOADS["point"], f"--rate={arguments.rate}"], arguments.sessions, arguments.seconds, recording)
            source.stop()
            rounds = [lateness(build, recording, target, place) for _ in range(arguments.rounds)]
    for one in rounds:
        print(one, file=sys.stderr)
    print(json.dumps({"sessions": arguments.sessions, "recorded_qps": rounds[0]["recorded_qps"], "late_p99_ms": [one["late_p99_ms"] for one in rounds]}))


if __name__ == "__main__":
    main()
