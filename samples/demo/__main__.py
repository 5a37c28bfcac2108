"""The demo's journey, once everything is built: lab up, darktap taps, the shop opens, and what was found. See ./demo."""

import argparse
import json
import os
import pathlib
import pty
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "samples")]

from demo import check, screen  # noqa: E402
from demo.legacy_count import LegacyCount  # noqa: E402
from lab import LabError, Stack, end_with_parent, free_port  # noqa: E402
from lab.stack import APP, DARKTAP  # noqa: E402
from shop import data, workload  # noqa: E402
from shop.schema import SCHEMA, TABLES  # noqa: E402

BUILD = ROOT / "build" / "release"
FOLDER = ROOT / "build" / "demo"
READY_SECONDS = 10  # by then shadow taps and serves
END_SECONDS = 15    # by then it has ended, with what it was asking finished
PAGES = 150         # a visitor; about 17 s


class DemoError(Exception):
    """The demo can't go on; the text says why and what helps."""


def say(text):
    print(f"── {text} ──", flush=True)


class Darktap:
    """A darktap process. What it says goes to our stderr (its progress as on a terminal where ours is one), and is searched
    for the page's address. What it prints at its end is dropped: the demo shows a screen of its own."""

    def __init__(self, arguments, environment=(), *, prints="at its end"):
        self.address = None
        if sys.stderr.isatty():
            self._said, theirs = pty.openpty()
        else:
            self._said, theirs = os.pipe()
        self.process = subprocess.Popen([BUILD / "darktap", *arguments], env={**os.environ, **dict(environment)},
                                        stdin=subprocess.DEVNULL, stderr=theirs, preexec_fn=end_with_parent,
                                        stdout=subprocess.DEVNULL if prints == "at its end" else theirs)
        os.close(theirs)
        self._shown = threading.Thread(target=self._show, daemon=True)
        self._shown.start()

    def _show(self):
        heard = ""
        while True:
            try:
                piece = os.read(self._said, 4096)
            except OSError:  # how a pseudo-terminal says that nobody is left on the other end
                piece = b""
            if not piece:
                return
            text = piece.decode(errors="replace")
            sys.stderr.write(text)
            sys.stderr.flush()
            heard = (heard + text)[-8192:]
            address = re.search(r"(http://127\.0\.0\.1:\d+/\S*)\s", heard)
            if address:
                self.address = address[1]

    def wait_for_address(self, seconds):
        """The page's address; by then it taps, too. None where it ended or says nothing for so long."""
        deadline = time.monotonic() + seconds
        while self.address is None and self.process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        return self.address

    def interrupt(self):
        """Ends it as Ctrl-C would; gives its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            status = self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        self._shown.join(2)
        return status


def need_tap_permission():
    if os.geteuid() == 0:
        return
    granted = subprocess.run(["/sbin/getcap", BUILD / "darktap"], capture_output=True, text=True)
    if "cap_net_raw" not in granted.stdout:
        raise DemoError("tapping lo needs the right to capture packets: run 'sudo ./demo', or grant it once with\n"
                        f"  sudo setcap cap_net_raw+ep {BUILD / 'darktap'}")


def shadow(stack):
    store = FOLDER / "demo.db"
    return Darktap(
        ["shadow", "-i", "lo", "--port", str(stack.legacy.port), "--target", stack.head.url(DARKTAP[0], SCHEMA),
         "--reference", stack.reference.url(DARKTAP[0], SCHEMA), "--store", str(store),
         "--listen", f"127.0.0.1:{free_port()}",
         # These servers serve nobody else, and each order read back climbs a ladder of re-reads: more than the polite default.
         "--requery-rate", "300", "--requery-budget", "2000"],
        {"DARKTAP_TARGET_PASSWORD": DARKTAP[1], "DARKTAP_REFERENCE_PASSWORD": DARKTAP[1]}), store


def run_shop(stack):
    """Taps, opens the shop, closes it, ends the tap. Gives the store, the page's address, and legacy's own count."""
    tap, store = shadow(stack)
    try:
        address = tap.wait_for_address(READY_SECONDS)
        if address is None:
            raise DemoError(f"darktap shadow did not get ready: status {tap.process.poll()}")
        count = LegacyCount(stack.legacy)
        say(f"The shop opens: 4 visitors, {PAGES} pages each, about {PAGES // 9} s")
        seen = workload.run(stack.legacy.host, stack.legacy.port, *APP, pages=PAGES,
                            prepared_client=BUILD / "shop_prepared_client")
        count.finish()
        time.sleep(0.5)  # the last packets' way through the kernel
        say("The shop is closed: ending the tap (open questions are finished first)")
    finally:
        status = tap.interrupt()
    if status != 0:
        raise DemoError(f"darktap shadow ended with status {status}, not 0")
    return store, address, count, seen


def read_report(store):
    done = subprocess.run([BUILD / "darktap", "report", store, "--format", "json"], capture_output=True, text=True)
    if done.returncode not in (0, 1):
        raise DemoError(f"darktap report ended with status {done.returncode}: {done.stderr}")
    return json.loads(done.stdout)


def serve(store):
    """Serves the page until Ctrl-C."""
    page = Darktap(["serve", str(store), "--listen", f"127.0.0.1:{free_port()}"], prints="its address")
    try:
        if not page.wait_for_address(5):
            raise DemoError("darktap serve gave no address")
        say(f"The page: {page.address}   (Ctrl-C ends it)")
        page.process.wait()
    except KeyboardInterrupt:
        print()
    finally:
        page.interrupt()


def main():
    parser = argparse.ArgumentParser(prog="./demo")
    parser.add_argument("--once", action="store_true")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    need_tap_permission()
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)

    say("The lab: legacy, its replica, and a Spider head over two shards that follows legacy by a second")
    with Stack(FOLDER / "servers", SCHEMA, TABLES, cache=ROOT / "build" / "lab") as stack:
        data.fill_stack(stack)
        say("darktap taps lo, replays the reads on the new stack, compares")
        store, address, count, seen = run_shop(stack)
    report = read_report(store)
    screen.show(report, count.text())
    wrong = check.problems(report, data.PLANTED, seen, count.total)
    print("\nPlanted wrong on the new stack, and how often the shop read it: "
          + ", ".join(f"{plant['name']} ({seen.get(plant['name'], 0)})" for plant in data.PLANTED))
    print(f"The findings are in {store.relative_to(ROOT)}; the page was at {address}" if options.once
          else f"The findings are in {store.relative_to(ROOT)}")
    if wrong:
        print("\nNot as expected:\n  " + "\n  ".join(wrong))
    else:
        print("\nExactly as expected: the four causes, the planted rows as the only defects, and a ledger that adds up.")
    if not options.once:
        serve(store)
    return 1 if wrong and options.once else 0


try:
    sys.exit(main())
except KeyboardInterrupt:
    sys.exit(130)
except (DemoError, LabError) as error:
    print(f"demo: {error}", file=sys.stderr)
    sys.exit(3)
