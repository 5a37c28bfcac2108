"""The same recording, data and options give the same report, to the byte, but for times."""

import contextlib
import re
import time

import pymysql

from lab import Server
from lab.stack import account
from live import tapping, visit
from shop import data
from shop.schema import SCHEMA, TABLES
from workplace import Case, darktap, need_root, workplace

USER = ("tester", "tester-lab-secret")
PASSWORDS = {"target": USER[1], "reference": USER[1], "source": USER[1]}
SESSIONS, ROUNDS = 4, 12


@contextlib.contextmanager
def three_servers(place):
    """A source, a reference with its data, and a target that lays them out otherwise and holds planted wrong rows."""
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(Server(place / name, cache=place.parent)) for name in ("source", "reference", "target")]
        for server in servers:
            server.run([*account(USER, "SELECT", f"{SCHEMA}.*"), *account(USER, "PROCESS, BINLOG MONITOR, SLAVE MONITOR"),
                        f"CREATE DATABASE {SCHEMA}", f"USE {SCHEMA}", *(table.plain() for table in TABLES)])
            data.fill(server, SCHEMA)
        target = servers[2]
        target.run([f"USE {SCHEMA}", "ALTER TABLE customers DROP KEY by_city", "ALTER TABLE products DROP KEY by_category",
                    "ALTER TABLE orders DROP KEY by_status, DROP KEY by_customer"])
        data.plant(target, SCHEMA)
        yield servers


def statements(session, round):
    number = session * ROUNDS + round
    yield f"SELECT id, name FROM customers WHERE id = {number + 1} /* page {number} */"
    yield f"SELECT id, name, price FROM products WHERE id = {40 + number % 10}"
    yield f"SELECT id, city FROM customers ORDER BY city LIMIT {number % 7 + 3}"
    yield f"SELECT id FROM products WHERE category = (SELECT category FROM products WHERE id = {number % 20 + 1})"
    yield f"SELECT status, GROUP_CONCAT(id) FROM orders WHERE customer_id < {number % 9 + 2} GROUP BY status"
    yield f"SELECT id FROM customers ORDER BY city, points DESC LIMIT {number % 5 + 2} OFFSET 10"


def record(place, source):
    recording = place / "twice.dtap"
    with tapping("capture", "-i", "lo", "--port", source.port, "-w", recording, log=place / "capture.log") as tap:
        sessions = [pymysql.connect(host=source.host, port=source.port, user=USER[0], password=USER[1], database=SCHEMA, charset="utf8mb4", autocommit=True) for _ in range(SESSIONS)]
        for round in range(ROUNDS):
            for number, session in enumerate(sessions):
                for sql in statements(number, round):
                    with session.cursor() as cursor:
                        cursor.execute(sql)
        for session in sessions:
            session.close()
        time.sleep(0.3)
        status, _ = tap.interrupt()
        assert status == 0, tap.said()
    return recording


def without_times(text):
    """Durations, when the run was, and how many questions fitted into its ladders. Capture times stay: they are the recording's."""
    text = re.sub(r'("questions":\{.*?\}\})', lambda found: re.sub(r'"n":\d+', '"n":0', found.group(1)), text, count=1)
    text = re.sub(r'("\w+_us"):(\d+|\[[^\]]*\]|null)', r"\1:0", text)
    return re.sub(r'("started"|"finished"):"[^"]*"', r"\1:0", text)


