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
from test_replay import PASSWORDS, USER, two_servers
from workplace import Case, darktap, need_root, workplace


class Shadow(Case):
    LOCK = "shadow"  # one at a time: they watch how fast things go

    def shadow(self, place, source, target, *options):
        return tapping("shadow", "-i", "lo", "--port", source.port, "--target", target.url(USER[0], SCHEMA), "--reference",
                       source.url(USER[0], SCHEMA), "--store", place / "s.db", "--listen", f"127.0.0.1:{free_port()}", *options,
                       passwords=PASSWORDS, log=place / "shadow.log")

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
