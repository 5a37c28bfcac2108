"""darktap capture: live on lo, from a pipe, from a file that grows; rotation, sampling, rights."""

import contextlib
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import threading
import time

import pymysql

from lab import Server
from live import END_SECONDS, tapping
from workplace import DARKTAP, Case, corpus, darktap, environment, need_root, until, workplace

NOBODY = pwd.getpwnam("nobody")


@contextlib.contextmanager
def one_server(place):
    with Server(place / "server", cache=place.parent) as server:
        server.run(["CREATE USER app@'127.0.0.1' IDENTIFIED BY 'secret'"])
        yield server


def talk(server, first, count):
    """A session of `count` statements, numbered, so that each is known again."""
    connection = connected(server)
    ask(connection, first, count)
    connection.close()


def connected(server):
    return pymysql.connect(host=server.host, port=server.port, user="app", password="secret", charset="utf8mb4", autocommit=None)


def ask(connection, first, count):
    with connection.cursor() as cursor:
        for number in range(first, first + count):
            cursor.execute(f"SELECT {number} AS numbered")


def statements(recording):
    done = darktap("inspect", recording, "--format", "jsonl")
    assert done.status == 0, done.err
    return done.lines()


def numbers(lines):
    return sorted(int(line["sql"].split()[1]) for line in lines if line["sql"] and line["sql"].endswith("AS numbered"))


def summary(recording):
    done = darktap("inspect", recording, "--format", "summary")
    assert done.status == 0, done.err
    return done.json()


def status_of(process):
    lines = pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return {line.split(":", 1)[0]: line.split(":", 1)[1].split() for line in lines}


def nobodys_folder(place):
    """A folder that only `nobody` may write to, and can reach."""
    os.chmod(place, 0o711)
    folder = place / "out"
    folder.mkdir(mode=0o700)
    os.chown(folder, NOBODY.pw_uid, NOBODY.pw_gid)
    return folder


def can_reach(folder):
    return subprocess.run(["setpriv", f"--reuid={NOBODY.pw_uid}", f"--regid={NOBODY.pw_gid}", "--clear-groups", "test", "-w", folder]).returncode == 0


