"""A real vtgate as the target. It is a build of its own (vtcombo, see docs/testing.md), so its address is given:
DARKTAP_VTGATE=user@host:port/keyspace, without a password."""

import os
import time
import unittest

import pymysql

from lab import Server
from lab.stack import account
from live import tapping
from workplace import Case, darktap, need_root, workplace

USER = ("tester", "tester-lab-secret")
READS = ("SELECT 1 + 1 AS two", "SELECT 'a' AS letter UNION ALL SELECT 'b'", "SELECT CAST(1.5 AS DECIMAL(5,2)) AS number, NULL AS nothing")


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
                                    "SET timestamp = 1700000000", f"USE `{keyspace}`", *READS):
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
            self.assertEqual(values, [], "the same reads have the same rows")
