"""Sessions at the target as they were captured: who they were, what they had set, cursors, bulk executes and long data; and what a
rollback sandbox makes of statements that would commit."""

import signal
import time
import unittest

import binary
import pymysql

from lab import Server
from lab.stack import account
from live import tapping
from test_writes import MySQL, need_mysql_8, pair
from workplace import Case, darktap, need_root, workplace
from writing import PASSWORDS, USER, checksums, dump, mark, open_to_all, record, replay, restore


def connect(server, schema="s", kind=pymysql.Connection, user=USER, **options):
    return kind(host=server.host, port=server.port, user=user[0], password=user[1], database=schema, autocommit=True, charset="utf8mb4", **options)


class Fidelity(Case):
    def report(self, store):
        report = darktap("report", store, "--format", "json").json()
        self.assertEqual(sum(report["ledger"].values()), report["coverage"]["exchanges"])
        return report

    def skipped(self, report):
        return report["ledger_reasons"].get("skipped", {})


class Rollback(Fidelity):
    ATTACKS = (
        "SET autocommit = 1", "INSERT INTO t (a) VALUES (1)", "BEGIN", "UPDATE t SET a = a + 1", "COMMIT AND CHAIN", "UPDATE t SET a = a + 1", "COMMIT", "BEGIN", "DELETE FROM t WHERE id = 1", "SAVEPOINT x",
        "DELETE FROM t", "RELEASE SAVEPOINT x", "SET autocommit = 1", "SET autocommit = 0", "DELETE FROM t WHERE id = 2", "SET @@session.autocommit = ON", "BEGIN; DELETE FROM t; COMMIT",
        "SET autocommit = 0; DELETE FROM t WHERE id = 3; SET autocommit = 1", "START TRANSACTION", "UPDATE t SET a = 100", "CREATE TABLE made (a INT)", "UPDATE t SET a = 101", "COMMIT",
        "BEGIN", "UPDATE t SET a = 102", "LOCK TABLES t WRITE", "UPDATE t SET a = 103", "UNLOCK TABLES", "BEGIN", "UPDATE t SET a = 104", "START TRANSACTION", "UPDATE t SET a = 105", "TRUNCATE t2",
        "PREPARE s FROM 'COMMIT'", "UPDATE t SET a = 106", "EXECUTE s", "EXECUTE IMMEDIATE 'COMMIT'", "BEGIN NOT ATOMIC UPDATE t SET a = 107; COMMIT; END", "UPDATE t SET a = 108; COMMIT",
        "CALL keep()", "SELECT note()", "SET STATEMENT max_statement_time = 10 FOR UPDATE t SET a = 109", "SET STATEMENT max_statement_time = 10 FOR COMMIT", "BEGIN", "UPDATE t SET a = 110",
        "FLUSH TABLES", "ANALYZE TABLE t", "ANALYZE UPDATE t SET a = 111", "INSERT INTO log VALUES (1)", "INSERT INTO LOG VALUES (2)", "INSERT INTO v VALUES (3)", "UPDATE t, log SET t.a = 1, log.a = 9",
        "INSERT INTO mysql.help_topic VALUES (99999, 'x', 1, '', '', '')", "XA START 'x'", "UPDATE t SET a = 112", "XA END 'x'", "XA COMMIT 'x' ONE PHASE", "SET SESSION completion_type = 1", "COMMIT",
        "ALTER TABLE t ADD b INT", "INSERT INTO t (a) SELECT 5", "GRANT SELECT ON s.* TO nobody@localhost", "SELECT NEXTVAL(q)", "REPLACE INTO t VALUES (1, 5)", "SET autocommit = 0", "UPDATE t SET a = 113")

    def nothing_persists(self, kind, options, sequence):
        need_root("taps lo")
        with pair(kind, options) as (place, source, target):
            for server in (source, target):
                server.run(["CREATE DATABASE s", "USE s", "CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, a INT)", "CREATE TABLE t2 (a INT)", "CREATE TABLE log (a INT) ENGINE=MyISAM",
                            "CREATE VIEW v AS SELECT * FROM log", *sequence, "INSERT INTO t VALUES (1, 1), (2, 2), (3, 3)", "INSERT INTO t2 VALUES (1)",
                            "CREATE PROCEDURE keep() BEGIN UPDATE t SET a = 50; COMMIT; END", "CREATE FUNCTION note() RETURNS INT DETERMINISTIC BEGIN INSERT INTO log VALUES (77); RETURN 1; END"])

            def work():
                for how in ("as text", "prepared"):
                    connection = connect(source, kind=binary.Connection, client_flag=pymysql.constants.CLIENT.MULTI_STATEMENTS)
                    for statement in self.ATTACKS:
                        try:
                            if how == "as text":
                                connection.query(statement)
                                while connection._result.has_next:
                                    connection.next_result()
                            else:
                                connection.execute(connection.prepare(statement))
                        except pymysql.Error:
                            pass
                    connection.close()

            def state():
                return checksums(target, "s"), target.query("SELECT COUNT(*) FROM mysql.help_topic"), target.query("SELECT COUNT(*) FROM mysql.user"), target.query("SHOW GLOBAL VARIABLES LIKE 'autocommit'")
            recording = record(place, source, work)
            kept = state()
            allow = "stored_routine,ddl,schema_change,prepared_statement,table_lock,flush,table_maintenance,account,sequence,file,not_understood,unsafe,transaction"
            for order in ("session", "commit"):
                done = replay(recording, target, place / f"{order}.db", "--allow", allow, schema="s", sandbox="rollback", order=order)
                self.assertIn(done.status, (0, 1), done.err)
                self.assertEqual(state(), kept, done.err)
                report = self.report(place / f"{order}.db")
                self.assertEqual(report["ledger"]["target_failed"], 0, done.err)
                self.assertGreater(report["ledger"]["compared"], 80, "most of it is sent")

    def test_nothing_persists_whatever_commits(self):
        self.nothing_persists(Server, ("--lower-case-table-names=1",), ("CREATE SEQUENCE q ENGINE=InnoDB",))

    def test_nothing_persists_on_MySQL_8_either(self):
        need_mysql_8()
        self.nothing_persists(MySQL, (), ())

    def test_a_write_that_depends_on_one_that_was_rolled_back_is_no_defect(self):
        need_root("taps lo")
        with pair() as (place, source, target):
            for server in (source, target):
                server.run(["CREATE DATABASE s", "CREATE TABLE s.t (id INT PRIMARY KEY, a INT, b INT)", "INSERT INTO s.t VALUES (1, 1, 1), (2, 2, 2), (7, 7, 7)"])
            target.run(["UPDATE s.t SET id = 70 WHERE id = 7", "ALTER TABLE s.t DROP COLUMN b"])

            def work():
                connection = connect(source)
                for statement in ("INSERT INTO t (id, a) VALUES (3, 3)", "UPDATE t SET a = 4 WHERE id = 3", "DELETE FROM t WHERE id = 1", "INSERT INTO t (id, a) VALUES (1, 5)", "UPDATE t SET a = 8 WHERE id = 7",
                                  "UPDATE t SET b = 8 WHERE id = 3"):  # the last one meets no such row there, but fails for another reason
                    connection.query(statement)
                connection.close()
            recording = record(place, source, work)
            done = replay(recording, target, place / "s.db", schema="s", sandbox="rollback", order="session")
            found = {(f["normalized"], f["difference"], f["cause"], f["events"]) for f in self.report(place / "s.db")["findings"]}
            self.assertEqual(found, {("update t set a = ? where id = ?", "affected_rows", "skipped_write", 1), ("insert into t (id, a) values (?+)", "error_only_target", "skipped_write", 1),
                                     ("update t set a = ? where id = ?", "affected_rows", "defect", 1)} | {("update t set b = ? where id = ?", "error_only_target", "defect", 1)}, done.err)


