"""Recordings: what a capture says and its recording say is the same; crashes, full disks, damage; digests instead of rows."""

import json
import resource
import signal
import subprocess
import time

from shop import data
from shop.schema import SCHEMA
from test_inspect import captures, plain
from test_replay import PAGES, PASSWORDS, USER, two_servers
from live import tapping, visit
from workplace import DARKTAP, Case, corpus, darktap, environment, need_root, until, workplace


def lines_of(path, *options):
    return darktap("inspect", path, "--format", "jsonl", *options).out


class SameAsTheCapture(Case):
    def test_a_recording_and_its_capture_give_the_same_lines(self):
        tried = 0
        with workplace() as place:
            for path in captures("captures"):
                with self.subTest(str(path.relative_to(corpus("captures")))):
                    tried += 1
                    file = plain(path, place)
                    done = darktap("capture", "-r", file, "-w", place / "x.dtap")
                    self.assertEqual(done.status, 0, done.err)
                    self.assertEqual(lines_of(place / "x.dtap"), lines_of(file))
                    whole, recorded = (darktap("inspect", each, "--format", "summary").json() for each in (file, place / "x.dtap"))
                    self.assertEqual(recorded, whole)
        self.assertGreaterEqual(tried, 50)

    def test_one_session_and_a_span_of_time_are_the_same_from_both(self):
        with workplace() as place:
            file = corpus("captures/clients/py_pymysql.pcap")
            self.assertEqual(darktap("capture", "-r", file, "-w", place / "x.dtap").status, 0)
            lines = [json.loads(line) for line in lines_of(file).splitlines()]
            middle, end = lines[len(lines) // 3]["time"], lines[2 * len(lines) // 3]["time"]
            for options, keeps in ((("--session", 2), lambda line: line["session"] == 2),
                                   (("--from", middle, "--to", end), lambda line: middle <= line["time"] < end),
                                   (("--from", middle, "--session", 1), lambda line: line["session"] == 1 and line["time"] >= middle),
                                   (("--fingerprint", lines[-2]["fingerprint"] or "0" * 16), lambda line: line["fingerprint"] == lines[-2]["fingerprint"])):
                with self.subTest(options):
                    expected = [line for line in lines if keeps(line)]
                    for each in (file, place / "x.dtap"):
                        self.assertEqual([json.loads(line) for line in lines_of(each, *options).splitlines()], expected)

    def test_a_reader_that_has_seen_enough_ends_it_quietly(self):
        with workplace() as place:
            file = corpus("captures/clients/py_pymysql.pcap")
            self.assertEqual(darktap("capture", "-r", file, "-w", place / "x.dtap").status, 0)
            for each in (file, place / "x.dtap"):
                piped = subprocess.run(f"'{DARKTAP}' inspect '{each}' --format jsonl | head -1", shell=True, capture_output=True, timeout=60)
                self.assertEqual(len(piped.stdout.splitlines()), 1)
                self.assertEqual(piped.stderr, b"")

    def test_filters_that_are_none_are_usage_errors(self):
        file = corpus("captures/clients/py_pymysql.pcap")
        self.assert_refused(darktap("inspect", file, "--fingerprint", "xyz"), 2, "--fingerprint", "xyz")
        self.assert_refused(darktap("inspect", file, "--from", "yesterday"), 2, "--from", "yesterday")


class Crashes(Case):
    def test_what_a_killed_tap_had_seen_a_second_before_is_in_its_recording(self):
        pcap = corpus("captures/clients/py_pymysql.pcap").read_bytes()
        half = pcap[:len(pcap) // 2]
        with workplace() as place:
            (place / "half.pcap").write_bytes(half)
            expected = [line for line in lines_of(place / "half.pcap").splitlines() if '"outcome":"unobserved"' not in line]
            tap = subprocess.Popen([DARKTAP, "capture", "-r", "-", "-w", place / "x.dtap"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
            tap.stdin.write(half)
            tap.stdin.flush()
            until((place / "x.dtap").exists, "the recording")
            time.sleep(1.5)
            tap.send_signal(signal.SIGKILL)
            tap.wait()
            tap.stdin.close()
            done = darktap("inspect", place / "x.dtap", "--format", "jsonl")
            self.assertEqual(done.status, 0, done.err)
            self.assertIn("ends early", done.err)
            missing = set(expected) - set(done.out.splitlines())
            self.assertFalse(missing, "seen more than a second before the end, and lost")
            self.assertIs(darktap("inspect", place / "x.dtap", "--format", "summary").json()["truncated"], True)

    def test_a_file_that_may_grow_no_further_ends_the_tap_with_3_and_stays_readable(self):
        pcap = corpus("captures/clients/py_pymysql.pcap")
        with workplace() as place:
            self.assertEqual(darktap("capture", "-r", pcap, "-w", place / "whole.dtap").status, 0)
            size = (place / "whole.dtap").stat().st_size

            def limit():
                resource.setrlimit(resource.RLIMIT_FSIZE, (size - 100, size - 100))
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

            done = darktap("capture", "-r", pcap, "-w", place / "x.dtap", preexec_fn=limit)
            self.assert_refused(done, 3, place / "x.dtap")
            read = darktap("inspect", place / "x.dtap", "--format", "summary")
            self.assertEqual(read.status, 0, read.err)
            self.assertGreater(read.json()["exchanges"], 5)

    def test_a_recording_with_a_damaged_part_says_where_and_the_rest_is_read(self):
        pcap = corpus("captures/clients/py_pymysql.pcap")
        with workplace() as place:
            self.assertEqual(darktap("capture", "-r", pcap, "-w", place / "x.dtap").status, 0)
            content = bytearray((place / "x.dtap").read_bytes())
            content[len(content) // 2] ^= 4
            (place / "x.dtap").write_bytes(content)
            done = darktap("inspect", place / "x.dtap", "--format", "summary")
            self.assertEqual(done.status, 0, done.err)
            self.assertIn("at byte", done.err)
            self.assertIs(done.json()["truncated"], True)

    def test_a_recording_of_the_first_format_is_refused_with_the_remedy(self):
        with workplace() as place:
            (place / "old.dtap").write_bytes(b"darktap\n" + (1).to_bytes(4, "little") + bytes(100))
            self.assert_refused(darktap("inspect", place / "old.dtap"), 3, place / "old.dtap", "format 1", "record it again")


class Discretion(Case):
    """What a recording doesn't tell."""

    def record(self, place, source, *options):
        with tapping("capture", "-i", "lo", "--port", source.port, "-w", place / "visit.dtap", *options, log=place / "capture.log") as tap:
            visit(source, *USER, PAGES, 0.0)
            time.sleep(0.3)
            status, _ = tap.interrupt()
            self.assertEqual(status, 0, tap.said())
        return place / "visit.dtap"

    def replay(self, place, source, target, *options):
        return darktap("replay", place / "visit.dtap", "--target", target.url(USER[0], SCHEMA), "--store", place / "s.db", "--pace", "max",
                       *options, passwords=PASSWORDS)

    def report(self, place):
        return darktap("report", place / "s.db", "--format", "json").json()

    def test_digests_of_rows_are_compared_without_the_rows(self):
        need_root("taps lo")
        with workplace() as place, two_servers(place) as (source, target):
            recording = self.record(place, source, "--rows", "digest")
            key = place / "visit.dtap.key"
            self.assertEqual(key.stat().st_mode & 0o777, 0o600)
            done = self.replay(place, source, target)
            self.assertEqual(done.status, 0, done.err + done.out)
            report = self.report(place)
            self.assertEqual(report["findings"], [])
            self.assertGreaterEqual(report["ledger"]["compared"], 3 * PAGES)
            (place / "s.db").unlink()

            # A difference, without and with somebody who still has the rows.
            data.plant(target, SCHEMA)
            done = self.replay(place, source, target)
            self.assertEqual(done.status, 0, "unexamined doesn't count: " + done.err + done.out)
            (finding,) = self.report(place)["findings"]
            self.assertEqual((finding["difference"], finding["cause"]), ("row_values", "unexamined"))
            self.assertEqual(finding["events"], PAGES // 10)
            example = finding["examples"][0]
            self.assertFalse(example["source"].get("rows"), "no production row in the store")
            (place / "s.db").unlink()
            done = self.replay(place, source, target, "--reference", source.url(USER[0], SCHEMA))
            self.assertEqual(done.status, 1, done.err + done.out)
            self.assertIn(("row_values", "defect"), [(each["difference"], each["cause"]) for each in self.report(place)["findings"]])

            # The key is what opens it.
            (place / "s.db").unlink()
            key.rename(place / "elsewhere")
            self.assert_refused(self.replay(place, source, target), 3, key, "--key")
            key.write_text("0" * 32 + "\n")
            key.chmod(0o600)
            self.assert_refused(self.replay(place, source, target), 2, key, "is not the key")
            self.assertEqual(self.replay(place, source, target, "--key", place / "elsewhere").status, 0)
            self.assertTrue(recording.exists())

    def test_redacted_statements_keep_their_fingerprints_and_can_not_be_replayed(self):
        pcap = corpus("captures/clients/py_pymysql.pcap")
        with workplace() as place:
            done = darktap("capture", "-r", pcap, "-w", place / "x.dtap", "--redact", "--rows", "digest")
            self.assertEqual(done.status, 0, done.err)
            whole = [json.loads(line) for line in lines_of(pcap).splitlines()]
            redacted = [json.loads(line) for line in lines_of(place / "x.dtap").splitlines()]
            self.assertEqual(len(redacted), len(whole))
            for before, after in zip(whole, redacted):
                self.assertEqual(after["sql"], before["normalized"])
                self.assertEqual((after["fingerprint"], after["normalized"]), (before["fingerprint"], before["normalized"]), before["sql"])
                self.assertEqual((after["rows"], after["outcome"], after["time"]), (before["rows"], before["outcome"], before["time"]))
            (place / "x.dtap.key").unlink()
            done = darktap("replay", place / "x.dtap", "--target", "mysql://u@127.0.0.1:1/s", "--store", place / "s.db", passwords={"target": "x"})
            self.assert_refused(done, 2, place / "x.dtap", "redacted")

    def test_a_file_of_a_series_is_read_alone(self):
        need_root("taps lo")
        with workplace() as place, two_servers(place) as (source, _):
            with tapping("capture", "-i", "lo", "--port", source.port, "-w", place / "visit.dtap", "--split-time", "1s", log=place / "capture.log") as tap:
                visit(source, *USER, 12, 0.3)
                time.sleep(0.6)
                status, _ = tap.interrupt()
                self.assertEqual(status, 0, tap.said())
            files = sorted(place.glob("visit-*.dtap"))
            self.assertGreaterEqual(len(files), 3)
            total = 0
            for file in files:
                self.assertEqual(file.stat().st_mode & 0o777, 0o600)
                done = darktap("inspect", file, "--format", "jsonl")
                self.assertEqual(done.status, 0, done.err)
                self.assertNotIn("ends early", done.err)
                for line in done.lines():
                    total += 1
                    if line["command"] == "COM_QUERY":
                        self.assertEqual((line["user"], line["schema"]), (USER[0], SCHEMA), file)
            self.assertGreaterEqual(total, 3 * 12)
