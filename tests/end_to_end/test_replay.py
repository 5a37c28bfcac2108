"""Capture, inspect, replay, report on real servers."""

import contextlib
import time

from lab import Server
from lab.stack import account
from live import tapping, visit
from shop import data
from shop.schema import SCHEMA, TABLES
from test_tls import ask, connected
from workplace import DARKTAP, Case, darktap, environment, need_root, until, workplace

import subprocess

USER = ("tester", "tester-lab-secret")
PASSWORDS = {"target": USER[1], "reference": USER[1], "source": USER[1]}
PAGES = 30
# A page is three reads; a visit adds SET AUTOCOMMIT where the driver needs it, and COM_QUIT.
READS = 3 * PAGES


@contextlib.contextmanager
def two_servers(place):
    """A source and a target with the same rows."""
    with Server(place / "source", cache=place.parent) as source, Server(place / "target", cache=place.parent) as target:
        for server in (source, target):
            server.run([*account(USER, "SELECT", f"{SCHEMA}.*"), *account(USER, "PROCESS, BINLOG MONITOR, SLAVE MONITOR"),
                        f"CREATE DATABASE {SCHEMA}", f"USE {SCHEMA}", *(table.plain() for table in TABLES)])
            data.fill(server, SCHEMA)
        yield source, target


def record(place, source, pages=PAGES, pause=0.0):
    """A recording of one visit at the source."""
    recording = place / "visit.dtap"
    with tapping("capture", "-i", "lo", "--port", source.port, "-w", recording, log=place / "capture.log") as tap:
        visit(source, *USER, pages, pause)
        time.sleep(0.3)
        status, seconds = tap.interrupt()
        assert status == 0, tap.said()
    return recording