class Drivers(Fidelity):
    DRIVERS = (
        "SELECT DATABASE()", "SELECT * FROM t",  # none is chosen: NULL, and an error
        "SELECT a FROM s.t WHERE id = 1", "USE s", "SELECT DATABASE()",
        "SET @@SESSION.sql_mode = CONCAT(@@sql_mode, ',ANSI_QUOTES'), @@SESSION.group_concat_max_len = 4, @@SESSION.wait_timeout = 2147483", "SELECT \"a\" FROM t WHERE id = 1",
        "SET character_set_results = NULL, autocommit = 1, sql_mode = 'PIPES_AS_CONCAT', net_write_timeout = 600", "SELECT 'x' || a FROM t WHERE id = 2", "SELECT GROUP_CONCAT(id) FROM t",
        "SET sql_safe_updates=1, sql_select_limit=2, max_join_size=1000000", "SELECT id FROM t ORDER BY id", "UPDATE t SET a = 5")

    def driven(self, kind):
        need_root("taps lo")
        with pair(kind) as (place, source, target):
            for server in (source, target):
                server.run(["CREATE DATABASE s", "CREATE TABLE s.t (id INT PRIMARY KEY, a INT)", "INSERT INTO s.t VALUES (1, 1), (2, 2), (3, 3)"])

            def work():
                connection = connect(source, None)
                for statement in self.DRIVERS:
                    try:
                        connection.query(statement)
                    except pymysql.Error:
                        pass
                connection.close()
            recording = record(place, source, work)
            kept = checksums(target, "s")
            for run in ("reads", "both"):
                done = replay(recording, target, place / f"{run}.db", schema="s", run=run, sandbox="rollback")
                report = self.report(place / f"{run}.db")
                self.assertEqual([(f["normalized"], f["cause"]) for f in report["findings"]], [], done.err)
                self.assertEqual(done.status, 0, done.err)
                self.assertLessEqual(set(self.skipped(report)), {"write", "connection_command", "transaction_control"})
                self.assertIn("net_write_timeout (1), wait_timeout (1)", done.err)
                self.assertEqual(checksums(target, "s"), kept)

    def test_what_drivers_set_in_one_statement_holds_but_for_what_is_held_back_and_no_schema_is_none(self):
        self.driven(Server)

    def test_so_it_does_on_MySQL_8(self):
        need_mysql_8()
        self.driven(MySQL)

    def test_a_session_that_was_joined_with_another_sql_mode_is_no_defect_where_asking_under_it_agrees(self):
        need_root("taps lo")
        with pair() as (place, source, target):
            for server in (source, target):
                server.run(["CREATE DATABASE s", "CREATE TABLE s.t (id INT PRIMARY KEY, a INT)", "INSERT INTO s.t VALUES (1, 1), (2, 2), (3, 3)"])
            target.run(["UPDATE s.t SET a = 4 WHERE id = 3"])
            connection = connect(source)
            connection.query("SET sql_mode = 'PIPES_AS_CONCAT,ANSI_QUOTES'")

            def work():
                connection.query("SELECT \"a\" || 'x' FROM t WHERE id = 1")
                connection.query("SELECT \"a\" FROM t WHERE id = 3")
                connection.close()
            recording = record(place, source, work)
            done = replay(recording, target, place / "s.db", schema="s", run="reads")
            found = {(f["normalized"], f["difference"]): f for f in self.report(place / "s.db")["findings"]}
            self.assertEqual({key: f["cause"] for key, f in found.items() if key[1] == "row_values"},
                             {("select ? || ? from t where id = ?", "row_values"): "replay_artifact", ("select ? from t where id = ?", "row_values"): "defect"}, done.err)
            self.assertEqual(found["select ? || ? from t where id = ?", "row_values"]["evidence"]["agrees_under_sql_mode"], "ANSI_QUOTES,PIPES_AS_CONCAT")
            self.assertIn("1 sessions were joined in their middle", done.err)