class Live(Case):
    def capture(self, place, server, output, *options, log="capture.log"):
        need_root("taps lo")
        return tapping("capture", "-i", "lo", "--port", server.port, "-w", output, *options, log=place / log)

    def end(self, tap, how=signal.SIGINT):
        status, seconds = tap.interrupt(how)
        self.assertEqual(status, 0, tap.said())
        self.assertLess(seconds, END_SECONDS)

    def test_privileges_are_gone_once_it_taps_and_sighup_still_rotates(self):
        with workplace() as place, one_server(place) as server:
            folder = nobodys_folder(place)
            if not can_reach(folder):
                self.skipTest(f"the user nobody can't reach {folder}")
            output = folder / "out.dtap"
            with self.capture(place, server, output) as tap:
                status = status_of(tap.process)
                self.assertEqual(status["Uid"], [str(NOBODY.pw_uid)] * 4)
                self.assertEqual(status["Gid"], [str(NOBODY.pw_gid)] * 4)
                for kind in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
                    self.assertEqual(int(status[kind][0], 16), 0, kind)
                self.assertEqual(status["NoNewPrivs"], ["1"])
                lasting = connected(server)
                ask(lasting, 0, 10)
                time.sleep(1)
                tap.process.send_signal(signal.SIGHUP)
                time.sleep(1)
                ask(lasting, 10, 10)
                time.sleep(1)
                os.rename(folder / "out-000002.dtap", folder / "moved.dtap")
                os.rename(output, folder / "first.dtap")  # as logrotate does
                tap.process.send_signal(signal.SIGHUP)
                time.sleep(1)
                ask(lasting, 20, 10)
                lasting.close()
                time.sleep(0.5)
                self.end(tap, signal.SIGTERM)
            packets = 0
            for name, first in (("first.dtap", 0), ("moved.dtap", 10), ("out.dtap", 20)):
                file = folder / name
                lines = statements(file)
                self.assertEqual(numbers(lines), list(range(first, first + 10)), name)
                self.assertEqual({(line["user"], line["session"], line["certain"]) for line in lines if line["sql"] and "numbered" in line["sql"]}, {("app", 1, True)})
                counted = summary(file)
                self.assertEqual((counted["sessions"], counted["truncated"], counted["lost_bytes"]), (1, False, 0), name)
                self.assertEqual((file.stat().st_uid, file.stat().st_mode & 0o777), (NOBODY.pw_uid, 0o600))
                packets += counted["packets"]
                self.assertGreater(counted["packets"], 10)
            self.assertIn(f"from {packets} packets", tap.said())

    def test_a_recording_is_split_by_size_into_files_that_are_each_complete(self):
        with workplace() as place, one_server(place) as server:
            with self.capture(place, server, place / "big.dtap", "--split-size", "64KiB") as tap:
                connection = connected(server)
                with connection.cursor() as cursor:
                    for number in range(40):
                        cursor.execute(f"SELECT {number} AS numbered")
                        cursor.execute(f"SELECT '{os.urandom(20_000).hex()}'")  # hardly compressible
                        time.sleep(0.05)
                connection.close()
                time.sleep(0.5)
                self.end(tap)
            files = sorted(place.glob("big*.dtap"))
            self.assertGreater(len(files), 1, tap.said())
            self.assertEqual([file.name for file in files], [f"big-{number:06}.dtap" for number in range(1, len(files) + 1)])
            found = [line for file in files for line in statements(file)]
            self.assertEqual(numbers(found), list(range(40)))
            self.assertEqual([line["seq"] for line in found], list(range(len(found))))
            self.assertTrue(all(not summary(file)["truncated"] for file in files))

    def test_a_folder_that_the_next_files_can_not_be_made_in_is_refused_at_once(self):
        need_root("becomes another user")
        with workplace() as place:
            done = darktap("capture", "-i", "lo", "--port", 1, "-w", place / "x.dtap", "--user", "nobody", "--split-size", "1MiB")
            self.assertEqual(done.status, 2)
            for word in ("nobody", str(place), "--user"):
                self.assertIn(word, done.err)
            self.assert_refused(darktap("capture", "-i", "lo", "--port", 1, "-w", place / "x.dtap", "--user", "no-such-user"), 2, "no-such-user")

    def test_two_taps_keep_the_same_half_of_the_sessions_and_count_the_other(self):
        with workplace() as place, one_server(place) as server:
            with self.capture(place, server, place / "one.dtap", "--sample", "50", log="one.log") as one, \
                 self.capture(place, server, place / "two.dtap", "--sample", "50", log="two.log") as two, \
                 self.capture(place, server, place / "all.dtap", log="all.log") as whole:
                for session in range(60):
                    talk(server, session * 10, 3)
                time.sleep(0.5)
                for tap in (one, two, whole):
                    self.end(tap)
            kept = [numbers(statements(place / name)) for name in ("one.dtap", "two.dtap", "all.dtap")]
            self.assertEqual(kept[0], kept[1])
            self.assertEqual(kept[2], [session * 10 + number for session in range(60) for number in range(3)])
            sessions = {number // 10 for number in kept[0]}
            self.assertEqual(kept[0], [session * 10 + number for session in sorted(sessions) for number in range(3)], "whole sessions")
            self.assertTrue(10 < len(sessions) < 50, len(sessions))
            counted, everything = summary(place / "one.dtap"), summary(place / "all.dtap")
            self.assertEqual(counted["exchanges"] + counted["ledger"]["shed"], everything["exchanges"])

    def test_without_root_the_capability_to_see_packets_is_enough(self):
        with workplace() as place, one_server(place) as server:
            need_root("gives a capability to another user")
            folder = nobodys_folder(place)
            program = folder / "darktap"
            shutil.copy(DARKTAP, program)
            os.chmod(program, 0o755)
            if not can_reach(folder):
                self.skipTest(f"the user nobody can't reach {folder}")
            command = ["setpriv", f"--reuid={NOBODY.pw_uid}", f"--regid={NOBODY.pw_gid}", "--clear-groups", "--inh-caps=-all,+net_raw",
                       "--ambient-caps=-all,+net_raw", "--bounding-set=-all,+net_raw", program, "capture", "-i", "lo", "--port", str(server.port), "-w", folder / "x.dtap"]
            process = subprocess.Popen(command, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
            said = process.stderr.readline()
            self.assertIn(b"capturing on", said)
            self.assertEqual(int(status_of(process)["CapEff"][0], 16), 0)
            talk(server, 0, 5)
            time.sleep(0.5)
            process.send_signal(signal.SIGINT)
            said = process.communicate(timeout=END_SECONDS)[1].decode()
            self.assertEqual(process.returncode, 0, said)
            self.assertEqual(numbers(statements(folder / "x.dtap")), list(range(5)))
            command[command.index("--inh-caps=-all,+net_raw")] = "--inh-caps=-all"
            command[command.index("--ambient-caps=-all,+net_raw")] = "--ambient-caps=-all"
            refused = subprocess.run(command, capture_output=True, text=True)
            self.assertEqual(refused.returncode, 3)
            self.assertIn("cap_net_raw", refused.stderr)

    def test_a_busy_tap_ends_in_time_and_nothing_that_was_answered_before_is_missing(self):
        with workplace() as place, one_server(place) as server:
            over = threading.Event()

            def hammer():
                connection = connected(server)
                while not over.is_set():
                    ask(connection, 5_000_000, 50)

            with self.capture(place, server, place / "busy.dtap") as tap:
                threads = [threading.Thread(target=hammer) for _ in range(4)]
                for thread in threads:
                    thread.start()
                time.sleep(1)
                talk(server, 1, 20)
                self.end(tap)
                over.set()
                for thread in threads:
                    thread.join()
            found = numbers(statements(place / "busy.dtap"))
            self.assertEqual(found[:20], list(range(1, 21)))
            self.assertGreater(len(found), 100)
            counted = summary(place / "busy.dtap")
            self.assertEqual((counted["truncated"], counted["kernel_drops"], counted["lost_bytes"]), (False, 0, 0))


class Streams(Case):
    """What tcpdump writes, read while it writes."""

    def small(self):
        path = corpus("captures/clients/py_pymysql.pcap")
        return path.read_bytes(), darktap("inspect", path, "--format", "summary").json()

    def wait_for(self, recording, count):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if recording.exists():
                done = darktap("inspect", recording, "--format", "summary")
                if done.status == 0 and done.json()["exchanges"] >= count:
                    return
            time.sleep(0.1)
        self.fail(f"{count} exchanges were not written while the input stood still")

    def test_a_pipe_is_recorded_as_its_packets_come(self):
        content, whole = self.small()
        with workplace() as place:
            output = place / "x.dtap"
            process = subprocess.Popen([DARKTAP, "capture", "-r", "-", "-w", output], stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
            process.stdin.write(content[: len(content) * 3 // 4])
            process.stdin.flush()
            self.wait_for(output, 5)
            process.stdin.write(content[len(content) * 3 // 4 :])
            process.stdin.close()
            process.wait(20)
            self.assertEqual(process.returncode, 0)
            process.stderr.close()
            self.assertEqual(summary(output)["exchanges"], whole["exchanges"])
            self.assertFalse(summary(output)["truncated"])

    def test_a_silent_pipe_ends_by_a_signal(self):
        content, _ = self.small()
        with workplace() as place:
            for given in (b"", content[: len(content) // 2]):
                output = place / f"{len(given)}.dtap"
                process = subprocess.Popen([DARKTAP, "capture", "-r", "-", "-w", output], stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
                process.stdin.write(given)
                process.stdin.flush()
                until(output.exists, "the recording is there, so that signals are heard")
                if given:
                    self.wait_for(output, 5)
                process.send_signal(signal.SIGTERM)
                self.assertEqual(process.wait(END_SECONDS), 0)
                process.stdin.close()
                process.stderr.close()
            self.assertGreater(summary(output)["exchanges"], 5)

    def test_a_file_that_grows_is_followed_until_a_signal(self):
        content, whole = self.small()
        with workplace() as place:
            growing, output = place / "growing.pcap", place / "x.dtap"
            growing.write_bytes(b"")
            process = subprocess.Popen([DARKTAP, "capture", "-r", growing, "--follow", "-w", output], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment())
            half = len(content) // 2
            for part in (content[:10], content[10:half]):
                with open(growing, "ab") as file:
                    file.write(part)
                time.sleep(0.3)
            self.wait_for(output, 5)
            self.assertIsNone(process.poll())
            with open(growing, "ab") as file:
                file.write(content[half:])
            self.wait_for(output, whole["exchanges"] - 2)
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(END_SECONDS), 0)
            process.stderr.close()
            self.assertEqual(summary(output)["exchanges"], whole["exchanges"])
            self.assertFalse(summary(output)["truncated"])
