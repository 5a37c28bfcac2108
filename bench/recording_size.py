#!/usr/bin/env python3
"""How small recordings are, and what writing and reading them costs, against `zstd -3` of the same capture in the same run.

    bench/recording_size.py DARKTAP CAPTURE.pcap…

A line a capture: sizes and their ratios; MB of the capture a processor second (user and system, median of RUNS) for writing
the recording, reading it and zstd; the greatest resident memory of writer and reader.
"""

import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

RUNS = 5


def measured(command, **options):
    """Processor seconds and MiB of memory that a command took."""
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, **options)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{' '.join(map(str, command))}: ended with status {os.waitstatus_to_exitcode(status)}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    darktap, captures = sys.argv[1], [pathlib.Path(name) for name in sys.argv[2:]]
    print(f"{'capture':<18}{'pcap MB':>9}{'zstd MB':>9}{'dtap MB':>9}{'/ zstd':>8}{'/ pcap':>8}{'write MB/s':>12}{'read MB/s':>11}{'zstd MB/s':>11}{'RSS w/r MiB':>14}")
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder)
        for capture in captures:
            writing, reading, packing = [], [], []
            for _ in range(RUNS):  # interleaved, so that a busy moment hits all three
                writing.append(measured([darktap, "capture", "-r", capture, "-w", place / "x.dtap"]))
                reading.append(measured([darktap, "inspect", place / "x.dtap", "--format", "summary"], stdout=subprocess.DEVNULL))
                packing.append(measured(["zstd", "-q", "-3", "-f", capture, "-o", place / "x.zst"]))
            megabytes = capture.stat().st_size / 1e6
            zstd, dtap = ((place / name).stat().st_size / 1e6 for name in ("x.zst", "x.dtap"))

            def speed(runs):
                return megabytes / statistics.median(seconds for seconds, _ in runs)

            memory = "/".join(f"{max(mebibytes for _, mebibytes in runs):.0f}" for runs in (writing, reading))
            print(f"{capture.stem:<18}{megabytes:9.1f}{zstd:9.2f}{dtap:9.2f}{dtap / zstd:8.3f}{dtap / megabytes:8.4f}"
                  f"{speed(writing):12.0f}{speed(reading):11.0f}{speed(packing):11.0f}{memory:>14}")


if __name__ == "__main__":
    main()