class Determinism(Fidelity):
    def test_what_each_server_draws_for_itself_is_no_defect_and_sysdate_is_written_in(self):
        need_root("taps lo")
        with pair() as (place, source, target):
            for server in (source, target):
                server.run(["CREATE DATABASE s", "CREATE TABLE s.t (id INT PRIMARY KEY, token VARCHAR(40), at DATETIME(6), n INT)", "INSERT INTO s.t VALUES (9, 'x', NULL, 9)"])
            target.query("UPDATE s.t SET n = 90, at = '2026-01-01'")
            target.query("CREATE TRIGGER s.spoils BEFORE INSERT ON s.t FOR EACH ROW SET NEW.n = IF(NEW.id = 3, 33, NEW.n)")
            source.query("UPDATE s.t SET at = '2026-01-01'")

            def work():
                connection = connect(source)
                for statement in ("SET time_zone = '+03:00'", "INSERT INTO t VALUES (1, UUID(), SYSDATE(3), 1)", "INSERT INTO t VALUES (2, 'y', SYSDATE(), 2)",
                                  "SELECT token FROM t WHERE id = 1", "SELECT n, TIMESTAMPDIFF(SECOND, at, NOW()) < 1000 FROM t WHERE id = 2", "SELECT n, at FROM t WHERE id = 9",
                                  "UPDATE t SET token = RAND() WHERE id = 2", "SELECT token FROM t WHERE id = 2",
                                  "INSERT INTO t (id, token, n) VALUES (3, UUID(), 3)", "SELECT token, n FROM t WHERE id = 3"):
                    connection.query(statement)
                connection.close()
            recording = record(place, source, work)
            time.sleep(2)
            done = replay(recording, target, place / "s.db", schema="s")
            report = self.report(place / "s.db")
            self.assertEqual({(f["normalized"], f["cause"], f["events"]) for f in report["findings"]},
                             {("select token from t where id = ?", "nondeterministic", 2), ("select n, at from t where id = ?", "defect", 1),
                              ("select token, n from t where id = ?", "defect", 1)}, done.err)
            self.assertEqual(report["ledger_reasons"]["compared"], {"rewritten": 2})
            written = [server.query("SELECT id, at FROM s.t WHERE id < 3 ORDER BY id") for server in (source, target)]
            for (_, here), (_, there) in zip(*written):
                self.assertLess(abs((here - there).total_seconds()), 1.5)


