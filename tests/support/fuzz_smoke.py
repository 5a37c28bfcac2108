"""Runs one fuzz target for some seconds: fuzz_smoke.py NAME SECONDS. Seeds: fuzz/seeds/NAME, and the shared captures where
the target reads packets. Skips where the targets were not built (./test builds them with clang)."""

import os
import pathlib
import struct
import subprocess
import sys

SOURCE = pathlib.Path(os.environ["DARKTAP_SOURCE"])
FUZZ = SOURCE / "build" / "fuzz"
LINKS = {1: 0, 101: 1, 12: 1, 0: 2, 113: 3, 276: 4}
MOST_BYTES = 60_000


def packets_of(pcap):
    """A capture in the input format of fuzz/packets.cpp; nothing where it is another kind of file."""
    if len(pcap) < 24 or pcap[:4] != b"\xd4\xc3\xb2\xa1":
        return b""
    link = struct.unpack_from("<I", pcap, 20)[0] & 0xffff
    if link not in LINKS:
        return b""
    out, offset = bytes([LINKS[link]]), 24
    while offset + 16 <= len(pcap) and len(out) < MOST_BYTES:
        length = struct.unpack_from("<I", pcap, offset + 8)[0]
        packet = pcap[offset + 16:offset + 16 + length][:65535]
        out += struct.pack("<HB", len(packet), 1) + packet
        offset += 16 + length
    return out


def main(name, seconds):
    program = FUZZ / f"fuzz_{name}"
    if not program.exists():
        print(f"SKIPPED: {program.relative_to(SOURCE)} was not built (cmake --preset fuzz && cmake --build --preset fuzz)")
        return 0
    grown = FUZZ / "corpus" / name
    grown.mkdir(parents=True, exist_ok=True)
    seeds = [str(folder) for folder in [SOURCE / "fuzz" / "seeds" / name] if folder.is_dir()]
    if name == "packets":
        for path in (pathlib.Path(os.environ["DARKTAP_CORPUS"]) / "captures").rglob("*.pcap"):
            (grown / f"seed-{path.stem}").write_bytes(packets_of(path.read_bytes()))
    done = subprocess.run([program, f"-max_total_time={seconds}", "-rss_limit_mb=2048", "-timeout=20", "-print_final_stats=1",
                           "-verbosity=0", f"-artifact_prefix={FUZZ}/crash-{name}-", str(grown), *seeds])
    if done.returncode != 0:
        print(f"the input that did it lies in {FUZZ}; once mended, keep it in fuzz/seeds/{name}")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