class RoundTrip(Case):
    def replay(self, recording, source, target, store, *options):
        return darktap("replay", recording, "--target", target.url(USER[0], SCHEMA), "--reference", source.url(USER[0], SCHEMA),
                       "--store", store, "--pace", "max", *options, passwords=PASSWORDS)

    def report(self, store):
        done = darktap("report", store, "--format", "json")
        self.assertIn(done.status, (0, 1), done.err)
        report = done.json()
        self.assertEqual(sum(report["ledger"].values()), report["coverage"]["exchanges"])
        return report

    def test_a_recording_replayed_on_the_same_data_has_no_findings(self):
        need_root("taps lo")
        with workplace() as place, two_servers(place) as (source, target):
            recording = record(place, source)
            self.assertEqual(recording.stat().st_mode & 0o777, 0o600, "a recording holds production data")
            summary = darktap("inspect", recording, "--format", "summary").json()
            self.assertEqual(summary["lost_bytes"], 0)
            self.assertEqual(summary["ledger"]["observed"], summary["exchanges"])
            reads = [line for line in darktap("inspect", recording, "--format", "jsonl").lines() if line["class"] == "read"]
            self.assertGreaterEqual(len(reads), READS)
            done = self.replay(recording, source, target, place / "s.db")
            self.assertEqual(done.status, 0, done.err + done.out)
            self.assertEqual((place / "s.db").stat().st_mode & 0o777, 0o600)
            report = self.report(place / "s.db")
            self.assertEqual(report["findings"], [])
            self.assertGreaterEqual(report["ledger"]["compared"], READS)
            self.assertEqual(report["coverage"]["exchanges"], summary["exchanges"])
            self.assertIsNotNone(report["run"]["finished"])
            self.assertEqual(darktap("report", place / "s.db").status, 0)

    def test_a_planted_difference_is_a_defect_and_exit_status_1(self):
        need_root("taps lo")
        with workplace() as place, two_servers(place) as (source, target):
            recording = record(place, source)
            data.plant(target, SCHEMA)
            done = self.replay(recording, source, target, place / "s.db")
            self.assertEqual(done.status, 1, done.err + done.out)
            report = self.report(place / "s.db")
            self.assertEqual([(finding["difference"], finding["cause"]) for finding in report["findings"]],
                             [("row_values", "defect")])
            (finding,) = report["findings"]
            self.assertEqual(finding["events"], PAGES // 10)
            self.assertIn("WHERE id = 45", finding["examples"][0]["sql"])
            self.assertEqual(darktap("report", place / "s.db", "--format", "json").status, 1)
            accepted = darktap("report", place / "s.db", "--format", "json", "--fail-on", "order_violated")
            self.assertEqual(accepted.status, 0, "--fail-on says which causes count")

    def test_questions_are_asked_under_what_the_session_had_set(self):
        need_root("taps lo")
        with workplace() as place, two_servers(place) as (source, target):
            for server, key in ((source, "id"), (target, "at, id")):  # rows lie in another order
                server.run([f"USE {SCHEMA}", f"CREATE TABLE stamped (id INT NOT NULL, kind INT NOT NULL, at TIMESTAMP NOT NULL, PRIMARY KEY ({key}))", "SET time_zone = '+00:00'",
                            *(f"INSERT INTO stamped VALUES ({n}, {n % 2}, '2024-01-01 00:00:00' + INTERVAL {40 - n} HOUR)" for n in range(1, 41))])
            target.run([f"USE {SCHEMA}", "SET time_zone = '+00:00'", "UPDATE stamped SET at = at + INTERVAL 1 SECOND WHERE id = 7"])
            recording = place / "visit.dtap"
            with tapping("capture", "-i", "lo", "--port", source.port, "-w", recording, log=place / "capture.log") as tap:
                session = connected(source, user=USER[0], password=USER[1], database=SCHEMA)
                ask(session, "SET time_zone = '+05:30', group_concat_max_len = 2000", "SELECT id, at FROM stamped WHERE id > 10 ORDER BY kind LIMIT 3",
                    "SELECT GROUP_CONCAT(at ORDER BY kind) FROM stamped WHERE id > 10", "SELECT id, at FROM stamped WHERE id BETWEEN 5 AND 9 ORDER BY id")
                session.close()
                time.sleep(0.3)
                self.assertEqual(tap.interrupt()[0], 0, tap.said())
            done = self.replay(recording, source, target, place / "s.db")
            report = self.report(place / "s.db")
            self.assertEqual(sorted((finding["normalized"].split(" from ")[0], finding["cause"], finding["level"]) for finding in report["findings"]),
                             [("select group_concat(at order by kind)", "order_undefined", "confirmed"), ("select id, at", "defect", "confirmed"), ("select id, at", "order_undefined", "confirmed")], [(f["normalized"], f["cause"], f["evidence"]) for f in report["findings"]])

    def test_what_user_variables_held_decides_what_is_asked_and_what_is_said(self):
        need_root("taps lo")
        with workplace() as place, two_servers(place) as (source, target):
            for server in (source, target):
                server.run([f"USE {SCHEMA}", "CREATE TABLE held (id INT PRIMARY KEY, name VARCHAR(20) NOT NULL)", "INSERT INTO held VALUES (1, 'ann'), (2, 'bob'), (3, 'cyd')"])
            target.run([f"USE {SCHEMA}", "UPDATE held SET name = 'boB' WHERE id = 2"])
            recording = place / "visit.dtap"
            with tapping("capture", "-i", "lo", "--port", source.port, "-w", recording, log=place / "capture.log") as tap:
                session = connected(source, user=USER[0], password=USER[1], database=SCHEMA)
                ask(session, "SET @id := 1", "SELECT name FROM held WHERE id = @id", "SET @id := 2, @`Name` = 'x y'", "SELECT name, @name FROM held WHERE id = @ID", "SET @id = 3",
                    "SELECT id INTO @chosen FROM held WHERE name = 'cyd'", "SELECT @chosen AS chosen", "SELECT name FROM held WHERE id = @chosen",
                    "SET @most = (SELECT MIN(name) FROM held WHERE id > 1)", "SELECT @most AS most")
                session.close()
                time.sleep(0.3)
                self.assertEqual(tap.interrupt()[0], 0, tap.said())
            self.replay(recording, source, target, place / "s.db")
            found = {(finding["normalized"], finding["difference"]): (finding["cause"], finding["level"]) for finding in self.report(place / "s.db")["findings"]}
            self.assertEqual(found, {("select name, @name from held where id = @ID", "row_values"): ("defect", "confirmed"),
                                     ("select @chosen as chosen", "row_values"): ("skipped_write", "proved"), ("select @chosen as chosen", "column_metadata"): ("skipped_write", "proved"),
                                     ("select name from held where id = @chosen", "missing_rows"): ("skipped_write", "proved"),
                                     ("select @most as most", "row_values"): ("unexamined", "assumed")})

    def test_the_source_as_target_is_refused_before_anything_is_sent(self):
        need_root("taps lo")
        with workplace() as place, two_servers(place) as (source, _):
            recording = record(place, source, pages=2)
            before = source.status()["com_select"]
            for name in ("127.0.0.1", "localhost"):
                with self.subTest(name):
                    done = darktap("replay", recording, "--target", f"mysql://{USER[0]}@{name}:{source.port}/{SCHEMA}",
                                   "--store", place / "s.db", passwords=PASSWORDS)
                    self.assert_refused(done, 4)
                    self.assertFalse((place / "s.db").exists())
            self.assertLessEqual(source.status()["com_select"] - before, 20, "no captured read was sent")

    def compared(self, place):
        """How much the store tells of so far; less than 0 while there is no run in it."""
        done = darktap("report", place / "s.db", "--format", "json")
        return done.json()["ledger"]["compared"] if done.status in (0, 1) else -1

    def test_a_store_whose_writer_was_killed_can_be_reported(self):
        need_root("taps lo")
        with workplace() as place, two_servers(place) as (source, target):
            recording = record(place, source, pages=22, pause=0.4)
            writer = subprocess.Popen([DARKTAP, "replay", recording, "--target", target.url(USER[0], SCHEMA), "--store",
                                       place / "s.db", "--pace", "recorded"], env=environment(PASSWORDS),
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            until(lambda: self.compared(place) > 0 or writer.poll() is not None, "progress in the store", 30)
            self.assertIsNone(writer.poll(), "still replaying")
            writer.kill()
            writer.wait()
            report = self.report(place / "s.db")
            self.assertIsNone(report["run"]["finished"])
            self.assertGreater(report["ledger"]["compared"], 0, "progress is committed within 5 s")

    def test_a_server_that_dies_while_it_is_replayed_on_ends_the_run_with_3_and_a_whole_ledger(self):
        need_root("taps lo")
        with workplace() as place, two_servers(place) as (source, target):
            recording = record(place, source, pages=20, pause=0.2)
            exchanges = darktap("inspect", recording, "--format", "summary").json()["exchanges"]
            writer = subprocess.Popen([DARKTAP, "replay", recording, "--target", target.url(USER[0], SCHEMA), "--store",
                                       place / "s.db", "--pace", "recorded"], env=environment(PASSWORDS),
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            until(lambda: self.compared(place) >= 0 or writer.poll() is not None, "the run is in its store")
            time.sleep(1)
            target.process.kill()
            self.assertEqual(writer.wait(90), 3)
            report = self.report(place / "s.db")
            self.assertEqual(report["coverage"]["exchanges"], exchanges)
            self.assertGreater(report["ledger"]["target_failed"], 0)
