"""Writes replayed on real servers: kept, rolled back, refused; nothing of it on the source or the reference."""

import contextlib
import os
import re
import shutil
import subprocess
import time
import unittest

import pymysql

from lab import Server
from lab.server import as_root, end_with_parent
from shop import data, workload
from shop.schema import SCHEMA, TABLES
from workplace import DARKTAP, Case, darktap, environment, need_root, until, workplace
from writing import MARKER, PASSWORDS, USER, checksums, dump, mark, open_to_all, record, replay, restore, sysbench

RUNS = 3


class MySQL(Server):
    """A MySQL 8 server from DARKTAP_MYSQLD; has the same methods."""

    def start(self):
        mysqld = os.environ["DARKTAP_MYSQLD"]
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        data_folder = self.folder / "data"
        log = self.folder / "server.log"
        common = ["--no-defaults", *as_root(), f"--datadir={data_folder}", f"--tmpdir={self.folder}", "--mysqlx=OFF", "--innodb-buffer-pool-size=32M",
                  "--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0", "--performance-schema=OFF", "--skip-log-bin"]
        with open(log, "wb") as out:
            subprocess.run([mysqld, *common, "--initialize-insecure"], check=True, stdout=out, stderr=out)
            self._folder_fd = os.open(data_folder, os.O_RDONLY | os.O_DIRECTORY)
            self.process = subprocess.Popen([mysqld, *common, "--socket=s.sock", f"--port={self.port}", f"--bind-address={self.host}",
                                             "--default-authentication-plugin=mysql_native_password", *self.options],
                                            stdin=subprocess.DEVNULL, stdout=out, stderr=out, preexec_fn=end_with_parent)
        return self


def need_mysql_8():
    if not os.environ.get("DARKTAP_MYSQLD"):
        raise unittest.SkipTest("no MySQL 8: DARKTAP_MYSQLD names no mysqld")


@contextlib.contextmanager
def pair(kind=Server, options=()):
    """A place, a source and a target marked as disposable; both open to the tests' account."""
    with workplace() as place, kind(place / "source", options, cache=place.parent) as source, kind(place / "target", options, cache=place.parent) as target:
        open_to_all(source, target)
        mark(target)
        yield place, source, target


class Writes(Case):
    def report(self, store):
        done = darktap("report", store, "--format", "json")
        self.assertIn(done.status, (0, 1), done.err)
        report = done.json()
        self.assertEqual(sum(report["ledger"].values()), report["coverage"]["exchanges"])
        return report

    def findings(self, report, but=None):
        return [(f["difference"], f["cause"], f["events"], f["normalized"], f["examples"][:1]) for f in report["findings"]
                if but is None or but not in f["normalized"]]


