#!/usr/bin/env python3
"""Processor time of a live tap on lo, against `tcpdump -w` on the same traffic, and what it does to the server.

    bench/tap_cpu.py [--darktap build/release/darktap] [--rounds 5] [--events 4000] [--workload oltp_read_write] [--ps disable]

Starts a MariaDB of its own below a temporary folder. In each round the same number of sysbench transactions runs, flat out,
untapped (twice: the noise), under tcpdump and under darktap, in turn. Printed are medians: the tap's processor seconds, the
server's processor time a query, the kernel's drops; and for every darktap run whether the recording's commands equal the
server's own Com_* counters. Needs root (or the right to capture), mariadbd, sysbench and tcpdump.
"""

import argparse
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HZ = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    def __init__(self, folder):
        self.folder, self.port = folder, free_port()
        data = folder / "data"
        subprocess.run(["mariadb-install-db", "--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db", "--force", f"--datadir={data}",
                        "--user=root"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.process = subprocess.Popen(["mariadbd", "--no-defaults", f"--datadir={data}", f"--tmpdir={folder}", f"--socket={folder}/s", "--bind-address=127.0.0.1",
                                         f"--port={self.port}", "--user=root", "--innodb-flush-log-at-trx-commit=0", "--skip-log-bin"],
                                        stdout=subprocess.DEVNULL, stderr=open(folder / "server.log", "wb"))
        for _ in range(600):
            if self.sql("SELECT 1", quiet=True) is not None:
                break
            time.sleep(0.1)
        self.sql("CREATE DATABASE sbtest; CREATE USER sb@'127.0.0.1' IDENTIFIED BY 'sb'; GRANT ALL ON sbtest.* TO sb@'127.0.0.1'")

    def sql(self, text, quiet=False):
        done = subprocess.run(["mariadb", "--no-defaults", f"--socket={self.folder}/s", "-uroot", "-N", "-B", "-e", text], capture_output=True, text=True)
        if done.returncode != 0 and not quiet:
            raise RuntimeError(done.stderr)
        return done.stdout if done.returncode == 0 else None

    def commands(self):
        """The counters of what clients sent; those of our own status query come over the socket and are taken off."""
        rows = [line.split("\t") for line in self.sql("SHOW GLOBAL STATUS WHERE Variable_name LIKE 'Com\\_%' OR Variable_name IN ('Questions')").splitlines()]
        return {name: int(value) for name, value in rows}

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / HZ

    def stop(self):
        self.process.terminate()
        self.process.wait()


def sysbench(server, options, command):
    done = subprocess.run(["sysbench", options.workload, "--mysql-host=127.0.0.1", f"--mysql-port={server.port}", "--mysql-user=sb", "--mysql-password=sb",
                           "--mysql-db=sbtest", "--tables=1", "--table-size=10000", f"--threads={options.threads}", f"--events={options.events}", "--time=0",
                           f"--db-ps-mode={options.ps}", command], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stdout + done.stderr)
    found = re.search(r"total:\s+(\d+)", done.stdout)
    return int(found.group(1)) if found else 0


class Tapped:
    """A program that taps; gives its processor seconds once it has ended."""

    def __init__(self, arguments):
        self.before = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        time.sleep(1)

    def end(self):
        time.sleep(0.3)
        self.process.send_signal(signal.SIGINT)
        said = self.process.stderr.read()
        _, status, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = status
        return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, said


def ledger(options, server, recording, before, after):
    summary = json.loads(subprocess.run([options.darktap, "inspect", recording, "--format", "summary"], check=True, capture_output=True, text=True).stdout)
    lines = subprocess.run([options.darktap, "inspect", recording, "--format", "jsonl"], check=True, capture_output=True, text=True).stdout.splitlines()
    words = {}
    for line in lines:
        exchange = json.loads(line)
        if exchange["command"] in ("COM_QUERY", "COM_STMT_EXECUTE") and exchange["sql"]:
            word = exchange["sql"].split(None, 1)[0].lower()
            words[word] = words.get(word, 0) + 1
    differences = []
    for word, counter in (("select", "Com_select"), ("update", "Com_update"), ("insert", "Com_insert"), ("delete", "Com_delete"), ("begin", "Com_begin"), ("commit", "Com_commit")):
        server_count = after[counter] - before[counter]
        if words.get(word, 0) != server_count:
            differences.append(f"{word}: {words.get(word, 0)} of {server_count}")
    return summary, differences


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--darktap", default="build/release/darktap")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--events", type=int, default=4000)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--workload", default="oltp_read_write")
    parser.add_argument("--ps", default="disable", choices=("disable", "auto"))
    parser.add_argument("--extra", default="", help="further options of darktap capture")
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="darktap-bench-"))
    server = Server(folder)
    figures = {kind: {"cpu": [], "server": [], "rss": []} for kind in ("untapped", "again", "tcpdump", "darktap")}
    drops, wrong, sizes = [], [], {}
    try:
        sysbench(server, options, "prepare")
        sysbench(server, options, "run")  # warm
        for number in range(options.rounds):
            for kind in ("untapped", "tcpdump", "darktap", "again"):
                output = folder / f"{kind}.out"
                output.unlink(missing_ok=True)
                tap = None
                if kind == "tcpdump":
                    tap = Tapped(["tcpdump", "-i", "lo", "-s", "262144", "-B", "65536", "-w", str(output), "tcp", "port", str(server.port)])
                elif kind == "darktap":
                    tap = Tapped([options.darktap, "capture", "-i", "lo", "--port", str(server.port), "-w", str(output), *options.extra.split()])
                before, cpu = server.commands(), server.cpu_seconds()
                queries = sysbench(server, options, "run")
                after = server.commands()
                figures[kind]["server"].append((server.cpu_seconds() - cpu) / queries * 1e6)
                if tap:
                    used, rss, said = tap.end()
                    figures[kind]["cpu"].append(used)
                    figures[kind]["rss"].append(rss)
                    sizes[kind] = output.stat().st_size
                if kind == "tcpdump":
                    drops.append((kind, re.search(r"(\d+) packets dropped by kernel", said).group(1)))
                elif kind == "darktap":
                    summary, differences = ledger(options, server, output, before, after)
                    drops.append((kind, f"{summary['kernel_drops']}"))
                    wrong.append(differences)
                    if summary["kernel_drops"] or summary["lost_bytes"] or summary["ledger"]["unobserved"]:
                        print(f"round {number}: {summary['kernel_drops']} drops, {summary['lost_bytes']} bytes lost, {summary['ledger']}", file=sys.stderr)
        print(f"{options.workload}, {options.events} transactions, {queries} queries, {options.threads} threads, median of {options.rounds}; load {os.getloadavg()[0]:.1f}")
        for kind in ("tcpdump", "darktap"):
            values = figures[kind]["cpu"]
            print(f"  {kind:8} {statistics.median(values):6.2f} CPU s ({min(values):.2f}–{max(values):.2f}), {statistics.median(values) / queries * 1e6:5.2f} µs a query, "
                  f"{statistics.median(figures[kind]['rss']):.0f} MiB, wrote {sizes[kind] / 1e6:.1f} MB; kernel drops {' '.join(count for name, count in drops if name == kind)}")
        ratios = [ours / theirs for ours, theirs in zip(figures["darktap"]["cpu"], figures["tcpdump"]["cpu"])]
        print(f"  ratio    {statistics.median(ratios):6.2f} ({min(ratios):.2f}–{max(ratios):.2f}), the bar is 1.5")
        for kind in ("untapped", "again", "tcpdump", "darktap"):
            values = figures[kind]["server"]
            print(f"  server, {kind:8} {statistics.median(values):6.2f} µs CPU a query ({min(values):.2f}–{max(values):.2f})")
        print(f"  ledger against Com_*: {'equal in every run' if not any(wrong) else wrong}")
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
