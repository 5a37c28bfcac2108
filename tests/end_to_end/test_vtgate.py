"""A real vtgate as the target. It is a build of its own (vtcombo, see docs/testing.md), so its address is given:
DARKTAP_VTGATE=user@host:port/keyspace, without a password."""

import os
import time
import unittest

import binary
import pymysql

from lab import Server
from lab.stack import account
from live import tapping
from workplace import Case, darktap, need_root, workplace
from writing import record

USER = ("tester", "tester-lab-secret")
READS = ("SELECT 1 + 1 AS two", "SELECT 'a' AS letter UNION ALL SELECT 'b'", "SELECT CAST(1.5 AS DECIMAL(5,2)) AS number, NULL AS nothing")


# utf8mb4's own collation is not the same in MariaDB and MySQL 8.
DIFFERS = "SELECT COLLATION('a') AS name"


class Vtgate(Case):
    def test_sessions_settings_and_reads_are_replayed_on_a_vtgate(self):
        where = os.environ.get("DARKTAP_VTGATE")
        if not where:
            raise unittest.SkipTest("no vtgate was given (DARKTAP_VTGATE=user@host:port/keyspace)")
        need_root("taps lo")
        keyspace = where.rsplit("/", 1)[1]
        with workplace() as place, Server(place / "source", cache=place.parent) as source:
            source.run([f"CREATE DATABASE `{keyspace}`", *account(USER, "ALL", f"`{keyspace}`.*")])
            recording = place / "visit.dtap"
            with tapping("capture", "-i", "lo", "--port", source.port, "-w", recording, log=place / "capture.log") as tap:
                connection = pymysql.connect(host=source.host, port=source.port, user=USER[0], password=USER[1], database=keyspace, charset="utf8mb4")
                for round_ in range(3):
                    cursor = connection.cursor()
                    for setting in ("SET NAMES utf8mb4", "SET SESSION sql_mode = 'STRICT_TRANS_TABLES'", "SET time_zone = '+00:00'",
                                    "SET timestamp = 1700000000", f"USE `{keyspace}`", *READS, DIFFERS):
                        cursor.execute(setting)
                    connection.ping()
                    connection._execute_command(0x1f, b"")  # COM_RESET_CONNECTION, which vtgate lacks
                    connection._read_ok_packet()
                connection.close()
                time.sleep(0.3)
                tap.interrupt()
            exchanges = darktap("inspect", recording, "--format", "summary").json()["exchanges"]
            done = darktap("replay", recording, "--target", f"mysql://{where}", "--store", place / "s.db", "--pace", "max")
            self.assertIn(done.status, (0, 1), done.err)
            report = darktap("report", place / "s.db", "--format", "json").json()
            self.assertEqual(sum(report["ledger"].values()), exchanges)
            self.assertEqual(report["ledger"]["target_failed"], 0)
            self.assertGreaterEqual(report["ledger"]["compared"], 3 * len(READS))
            self.assertEqual(report["ledger_reasons"]["skipped"]["session_reset"], 3)
            values = [finding for finding in report["findings"] if finding["difference"] in ("row_values", "missing_rows", "extra_rows", "row_count")]
            self.assertEqual([(finding["cause"], finding["examples"][0]["sql"]) for finding in values], [("defect", DIFFERS)], "the same reads have the same rows")
            # How vtgate runs it, not what one of its shards says of its own part.
            plan = values[0]["examples"][0]["explain"]
            self.assertEqual(plan["sql"], DIFFERS)
            self.assertIn("OperatorType", plan["target"][0]["JSON"])

    def test_writes_are_kept_or_rolled_back_on_a_vtgate_with_the_sources_time_written_in(self):
        where = os.environ.get("DARKTAP_VTGATE")
        if not where:
            raise unittest.SkipTest("no vtgate was given (DARKTAP_VTGATE=user@host:port/keyspace)")
        need_root("taps lo")
        address, keyspace = where.split("@")[1].rsplit("/", 1)
        gate = pymysql.connect(host=address.split(":")[0], port=int(address.split(":")[1]), user=where.split("@")[0], database=keyspace, autocommit=True)

        def ask(sql):
            with gate.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchall()
        table = "(id BIGINT PRIMARY KEY, a INT, at DATETIME(3), shown DATETIME(3))"
        for name in ("darktap_t", "darktap_n", "darktap_log", "darktap_marker"):
            ask(f"DROP TABLE IF EXISTS {name}")
        ask(f"CREATE TABLE darktap_t {table}")
        numbered = "(id BIGINT PRIMARY KEY AUTO_INCREMENT, a INT)"
        ask(f"CREATE TABLE darktap_n {numbered}")
        ask("CREATE TABLE darktap_log (a INT) ENGINE=MyISAM")  # which no ROLLBACK brings back
        ask("INSERT INTO darktap_n (id, a) VALUES (500, 5)")  # its own next id is another one
        ask("CREATE TABLE darktap_marker (target VARCHAR(255) NOT NULL, disposable TINYINT NOT NULL DEFAULT 0)")
        with workplace() as place, Server(place / "source", cache=place.parent) as source:
            source.run([f"CREATE DATABASE `{keyspace}`", f"CREATE TABLE `{keyspace}`.darktap_t {table}", f"CREATE TABLE `{keyspace}`.darktap_n {numbered}", f"CREATE TABLE `{keyspace}`.darktap_log (a INT)", *account(USER, "ALL", f"`{keyspace}`.*")])

            def work():
                connection = binary.Connection(host=source.host, port=source.port, user=USER[0], password=USER[1], database=keyspace, charset="utf8mb4", autocommit=True)
                for statement in ("SET time_zone = '+00:00'", "INSERT INTO darktap_t VALUES (1, 1, NOW(3), SYSDATE(3)), (2, 2, CURRENT_TIMESTAMP, NULL)", "BEGIN", "UPDATE darktap_t SET a = 10 WHERE id = 1", "COMMIT",
                                  "SELECT id, a FROM darktap_t ORDER BY id", "BEGIN", "DELETE FROM darktap_t WHERE id = 2"):
                    connection.query(statement)
                connection.reset()  # rolls back
                connection.query("SELECT COUNT(*) AS n FROM darktap_t")
                connection.query("SET time_zone = '+00:00'")
                connection.change_user(USER[0], USER[1], keyspace)
                id = connection.prepare("INSERT INTO darktap_t VALUES (?, ?, NOW(3), UTC_TIMESTAMP(3))")
                connection.execute(id, (3, 3))
                connection.query("SELECT id, a FROM darktap_t ORDER BY id")
                connection.query("SET autocommit = 0")
                connection.query("UPDATE darktap_t SET a = 30 WHERE id = 3")
                connection.query("COMMIT")
                connection.query("SET autocommit = 1")
                connection.query("INSERT INTO darktap_log VALUES (1)")
                connection.query("INSERT INTO darktap_n (a) VALUES (1), (2)")
                connection.query("UPDATE darktap_n SET a = 20 WHERE id = 2")
                connection.execute(connection.prepare("INSERT INTO darktap_n (a) VALUES (?)"), (3,))
                connection.close()
            recording = record(place, source, work)

            def run(name, sandbox):
                done = darktap("replay", recording, "--target", f"mysql://{where}", "--store", place / name, "--pace", "max", "--run", "both", "--sandbox", sandbox,
                               "--marker", f"{keyspace}.darktap_marker", "--reference", f"mysql://{USER[0]}@127.0.0.1:{source.port}/{keyspace}", passwords={"reference": USER[1]})
                return done, darktap("report", place / name, "--format", "json").json() if done.status in (0, 1) else None
            self.assert_refused(run("no.db", "rollback")[0], 4, "darktap_marker")
            ask(f"INSERT INTO darktap_marker VALUES ('{address}', 1)")
            for sandbox in ("rollback", "disposable"):
                with self.subTest(sandbox):
                    done, report = run(f"{sandbox}.db", sandbox)
                    self.assertEqual(done.status, 0, done.err + str(report["findings"]))
                    self.assertEqual(sum(report["ledger"].values()), report["coverage"]["exchanges"])
                    self.assertEqual(report["ledger"]["target_failed"], 0, report["ledger_reasons"])
                    self.assertEqual(report["ledger_reasons"]["compared"], {"rewritten": 4})
                    self.assertEqual(report["ledger_reasons"]["skipped"]["session_reset"], 2)
                    rows = ask("SELECT id, a, at, shown FROM darktap_t ORDER BY id")
                    if sandbox == "rollback":
                        self.assertEqual((rows, ask("SELECT a FROM darktap_log")), ((), ()))
                        self.assertEqual(report["ledger_reasons"]["skipped"][f"not_transactional: {keyspace}.darktap_log"], 1)
                        self.assertLessEqual({f["cause"] for f in report["findings"]}, {"skipped_write"})
                        continue
                    self.assertEqual(report["findings"], [])
                    self.assertEqual(ask("SELECT a FROM darktap_log"), ((1,),))
                    theirs = source.query(f"SELECT id, a, at, shown FROM `{keyspace}`.darktap_t ORDER BY id")
                    self.assertEqual([row[:2] for row in rows], [row[:2] for row in theirs])
                    self.assertEqual(ask("SELECT id, a FROM darktap_n WHERE id < 500 ORDER BY id"), source.query(f"SELECT * FROM `{keyspace}`.darktap_n ORDER BY id"))
                    for here, there in zip(rows, theirs):
                        for ours, its in zip(here[2:], there[2:]):
                            self.assertEqual(ours is None, its is None)
                            if ours:  # the server looks at its clock a little after the tap
                                self.assertLess(abs((ours - its).total_seconds()) % 900, 1.5)
        for name in ("darktap_t", "darktap_n", "darktap_log", "darktap_marker"):
            ask(f"DROP TABLE {name}")
        gate.close()


if __name__ == "__main__":
    unittest.main()
