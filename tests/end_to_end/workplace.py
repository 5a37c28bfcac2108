"""What every whole-product test needs: the built program, a folder that goes away, and the shared captures."""

import contextlib
import dataclasses
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest

SOURCE = pathlib.Path(os.environ.get("DARKTAP_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
BUILD = pathlib.Path(os.environ.get("DARKTAP_BUILD", SOURCE / "build/release"))
CORPUS = pathlib.Path(os.environ.get("DARKTAP_CORPUS", SOURCE / "../shared"))
DARKTAP = BUILD / "darktap"


@contextlib.contextmanager
def workplace():
    """A folder below the build folder's `lab`, removed at the end; `lab` itself keeps the servers' template."""
    lab = BUILD.parent / "lab"
    lab.mkdir(parents=True, exist_ok=True)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="test-", dir=lab))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def corpus(relative):
    """A path in the shared captures; skips the test, with the reason, where they are not."""
    path = CORPUS / relative
    if not path.exists():
        raise unittest.SkipTest(f"no {relative} below {CORPUS} (DARKTAP_CORPUS)")
    return path


def need_root(why):
    if os.geteuid() != 0:
        raise unittest.SkipTest(f"needs root: {why}")


def until(condition, what, seconds=60):
    """Waits for what must come, and fails where it doesn't; on a busy machine a sleep is too short some day."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s, and never: {what}")
        time.sleep(0.05)


@dataclasses.dataclass(frozen=True)
class Done:
    status: int
    out: str
    err: str

    def json(self):
        return json.loads(self.out)

    def lines(self):
        return [json.loads(line) for line in self.out.splitlines()]


def environment(passwords=None):
    """The process's environment and passwords by side, as in {"target": "secret"}."""
    return {**os.environ, **{f"DARKTAP_{side.upper()}_PASSWORD": word for side, word in (passwords or {}).items()}}


def darktap(*arguments, passwords=None, timeout=120, **options):
    """Runs darktap to its end."""
    options.setdefault("stdout", subprocess.PIPE)
    options.setdefault("stdin", subprocess.DEVNULL)
    done = subprocess.run([DARKTAP, *map(str, arguments)], env=environment(passwords), stderr=subprocess.PIPE,
                          timeout=timeout, **options)
    return Done(done.returncode, (done.stdout or b"").decode(errors="replace"), done.stderr.decode(errors="replace"))


class Case(unittest.TestCase):
    """Checks that fit every command."""

    def assert_refused(self, done, status, *words):
        """Ended with this status and one line on stderr that holds the words; no trace of a crash."""
        self.assertEqual(done.status, status, done.err)
        lines = [line for line in done.err.splitlines() if line.strip()]
        self.assertEqual(len(lines), 1, f"one line names the thing and the remedy:\n{done.err}")
        for word in words:
            self.assertIn(str(word), lines[0])
        self.assertNotRegex(done.err, r"terminate called|Sanitizer|runtime error|what\(\)")