class Users(Fidelity):
    def test_each_captured_user_is_replayed_as_the_user_that_it_is_mapped_to(self):
        need_root("taps lo")
        with workplace() as place, Server(place / "source", cache=place.parent) as source, Server(place / "target", cache=place.parent) as target:
            open_to_all(source, target)
            app, batch = ("app", "app-lab-secret"), ("batch", "batch-lab-secret")
            for server in (source, target):
                server.run(["CREATE DATABASE s", "CREATE TABLE s.t (id INT PRIMARY KEY, a INT)", "INSERT INTO s.t VALUES (1, 1)"])
            source.run([*account(app, "ALL", "s.*"), *account(batch, "ALL", "s.*")])
            target.run([*account(("app_dark", "dark-lab-secret"), "SELECT", "s.*"), *account(("jobs", "jobs-lab-secret"), "SELECT", "s.*")])

            def work():
                first, second = connect(source, user=app, kind=binary.Connection), connect(source, user=batch)
                first.query("SELECT a AS of_app FROM t")
                second.query("SELECT a AS of_batch FROM t")
                first.query("SELECT a AS of_app_again FROM t")
                first.change_user(*batch, "s")
                first.query("SELECT a AS of_changed FROM t")
                first.change_user(*app, "s")
                first.query("SELECT a AS of_changed_back FROM t")
                first.close()
                second.close()
            recording = record(place, source, work)
            target.query("SET GLOBAL log_output = 'TABLE'")
            target.query("SET GLOBAL general_log = 1")

            def asked():
                return {(user.split("[")[0], text.decode() if isinstance(text, bytes) else text) for user, text in target.query(
                    "SELECT user_host, argument FROM mysql.general_log WHERE command_type = 'Query' AND argument LIKE 'SELECT a AS of%'")}
            options = place / "options.cnf"
            options.touch(0o600)
            options.write_text(f"[darktap-target]\npassword={USER[1]}\n[darktap-target-app_dark]\npassword=dark-lab-secret\n[darktap-target-jobs]\npassword=jobs-lab-secret\n")

            def run(name, *maps):
                return darktap("replay", recording, "--target", target.url(USER[0], "s"), "--store", place / name, "--pace", "max", "--defaults-file", options, *maps)
            with self.subTest("a user that no map names"):
                self.assert_refused(run("no.db", "--map-user", "app=app_dark"), 4, "batch", "--map-user batch=NAME")
                self.assertFalse((place / "no.db").exists())
            with self.subTest("a user who does not get in"):
                done = run("no.db", "--map-user", "app=app_dark,batch=nobody")
                self.assert_refused(done, 3, "nobody", "check user, password")
                self.assertNotIn("secret", done.err)
            with self.subTest("what is no map"):
                self.assert_refused(run("no.db", "--map-user", "app"), 2, "USER=NAME")
            self.assertEqual(asked(), set())
            done = run("s.db", "--map-user", "app=app_dark", "--map-user", "*=jobs")
            self.assertEqual(done.status, 0, done.err + done.out)
            self.assertEqual(self.report(place / "s.db")["findings"], [])
            self.assertEqual(asked(), {("app_dark", "SELECT a AS of_app FROM t"), ("app_dark", "SELECT a AS of_app_again FROM t"),
                                       ("jobs", "SELECT a AS of_changed FROM t"), ("app_dark", "SELECT a AS of_changed_back FROM t"), ("jobs", "SELECT a AS of_batch FROM t")})
            with self.subTest("only the sessions that are chosen need a map"):
                self.assertEqual(run("one.db", "--map-user", "app=app_dark", "--user", "app").status, 0)

    def test_a_target_is_replayed_to_over_a_compressed_connection(self):
        need_root("taps lo")
        with pair() as (place, source, target):
            for server in (source, target):
                server.run(["CREATE DATABASE s", "CREATE TABLE s.t (id INT PRIMARY KEY, body LONGTEXT)", "INSERT INTO s.t VALUES (1, REPEAT('x', 100000))"])

            def work():
                connection = connect(source, client_flag=pymysql.constants.CLIENT.MULTI_STATEMENTS)
                for statement in ("SELECT * FROM t", "INSERT INTO t VALUES (2, REPEAT('y', 300000))", f"INSERT INTO t VALUES (3, '{'z' * 200000}')", "SELECT id, body FROM t ORDER BY id", "SELECT 1; SELECT 2"):
                    connection.query(statement)
                    while connection._result.has_next:
                        connection.next_result()
                connection.close()
            recording = record(place, source, work)
            sent = target.status()["bytes_sent"]
            done = replay(recording, target, place / "s.db", "--target-compress", schema="s")
            self.assertEqual(done.status, 0, done.err)
            self.assertEqual(self.report(place / "s.db")["findings"], [])
            self.assertEqual(checksums(target, "s"), checksums(source, "s"))
            self.assertLess(target.status()["bytes_sent"] - sent, 200_000, "700,000 bytes of rows")

    def test_a_target_that_is_too_old_is_refused_with_3(self):
        need_root("taps lo")
        with workplace() as place, Server(place / "source", cache=place.parent) as source, \
                Server(place / "target", ["--version=10.1.48-MariaDB"], cache=place.parent) as target:
            open_to_all(source, target)
            for server in (source, target):
                server.run(["CREATE DATABASE s", "CREATE TABLE s.t (a INT)"])
            recording = record(place, source, lambda: connect(source).query("SELECT a FROM t"))
            done = darktap("replay", recording, "--target", target.url(USER[0], "s"), "--store", place / "s.db", passwords=PASSWORDS)
            self.assert_refused(done, 3, f"127.0.0.1:{target.port}", "10.1.48-MariaDB", "MariaDB 10.2")
            self.assertFalse((place / "s.db").exists())


