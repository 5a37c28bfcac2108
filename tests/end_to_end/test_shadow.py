"""darktap shadow, live on lo."""

import http.client
import re
import signal
import time
import urllib.parse

from lab import free_port
from live import END_SECONDS, tapping, visit
from shop import data
from shop.schema import SCHEMA
from test_capture import NOBODY, can_reach, nobodys_folder, status_of
from test_replay import PASSWORDS, USER, two_servers
from test_tls import ask, connected
from workplace import Case, darktap, need_root, workplace


class Shadow(Case):
    LOCK = "shadow"  # one at a time: they watch how fast things go

    def shadow(self, place, source, target, *options, passwords=PASSWORDS):
        return tapping("shadow", "-i", "lo", "--port", source.port, "--target", target.url(USER[0], SCHEMA), "--reference",
                       source.url(USER[0], SCHEMA), *(() if "--store" in options else ("--store", place / "s.db")), "--listen",
                       f"127.0.0.1:{free_port()}", *options,
                       passwords=passwords, log=place / "shadow.log")

    def report(self, place):
        done = darktap("report", place / "s.db", "--format", "json")
        self.assertIn(done.status, (0, 1), done.err)
        report = done.json()
        self.assertEqual(sum(report["ledger"].values()), report["coverage"]["exchanges"])
        return report

    def test_reads_are_replayed_while_they_happen_and_only_the_planted_row_differs(self):
        need_root("taps lo")
        with workplace() as place, two_servers(place) as (source, target):
            data.plant(target, SCHEMA)
            with self.shadow(place, source, target) as tap:
                visit(source, *USER, pages=30, pause=0.02)
                time.sleep(0.5)
                status, seconds = tap.interrupt()
                self.assertEqual(status, 0, tap.said())
                self.assertLess(seconds, END_SECONDS)
            report = self.report(place)
            self.assertEqual([(finding["difference"], finding["cause"]) for finding in report["findings"]],
                             [("row_values", "defect")])
            self.assertGreaterEqual(report["ledger"]["compared"], 90)
            self.assertEqual(report["coverage"]["exchanges"], report["ledger"]["compared"] + report["ledger"]["skipped"])

    def test_sigterm_ends_an_idle_tap_too(self):
        need_root("taps lo")
        with workplace() as place, two_servers(place) as (source, target), self.shadow(place, source, target) as tap:
            status, seconds = tap.interrupt(signal.SIGTERM)
            self.assertEqual(status, 0, tap.said())
            self.assertLess(seconds, END_SECONDS)
            self.assertEqual(self.report(place)["coverage"]["exchanges"], 0)

    def test_once_it_taps_it_has_no_rights_left_and_the_stores_folder_says_who_it_is(self):
        need_root("taps lo")
        with workplace() as place, two_servers(place) as (source, target):
            folder = nobodys_folder(place)
            if not can_reach(folder):
                self.skipTest(f"the user nobody can't reach {folder}")
            with self.shadow(place, source, target, "--store", folder / "s.db") as tap:
                status = status_of(tap.process)
                self.assertEqual(status["Uid"], [str(NOBODY.pw_uid)] * 4)
                self.assertEqual(status["Gid"], [str(NOBODY.pw_gid)] * 4)
                self.assertEqual({int(status[kind][0], 16) for kind in ("CapEff", "CapPrm", "CapInh", "CapAmb")}, {0})
                visit(source, *USER, pages=3, pause=0.02)
                time.sleep(0.5)
                status, _ = tap.interrupt()
                self.assertEqual(status, 0, tap.said())
            self.assertIn("as user nobody", tap.said())
            self.assertGreater(self.report(folder)["ledger"]["compared"], 0)
            store = folder / "s.db"
            self.assertEqual((store.stat().st_uid, store.stat().st_mode & 0o777), (NOBODY.pw_uid, 0o600))

    def test_a_session_that_ran_before_the_tap_has_its_schema_from_prime(self):
        need_root("taps lo")
        with workplace() as place, two_servers(place) as (source, target):
            source.run(["CREATE USER tap@'127.0.0.1' IDENTIFIED BY 'word'", "GRANT PROCESS ON *.* TO tap@'127.0.0.1'"])
            early = connected(source, user=USER[0], password=USER[1], database=SCHEMA)
            with self.shadow(place, source, target, "--prime", source.url("tap"), passwords={**PASSWORDS, "source": "word"}) as tap:
                for number in range(5):
                    ask(early, f"SELECT COUNT(*) + {number} FROM orders")  # without its schema the target would not find it
                time.sleep(0.5)
                status, _ = tap.interrupt()
                self.assertEqual(status, 0, tap.said())
            early.close()
            self.assertIn("1 of 1 listed sessions were seen", tap.said())
            report = self.report(place)
            self.assertEqual((report["ledger"]["compared"], report["findings"]), (5, []))

    def test_the_page_answers_with_its_token_and_not_without(self):
        need_root("taps lo")
        with workplace() as place, two_servers(place) as (source, target), self.shadow(place, source, target) as tap:
            address = urllib.parse.urlsplit(re.search(r"http://127\.0\.0\.1:\d+/\S*", tap.said()).group())
            for path, status in ((f"{address.path}?{address.query}", 200), ("/", 403), ("/api/runs", 403)):
                connection = http.client.HTTPConnection(address.netloc, timeout=10)
                connection.request("GET", path)
                answer = connection.getresponse().status
                if status == 200:
                    self.assertIn(answer, (200, 302, 303), path)
                else:
                    self.assertIn(answer, (401, 403, 404), path)
                connection.close()

    def test_the_sources_own_count_tells_of_what_came_by_its_socket(self):
        need_root("taps lo")
        with workplace() as place, two_servers(place) as (source, target):
            by_socket = 200
            with self.shadow(place, source, target, "--source", source.url(USER[0]), passwords={**PASSWORDS, "source": USER[1]}) as tap:
                visit(source, *USER, pages=10)
                source.run([f"SELECT {i}" for i in range(by_socket)])
                time.sleep(0.5)
                status, _ = tap.interrupt()
                self.assertEqual(status, 0, tap.said())
            report = self.report(place)
            tapped, counted = report["coverage"]["exchanges"], report["coverage"]["server_questions"]
            self.assertGreater(report["ledger"]["compared"], 0)
            # Every statement that was compared is among them, and nothing that darktap asked itself.
            self.assertGreaterEqual(counted, by_socket + report["ledger"]["compared"])
            self.assertLessEqual(counted, by_socket + tapped + 20)
            self.assertRegex(tap.said(), f"the source answered {counted} statements, the tap saw {tapped} exchanges")
            self.assertIn(f"the source itself counted {counted}", darktap("report", place / "s.db").out)
            # A handshake was tapped, and the target was asked for nothing but an answer.
            trips = report["run"]["round_trips"]
            self.assertGreater(trips["capture"]["handshakes"], 0)
            self.assertIsNotNone(trips["capture"]["tap_to_server_us"])
            self.assertIsNotNone(trips["target_us"])

    def test_a_dead_target_never_stops_the_tap(self):
        need_root("taps lo")
        with workplace() as place, two_servers(place) as (source, target):
            with self.shadow(place, source, target) as tap:
                visit(source, *USER, pages=3)
                time.sleep(1)
                target.process.kill()
                visit(source, *USER, pages=20, pause=0.02)
                time.sleep(1)
                self.assertIsNone(tap.process.poll(), f"the tap goes on:\n{tap.said()}")
                status, seconds = tap.interrupt()
                self.assertIn(status, (0, 3), tap.said())
                self.assertLess(seconds, END_SECONDS)
            report = self.report(place)
            self.assertGreaterEqual(report["ledger"]["compared"], 9)
            self.assertGreaterEqual(report["coverage"]["exchanges"], 69)
            self.assertEqual(report["findings"], [], "no answer is no difference")

    def test_a_frozen_target_that_comes_back_is_slow_and_no_more(self):
        need_root("taps lo")
        with workplace() as place, two_servers(place) as (source, target):
            with self.shadow(place, source, target) as tap:
                visit(source, *USER, pages=3)
                time.sleep(0.5)
                target.process.send_signal(signal.SIGSTOP)
                visit(source, *USER, pages=5)
                time.sleep(2)
                target.process.send_signal(signal.SIGCONT)
                time.sleep(2)
                status, _ = tap.interrupt()
                self.assertEqual(status, 0, tap.said())
            report = self.report(place)
            self.assertGreaterEqual(report["ledger"]["compared"], 24)
            self.assertEqual(report["ledger"]["target_failed"], 0)