class ReportTwice(Case):
    def test_two_runs_of_one_recording_are_reported_in_the_same_bytes(self):
        need_root("taps lo")
        with workplace() as place, three_servers(place) as (source, reference, target):
            recording = record(place, source)
            reports = []
            for store in ("one.db", "two.db"):
                done = darktap("replay", recording, "--target", target.url(USER[0], SCHEMA), "--reference", reference.url(USER[0], SCHEMA),
                               "--store", place / store, "--pace", "max", "--requery-rate", "500", "--requery-budget", "10000", passwords=PASSWORDS)
                self.assertEqual(done.status, 1, done.err)
                reports.append(darktap("report", place / store, "--format", "json"))
            one, two = (without_times(report.out) for report in reports)
            if one != two:
                at = next(i for i, (x, y) in enumerate(zip(one, two)) if x != y)
                self.fail(f"differ at byte {at}:\n…{one[max(0, at - 300):at + 200]}\n…{two[max(0, at - 300):at + 200]}")
            self.look_at_examples(reports[0].json())

    def look_at_examples(self, report):
        causes = {finding["cause"] for finding in report["findings"]}
        self.assertLessEqual({"defect", "order_undefined"}, causes)
        for finding in report["findings"]:
            for example in finding["examples"]:
                self.assertEqual(sorted(example), ["evidence", "explain", "params", "provenance", "seq", "session", "session_strip", "source", "sql", "target", "time"])
                self.assertEqual(example["provenance"]["file"], "lo", "where its packets came from")
                before = [statement["seq"] for statement in example["session_strip"]]
                self.assertEqual(before, sorted(before))
                self.assertTrue(all(seq < example["seq"] for seq in before) and len(before) <= 8)
        defects = [finding for finding in report["findings"] if finding["cause"] == "defect"]
        self.assertTrue(any("WHERE id = 45" in example["sql"] for finding in defects for example in finding["examples"]))
        for finding in defects:
            plan = finding["evidence"]["explain"]
            self.assertEqual(finding["examples"][0]["explain"], plan)
            for side in ("reference", "target"):
                self.assertIn("table", plan[side][0], f"the plan on the {side}")

    def test_a_server_compared_with_its_like_shows_nothing_but_what_is_drawn_anew(self):
        need_root("taps lo")
        with workplace() as place, three_servers(place) as (source, reference, _):
            with tapping("capture", "-i", "lo", "--port", source.port, "-w", place / "aa.dtap", log=place / "capture.log") as tap:
                visit(source, *USER, 10)
                session = pymysql.connect(host=source.host, port=source.port, user=USER[0], password=USER[1], database=SCHEMA, charset="utf8mb4", autocommit=True)
                with session, session.cursor() as cursor:
                    for number in range(5):
                        cursor.execute(f"SELECT id, UUID(), RAND() FROM customers WHERE id = {number + 1}")
                time.sleep(0.3)
                status, _ = tap.interrupt()
                self.assertEqual(status, 0, tap.said())
            like = ["--target", reference.url(USER[0], SCHEMA), "--reference", reference.url(USER[0], SCHEMA)]
            done = darktap("replay", place / "aa.dtap", *like, "--store", place / "refused.db", passwords=PASSWORDS)
            self.assert_refused(done, 4)
            done = darktap("replay", place / "aa.dtap", *like, "--aa", "--calibrate", 20, "--store", place / "aa.db", passwords=PASSWORDS)
            self.assertEqual(done.status, 0, done.err)
            self.assertRegex(done.err, r"calibration: [1-9]\d* reads were asked twice of the reference; 1 statements answered differently")
            report = darktap("report", place / "aa.db", "--format", "json").json()
            self.assertEqual({finding["cause"] for finding in report["findings"]}, {"nondeterministic"})
            self.assertGreater(report["run"]["questions"]["reference"]["n"], 0)
            alone = darktap("replay", place / "aa.dtap", *like[:2], "--aa", "--store", place / "alone.db", passwords=PASSWORDS)
            self.assertEqual(alone.status, 0, alone.err)
            report = darktap("report", place / "alone.db", "--format", "json").json()
            self.assertEqual(report["run"]["reference"], report["run"]["target"], "one server against itself")
            self.assertEqual({finding["cause"] for finding in report["findings"]}, {"nondeterministic"})

    def test_calibration_needs_a_reference(self):
        with workplace() as place:
            done = darktap("replay", place / "none.dtap", "--target", "mysql://tester@127.0.0.1:1/shop", "--calibrate", 20, "--store", place / "s.db", passwords=PASSWORDS)
            self.assert_refused(done, 2, "--calibrate 20", "--reference")