class Settings(Fidelity):
    def test_a_session_of_a_series_later_file_begins_as_it_stood(self):
        need_root("taps lo")
        with workplace() as place, Server(place / "source", cache=place.parent) as source, Server(place / "target", cache=place.parent) as target:
            open_to_all(source, target)
            for server in (source, target):
                server.run(["CREATE DATABASE s", "CREATE TABLE s.t (id INT PRIMARY KEY, at TIMESTAMP)", "INSERT INTO s.t VALUES (1, FROM_UNIXTIME(1700000000))"])
            first = place / "first.dtap"
            with tapping("capture", "-i", "lo", "--port", source.port, "-w", first, log=place / "capture.log") as tap:
                connection = connect(source)
                for statement in ("SET time_zone = '+05:30'", "SET sql_mode = 'PIPES_AS_CONCAT'", "SET @x = 7", "SET SESSION wait_timeout = 1000", "SELECT 1 FROM t"):
                    connection.query(statement)
                time.sleep(1)
                tap.process.send_signal(signal.SIGHUP)
                time.sleep(1)
                connection.query("SELECT at, 'a' || 'b' AS joined, @x AS x FROM t WHERE id = 1")
                connection.close()
                time.sleep(0.5)
                tap.interrupt()
            second = next(path for path in place.glob("first-*.dtap"))
            done = darktap("replay", second, "--target", target.url(USER[0], "s"), "--store", place / "s.db", "--pace", "max", passwords=PASSWORDS)
            self.assertEqual(done.status, 0, done.err + done.out)
            report = self.report(place / "s.db")
            self.assertEqual([(f["difference"], f["cause"]) for f in report["findings"]], [])
            self.assertEqual(report["ledger"]["compared"], 1)
            done = darktap("replay", first, "--target", target.url(USER[0], "s"), "--store", place / "f.db", "--pace", "max", passwords=PASSWORDS)
            self.assertIn("wait_timeout (1)", done.err)