class Disposable(Writes):
    def round_trips(self, place, source, target, schema, before, recording, *, but=None):
        after = checksums(source, schema)
        for run in range(RUNS):
            with self.subTest(run=run):
                restore(target, schema, before)
                done = replay(recording, target, place / f"{run}.db", schema=schema)
                self.assertEqual(checksums(target, schema), after, done.err)
                report = self.report(place / f"{run}.db")
                self.assertEqual(self.findings(report, but), [], done.err)
                self.assertEqual(done.status, 0, done.err + done.out)
                self.assertEqual(report["ledger"]["target_failed"], 0)
                self.assertEqual(report["run"]["order"], "commit")

    @contextlib.contextmanager
    def sysbench_recorded(self, kind, **options):
        """Two servers, what the source held at first, and a recording of what sysbench did to it."""
        need_root("taps lo")
        if not shutil.which("sysbench"):
            raise unittest.SkipTest("no sysbench installed (apt-get install sysbench)")
        with pair(kind) as (place, source, target):
            source.run(["CREATE DATABASE sb"])
            sysbench(source, "sb", "prepare")
            before = dump(source, "sb")
            yield place, source, target, before, record(place, source, lambda: sysbench(source, "sb", "run", **options))

    def sysbench_round_trips(self, kind):
        with self.sysbench_recorded(kind) as (place, source, target, before, recording):
            self.assertNotEqual(checksums(source, "sb"), {})
            self.round_trips(place, source, target, "sb", before, recording)

    def test_sysbench_read_write_replayed_three_times_leaves_the_same_tables_and_no_mismatch(self):
        self.sysbench_round_trips(Server)

    def test_the_same_holds_between_two_MySQL_8_servers(self):
        need_mysql_8()
        self.sysbench_round_trips(MySQL)

    def sixteen_connections(self, kind):
        """What no captured row tells the order of is rare: at most one read in five hundred, and never a table that ends otherwise."""
        with self.sysbench_recorded(kind, threads=16, events=300) as (place, source, target, before, recording):
            after = checksums(source, "sb")
            restore(target, "sb", before)
            done = replay(recording, target, place / "s.db", schema="sb")
            self.assertEqual(checksums(target, "sb"), after, done.err)
            report = self.report(place / "s.db")
            self.assertLessEqual(sum(f["events"] for f in report["findings"]), report["ledger"]["compared"] // 500, done.err)

    def test_sixteen_connections_leave_the_same_tables(self):
        self.sixteen_connections(Server)

    def test_so_they_do_between_two_MySQL_8_servers(self):
        need_mysql_8()
        self.sixteen_connections(MySQL)

    def test_a_row_planted_wrong_below_sixteen_connections_is_a_defect_each_time(self):
        with self.sysbench_recorded(Server, threads=16, events=300) as (place, source, target, before, recording):
            restore(target, "sb", before)
            # A row that many read and nobody wrote to.
            same = dict(source.query("SELECT id, c FROM sb.sbtest1 WHERE id BETWEEN 200 AND 300"))
            id = next(id for id, c in target.query("SELECT id, c FROM sb.sbtest1 WHERE id BETWEEN 256 AND 300") if same.get(id) == c)
            target.run([f"UPDATE sb.sbtest1 SET c = 'planted' WHERE id = {id}"])
            done = replay(recording, target, place / "s.db", schema="sb")
            self.assertEqual(done.status, 1, done.err)
            report = self.report(place / "s.db")
            shows_it = [f for f in report["findings"] if any("planted" in str(e["target"].get("rows")) for e in f["examples"])]
            self.assertNotEqual(shows_it, [])
            self.assertLessEqual({f["cause"] for f in shows_it}, {"defect", "unexamined"}, [(f["cause"], f["normalized"]) for f in shows_it])
            # Of the others, what no captured row tells the order of.
            others = [f for f in report["findings"] if f["cause"] not in ("defect", "unexamined")]
            self.assertLessEqual(sum(f["events"] for f in others), report["ledger"]["compared"] // 500, [(f["cause"], f["normalized"], f["examples"][0]["evidence"]) for f in others])

    def planted_rows_are_excused_by_nothing(self, kind, sandbox):
        with self.sysbench_recorded(kind, threads=8, events=160) as (place, source, target, before, recording):
            restore(target, "sb", before)
            # Some of them are written to by the recording, some are not.
            changes = ("c = CONCAT('wrong', SUBSTRING(c, 6))", "k = k + 1000", "c = CONCAT(c, ' ')", "c = UPPER(CONCAT('x', c))", None)
            for table in ("sbtest1", "sbtest2"):
                target.run([f"UPDATE sb.{table} SET {change} WHERE id = {id}" if change else f"DELETE FROM sb.{table} WHERE id = {id}"
                            for id, change in zip(range(205, 300, 4), changes * 5)])
            done = replay(recording, target, place / "s.db", "--reference", source.url(USER[0], "sb"), "--requery-rate", 2000, "--requery-budget", 100000,
                          schema="sb", sandbox=sandbox)
            self.assertEqual(done.status, 1, done.err)
            # Where no captured row tells the order of two commits, the target gives the source's answer once it has both: no planted row is in it.
            came_right = lambda f: f["cause"] == "replay_artifact" and all("gave the source's answer" in e["evidence"]["reason"] for e in f["examples"])
            found = [f for f in self.report(place / "s.db")["findings"] if not came_right(f)]
            return {f["cause"]: [(e["sql"], e["params"], e["evidence"]) for e in f["examples"][:2]] for f in found}

    def test_rows_planted_wrong_of_which_some_are_written_to_are_excused_by_nothing(self):
        found = self.planted_rows_are_excused_by_nothing(Server, "disposable")
        self.assertLessEqual(set(found), {"defect", "unexamined"}, found)
        self.assertIn("defect", found)

    def test_nor_are_they_between_two_MySQL_8_servers(self):
        need_mysql_8()
        self.assertLessEqual(set(self.planted_rows_are_excused_by_nothing(MySQL, "disposable")), {"defect", "unexamined"})

    def shop_round_trips(self, kind):
        need_root("taps lo")
        with pair(kind) as (place, source, target):
            source.run([f"CREATE DATABASE {SCHEMA}", f"USE {SCHEMA}", *(table.plain() for table in TABLES)])
            data.fill(source, SCHEMA)
            before = dump(source, SCHEMA)
            recording = record(place, source, lambda: workload.run(source.host, source.port, *USER, pages=40))
            # RAND() is drawn anew wherever it is asked: the one thing here that no pin makes alike.
            self.round_trips(place, source, target, SCHEMA, before, recording, but="rand()")

    def test_the_shop_replayed_three_times_leaves_the_same_tables_its_clock_and_ids_included(self):
        self.shop_round_trips(Server)

    def test_the_shop_holds_between_two_MySQL_8_servers(self):
        need_mysql_8()
        self.shop_round_trips(MySQL)

    def test_a_write_that_the_target_does_otherwise_is_found(self):
        need_root("taps lo")
        with pair() as (place, source, target):
            source.run(["CREATE DATABASE s", "CREATE TABLE s.t (id INT PRIMARY KEY, a INT)", "INSERT INTO s.t VALUES (1, 1), (2, 2), (3, 3)"])
            before = dump(source, "s")

            def work():
                connection = pymysql.connect(host=source.host, port=source.port, user=USER[0], password=USER[1], database="s", autocommit=True)
                with connection.cursor() as cursor:
                    cursor.execute("UPDATE t SET a = a + 1 WHERE id < 3")
                    cursor.execute("INSERT INTO t VALUES (4, 4)")
                    cursor.execute("DELETE FROM t WHERE id = 9")
                connection.close()
            recording = record(place, source, work)
            restore(target, "s", before)
            target.run(["DELETE FROM s.t WHERE id = 2", "INSERT INTO s.t VALUES (4, 40), (9, 9)"])
            done = replay(recording, target, place / "s.db", schema="s")
            self.assertEqual(done.status, 1, done.err)
            found = {(f["difference"], f["cause"]) for f in self.report(place / "s.db")["findings"]}
            self.assertEqual(found, {("affected_rows", "defect"), ("error_only_target", "defect")})


class Rollback(Writes):
    def test_nothing_stays_and_a_transaction_sees_its_own_writes(self):
        need_root("taps lo")
        with pair() as (place, source, target):
            source.run(["CREATE DATABASE s", "CREATE TABLE s.t (id INT PRIMARY KEY AUTO_INCREMENT, a INT)", "CREATE TABLE s.log (a INT) ENGINE=MyISAM",
                        "INSERT INTO s.t VALUES (1, 1), (2, 2)"])
            before = dump(source, "s")

            def work():
                connection = pymysql.connect(host=source.host, port=source.port, user=USER[0], password=USER[1], database="s", autocommit=True)
                with connection.cursor() as cursor:
                    cursor.execute("INSERT INTO t (a) VALUES (3)")
                    connection.begin()
                    cursor.execute("UPDATE t SET a = 10 WHERE id = 1")
                    cursor.execute("SELECT a FROM t WHERE id = 1")
                    connection.commit()
                    cursor.execute("INSERT INTO log VALUES (1)")
                    cursor.execute("CREATE TABLE other (a INT)")
                    cursor.execute("DELETE FROM t WHERE id = 2")
                connection.close()
            recording = record(place, source, work)
            restore(target, "s", before)
            kept = checksums(target, "s")
            done = replay(recording, target, place / "s.db", schema="s", sandbox="rollback")
            self.assertEqual(done.status, 0, done.err + done.out)
            self.assertEqual(checksums(target, "s"), kept)
            report = self.report(place / "s.db")
            self.assertEqual(self.findings(report), [])
            reasons = report["ledger_reasons"]["skipped"]
            self.assertEqual(reasons["not_transactional: s.log"], 1)
            self.assertEqual(reasons["ddl"], 1)

    def test_sysbench_leaves_the_tables_as_they_were(self):
        need_root("taps lo")
        if not shutil.which("sysbench"):
            raise unittest.SkipTest("no sysbench installed (apt-get install sysbench)")
        with pair() as (place, source, target):
            source.run(["CREATE DATABASE sb"])
            sysbench(source, "sb", "prepare", size=100)
            before = dump(source, "sb")
            recording = record(place, source, lambda: sysbench(source, "sb", "run", size=100, events=60))
            restore(target, "sb", before)
            kept = checksums(target, "sb")
            done = replay(recording, target, place / "s.db", schema="sb", sandbox="rollback", order="session")
            self.assertIn(done.status, (0, 1), done.err)
            self.assertEqual(checksums(target, "sb"), kept)
            causes = {f["cause"] for f in self.report(place / "s.db")["findings"]}
            self.assertLessEqual(causes, {"skipped_write", "unexamined"})


    def shop_is_left_as_it_was(self, kind):
        need_root("taps lo")
        with pair(kind) as (place, source, target):
            source.run([f"CREATE DATABASE {SCHEMA}", f"USE {SCHEMA}", *(table.plain() for table in TABLES)])
            data.fill(source, SCHEMA)
            before = dump(source, SCHEMA)
            recording = record(place, source, lambda: workload.run(source.host, source.port, *USER, pages=10))
            restore(target, SCHEMA, before)
            kept = checksums(target, SCHEMA)
            for run in range(RUNS):
                done = replay(recording, target, place / f"{run}.db", schema=SCHEMA, sandbox="rollback")
                self.assertIn(done.status, (0, 1), done.err)
                self.assertEqual(checksums(target, SCHEMA), kept)
                self.assertEqual(self.report(place / f"{run}.db")["ledger"]["target_failed"], 0)

    def test_the_shop_leaves_the_tables_as_they_were(self):
        self.shop_is_left_as_it_was(Server)

    def test_the_shop_leaves_the_tables_of_a_MySQL_8_server_as_they_were(self):
        need_mysql_8()
        self.shop_is_left_as_it_was(MySQL)

    def test_a_transaction_whose_begin_was_not_captured_is_rolled_back_too(self):
        need_root("taps lo")
        with pair() as (place, source, target):
            source.run(["CREATE DATABASE s", "CREATE TABLE s.t (id INT PRIMARY KEY, a INT)", "INSERT INTO s.t VALUES (1, 1), (2, 2)"])
            before = dump(source, "s")
            connection = pymysql.connect(host=source.host, port=source.port, user=USER[0], password=USER[1], database="s", autocommit=True)
            connection.begin()

            def work():
                with connection.cursor() as cursor:
                    cursor.execute("UPDATE s.t SET a = 10 WHERE id = 1")
                    cursor.execute("DELETE FROM s.t WHERE id = 2")
                    connection.commit()
                connection.close()
            recording = record(place, source, work)
            restore(target, "s", before)
            kept = checksums(target, "s")
            done = replay(recording, target, place / "s.db", schema="s", sandbox="rollback")
            self.assertEqual(done.status, 0, done.err + done.out)
            self.assertEqual(checksums(target, "s"), kept)
            self.assertGreaterEqual(self.report(place / "s.db")["ledger"]["compared"], 3)


class Killed(Writes):
    def test_a_run_that_was_killed_sends_no_write_twice_when_it_goes_on(self):
        need_root("taps lo")
        with pair() as (place, source, target):
            source.run(["CREATE DATABASE s", "CREATE TABLE s.t (k INT, n INT, PRIMARY KEY (k, n))"])
            before = dump(source, "s")

            def work():
                connections = [pymysql.connect(host=source.host, port=source.port, user=USER[0], password=USER[1], database="s", autocommit=True) for _ in range(4)]
                for n in range(100):
                    for k, connection in enumerate(connections):
                        with connection.cursor() as cursor:
                            if n % 4 == 0:
                                cursor.execute("BEGIN")
                            cursor.execute(f"INSERT INTO t VALUES ({k}, {n})")
                            if n % 4 == 2:
                                cursor.execute("COMMIT")
                    time.sleep(0.02)
                for connection in connections:
                    connection.close()
            recording = record(place, source, work)
            restore(target, "s", before)
            target.run(["SET GLOBAL log_output = 'TABLE'", "SET GLOBAL general_log = 1"])
            sent = "SELECT argument FROM mysql.general_log WHERE command_type = 'Query' AND argument LIKE 'INSERT INTO t VALUES%'"
            command = [DARKTAP, "replay", recording, "--target", target.url(USER[0], "s"), "--store", place / "s.db", "--run", "both", "--sandbox", "disposable"]
            first = subprocess.Popen([str(word) for word in command], env=environment(PASSWORDS), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            until(lambda: len(target.query(sent)) > 60, "the replay has sent some writes")
            first.kill()
            first.wait()
            self.assertTrue((place / "s.db.1.sent").exists())
            done = darktap(*command[1:], "--resume", "1", passwords=PASSWORDS)
            self.assertIn(done.status, (0, 1), done.err)
            texts = [text for (text,) in target.query(sent)]
            self.assertEqual(len(texts), len(set(texts)), "no INSERT went out twice")
            report = self.report(place / "s.db")
            self.assertEqual({f["cause"] for f in report["findings"]} - {"skipped_write"}, set())
            lost = report["ledger_reasons"].get("target_failed", {})
            self.assertLessEqual(set(lost), {"replay: sent_before_stop", "replay: transaction_lost"})
            self.assertFalse((place / "s.db.1.sent").exists(), "the run is whole")


class Safety(Writes):
    @contextlib.contextmanager
    def recorded(self):
        need_root("taps lo")
        with workplace() as place, Server(place / "source", cache=place.parent) as source, Server(place / "target", cache=place.parent) as target:
            open_to_all(source, target)
            source.run(["CREATE DATABASE s", "CREATE TABLE s.t (id INT PRIMARY KEY, a INT)", "INSERT INTO s.t VALUES (1, 1)"])
            before = dump(source, "s")

            def work():
                connection = pymysql.connect(host=source.host, port=source.port, user=USER[0], password=USER[1], database="s", autocommit=True)
                with connection.cursor() as cursor:
                    for n in range(5):
                        cursor.execute("UPDATE t SET a = %s WHERE id = 1", (n,))
                        cursor.execute("SELECT a FROM t WHERE id = 1")
                connection.close()
            recording = record(place, source, work)
            restore(target, "s", before)
            yield place, source, target, recording

    def test_a_target_that_is_not_marked_for_it_is_refused_with_4_before_anything_is_sent(self):
        with self.recorded() as (place, source, target, recording):
            place_of = f"127.0.0.1:{target.port}"
            kept = checksums(target, "s")

            def refused(*words, sandbox="disposable", run="both", options=()):
                done = replay(recording, target, place / "s.db", *options, schema="s", sandbox=sandbox, run=run)
                self.assert_refused(done, 4, place_of, *words)
                self.assertFalse((place / "s.db").exists())
                self.assertEqual(target.status()["com_update"], 0)

            for sandbox in ("disposable", "rollback"):
                for run in ("both", "writes"):
                    with self.subTest("no marker", sandbox=sandbox, run=run):
                        refused(MARKER, "INSERT INTO", sandbox=sandbox, run=run)
            mark(target, disposable=0)
            with self.subTest("not disposable"):
                refused("disposable")
            target.query(f"INSERT INTO {MARKER} VALUES ('{place_of}', 1)")
            with self.subTest("two rows"):
                refused("more than one row")
                refused("more than one row", sandbox="rollback")
            target.query(f"DELETE FROM {MARKER}")
            with self.subTest("no row"):
                refused("is empty")
            target.query(f"INSERT INTO {MARKER} VALUES ('127.0.0.1:{source.port}', 1)")
            with self.subTest("another target's"):
                refused(f"names '127.0.0.1:{source.port}'")
            with self.subTest("another table"):
                refused("elsewhere.marker", options=("--marker", "elsewhere.marker"))
            mark(target, schema="elsewhere")
            self.assertEqual(checksums(target, "s"), kept)
            self.assertEqual(replay(recording, target, place / "s.db", "--marker", "elsewhere.marker", schema="s").status, 0)

    def test_the_source_is_refused_even_where_it_is_marked(self):
        with self.recorded() as (place, source, _, recording):
            mark(source)
            before = source.status()["com_update"]
            self.assert_refused(replay(recording, source, place / "s.db", schema="s"), 4, "it is the source")
            self.assertEqual(source.status()["com_update"], before)

    def test_nothing_is_written_to_source_or_reference(self):
        with self.recorded() as (place, source, target, recording):
            mark(target)
            with Server(place / "reference", cache=place.parent) as reference:
                open_to_all(reference)
                restore(reference, "s", dump(target, "s"))
                target.query("UPDATE s.t SET a = 100")  # so that there are questions to ask
                target.query("INSERT INTO s.t VALUES (2, 2)")
                for server in (source, reference):
                    server.query("SET GLOBAL log_output = 'TABLE'")
                    server.query("SET GLOBAL general_log = 1")
                done = replay(recording, target, place / "s.db", "--reference", reference.url(USER[0], "s"), "--source", source.url(USER[0]), schema="s")
                self.assertIn(done.status, (0, 1), done.err)
                for server in (source, reference):
                    said = [text.decode() if isinstance(text, bytes) else text for (text,) in server.query(
                        "SELECT argument FROM mysql.general_log WHERE command_type IN ('Query', 'Execute', 'Prepare') AND user_host LIKE %s", (f"%{USER[0]}%",))]
                    with self.subTest(server.folder.name):
                        self.assertNotEqual(said, [])
                        for text in said:
                            self.assertRegex(text, re.compile(r"^\s*(SELECT|SHOW|SET (NAMES|SESSION)|START TRANSACTION|COMMIT|ROLLBACK|EXPLAIN)\b", re.I))
                            self.assertNotRegex(text, re.compile(r"\b(UPDATE|INSERT|DELETE|REPLACE|CREATE|DROP|ALTER)\b(?! READ)", re.I))