class Prepared(Fidelity):
    def cursors(self, kind):
        need_root("taps lo")
        with pair(kind) as (place, source, target):
            for server in (source, target):
                server.run(["CREATE DATABASE s", "USE s", "CREATE TABLE t (id INT PRIMARY KEY, name VARCHAR(20), price DECIMAL(8,2), at DATETIME)", "CREATE TABLE wrong (id INT PRIMARY KEY, a INT)",
                            *(f"INSERT INTO t VALUES ({n}, 'item {n}', {n}.50, '2026-01-{n:02} 10:00:00')" for n in range(1, 26)),
                            *(f"INSERT INTO wrong VALUES ({n}, {n})" for n in range(1, 6))])
            target.query("UPDATE s.wrong SET a = 40 WHERE id = 4")

            def work():
                connection = connect(source, kind=binary.Connection)

                def cursor_of(sql, values=()):
                    id = connection.prepare(sql)
                    connection.execute(id, values, cursor=binary.READ_ONLY_CURSOR)
                    return id
                ordered = cursor_of("SELECT id, name, price, at FROM t WHERE id > ? ORDER BY id", (3,))
                first, _ = connection.fetch(ordered, 10)
                connection.query("SELECT COUNT(*) FROM t")  # the cursor stays open beside other commands
                self.assertEqual(len(first) + len(connection.fetch_all(ordered, 10)), 22)
                connection.close_statement(ordered)
                unordered = cursor_of("SELECT name FROM t")
                self.assertEqual(len(connection.fetch_all(unordered, 7)), 25)
                self.assertEqual(len(connection.fetch_all(cursor_of("SELECT id FROM t WHERE id > 100"), 5)), 0)
                early = cursor_of("SELECT id, name FROM t ORDER BY id")
                connection.fetch(early, 4)
                connection.close_statement(early)
                connection.fetch(cursor_of("SELECT name FROM t WHERE price > 1"), 4)  # open until the session ends
                connection.fetch_all(cursor_of("SELECT id, a FROM wrong ORDER BY id"), 2)
                connection.close()
            recording = record(place, source, work)
            done = replay(recording, target, place / "s.db", "--reference", source.url(USER[0], "s"), schema="s", run="reads", order="session")
            report = self.report(place / "s.db")
            self.assertEqual([(f["difference"], f["cause"], f["events"]) for f in report["findings"]], [("row_values", "defect", 1)], done.err)
            self.assertEqual(done.status, 1, done.err)
            # The cursor closed early without an order, and its one fetch.
            self.assertEqual({reason: n for reason, n in self.skipped(report).items() if reason.startswith("cursor")}, {"cursor_closed_early": 2})
            self.assertEqual(report["ledger"]["target_failed"], 0)
            for order in ("session", "commit"):  # and among transactions
                done = replay(recording, target, place / f"{order}.db", schema="s", sandbox="rollback", order=order)
                report = self.report(place / f"{order}.db")
                self.assertEqual([(f["difference"], f["events"]) for f in report["findings"]], [("row_values", 1)], done.err)

    def test_what_was_fetched_by_cursors_is_compared_as_one_answer(self):
        self.cursors(Server)

    def test_the_same_with_MySQL_8(self):
        need_mysql_8()
        self.cursors(MySQL)

    def bulk(self, place, source, target, sandbox):
        table = "CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(20), n BIGINT)"
        for server in (source, target):
            server.run(["CREATE DATABASE s", "USE s", table])

        def work():
            connection = connect(source, kind=binary.Connection, bulk=True)
            id = connection.prepare("INSERT INTO t (name, n) VALUES (?, ?)")
            connection.bulk(id, [("one", 1), ("two", 2), (None, 3)])
            connection.bulk(connection.prepare("UPDATE t SET n = n + ? WHERE id = ?"), [(10, 1), (20, 2), (30, 99)])
            connection.query("SELECT * FROM t ORDER BY id")
            connection.begin()
            connection.bulk(id, [("four", 4), ("five", 5)])
            connection.query("SELECT COUNT(*) FROM t")
            connection.commit()
            connection.close()
        recording = record(place, source, work)
        kept = dump(target, "s")["t"][1]
        done = replay(recording, target, place / "s.db", schema="s", sandbox=sandbox)
        self.assertEqual(dump(target, "s")["t"][1], kept if sandbox == "rollback" else dump(source, "s")["t"][1])
        report = self.report(place / "s.db")
        causes = {f["cause"] for f in report["findings"]}
        self.assertLessEqual(causes, {"skipped_write"} if sandbox == "rollback" else set(), report["findings"])
        self.assertEqual(done.status, 0, done.err)
        self.assertNotIn("bulk", self.skipped(report))

    def test_bulk_executes_are_replayed_whole(self):
        need_root("taps lo")
        for sandbox in ("disposable", "rollback"):
            with self.subTest(sandbox), pair() as (place, source, target):
                self.bulk(place, source, target, sandbox)

    def test_bulk_executes_are_replayed_row_by_row_where_the_target_has_none(self):
        need_root("taps lo")
        need_mysql_8()
        for sandbox in ("disposable", "rollback"):
            with self.subTest(sandbox), workplace() as place, Server(place / "source", cache=place.parent) as source, MySQL(place / "target", cache=place.parent) as target:
                open_to_all(source, target)
                mark(target)
                self.bulk(place, source, target, sandbox)

    def test_long_data_is_replayed_with_its_execute(self):
        need_root("taps lo")
        with pair() as (place, source, target):
            for server in (source, target):
                server.run(["CREATE DATABASE s", "CREATE TABLE s.t (id INT PRIMARY KEY, body LONGTEXT, tag VARCHAR(20))"])

            def work():
                connection = connect(source, kind=binary.Connection)
                id = connection.prepare("INSERT INTO t VALUES (?, ?, ?)")
                for part in (b"a" * 300_000, b"b" * 300_000, b"\xc3\xa4"):
                    connection.long_data(id, 1, part)
                connection.execute(id, (1, "", "tag"), nothing_for=(1,), types=(binary.LONGLONG, binary.BLOB, binary.VAR_STRING))
                read = connection.prepare("SELECT id, LENGTH(body) FROM t WHERE body = ?")
                connection.long_data(read, 0, b"a" * 300_000)
                connection.long_data(read, 0, b"b" * 300_000 + b"\xc3\xa4")
                self.assertEqual(len(connection.execute(read, ("",), nothing_for=(0,), types=(binary.BLOB,))[0]), 1)
                connection.close()
            recording = record(place, source, work)
            done = replay(recording, target, place / "s.db", schema="s")
            self.assertEqual(done.status, 0, done.err)
            self.assertEqual(self.report(place / "s.db")["findings"], [])
            self.assertEqual(dump(target, "s"), dump(source, "s"))


if __name__ == "__main__":
    unittest.main()
