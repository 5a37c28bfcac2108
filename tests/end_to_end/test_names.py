"""A target that calls things by other names (--map), and copies that the run makes for itself (--sandbox redirect)."""

import time
import unittest

import pymysql

from lab import Server
from live import tapping
from workplace import Case, darktap, need_root, workplace
from writing import PASSWORDS, USER, checksums, dump, mark, open_to_all, record, replay, restore


def work(server, schema, statements):
    connection = pymysql.connect(host=server.host, port=server.port, user=USER[0], password=USER[1], database=schema, autocommit=True)
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    connection.close()


class Names(Case):
    def report(self, store):
        report = darktap("report", store, "--format", "json").json()
        self.assertEqual(sum(report["ledger"].values()), report["coverage"]["exchanges"])
        return report

    def test_two_legacy_shards_are_replayed_on_one_schema(self):
        need_root("taps lo")
        with workplace() as place, Server(place / "one", cache=place.parent) as one, Server(place / "two", cache=place.parent) as two, \
                Server(place / "target", cache=place.parent) as target:
            open_to_all(one, two, target)
            for number, shard in ((1, one), (2, two)):
                shard.run(["CREATE DATABASE shop", f"CREATE TABLE shop.items_{number} (id INT PRIMARY KEY, name VARCHAR(20))",
                           f"INSERT INTO shop.items_{number} VALUES ({number}, 'item {number}')"])
            target.run(["CREATE DATABASE store", "CREATE TABLE store.items (id INT PRIMARY KEY, name VARCHAR(20))",
                        "INSERT INTO store.items VALUES (1, 'item 1'), (2, 'item 2')"])
            recording = place / "shards.dtap"
            with tapping("capture", "-i", "lo", "--port", one.port, "--port", two.port, "-w", recording, log=place / "capture.log") as tap:
                for number, shard in ((1, one), (2, two)):
                    work(shard, "shop", [f"SELECT name FROM items_{number} WHERE id = {number}", f"SELECT items_{number}.name FROM shop.items_{number} WHERE id = {number}",
                                         "USE shop", f"SELECT 'shop.items_{number}', name FROM `items_{number}` WHERE id = {number}"])
                time.sleep(0.3)
                tap.interrupt()

            def run(store, *options):
                return darktap("replay", recording, "--target", target.url(USER[0]), "--store", store, "--pace", "max", *options, passwords=PASSWORDS)
            with self.subTest("without a map the schema is missed before anything is sent"):
                self.assert_refused(run(place / "no.db"), 3, "shop", "--map")
                self.assertEqual(target.status()["com_change_db"], 0)
            with self.subTest("a rule that is none"):
                self.assert_refused(run(place / "no.db", "--map", "shop"), 2, "SCHEMA=SCHEMA")
            done = run(place / "s.db", "--map", f"127.0.0.1:{one.port}/shop=store,127.0.0.1:{two.port}/shop=store", "--map", "shop.items_#=store.items")
            self.assertEqual(done.status, 0, done.err + done.out)
            report = self.report(place / "s.db")
            self.assertEqual(report["findings"], [])
            self.assertGreaterEqual(report["ledger"]["compared"], 8)
            self.assertEqual(report["ledger_reasons"]["skipped"].keys() & {"not_mappable: items_1"}, set())

    def test_a_redirected_run_writes_to_copies_and_leaves_the_schema_as_it_was(self):
        need_root("taps lo")
        with workplace() as place, Server(place / "source", cache=place.parent) as source, Server(place / "target", cache=place.parent) as target:
            open_to_all(source, target)
            source.run(["CREATE DATABASE s", "USE s", "CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, a INT, twice INT AS (a * 2))",
                        "CREATE TABLE child (id INT PRIMARY KEY, t INT, FOREIGN KEY (t) REFERENCES t (id) ON DELETE CASCADE)", "CREATE TABLE log (a INT) ENGINE=MyISAM",
                        "INSERT INTO t (id, a) VALUES (1, 1), (2, 2)", "INSERT INTO child VALUES (1, 1)"])
            target.run(["CREATE DATABASE s", "USE s", *(source.query(f"SHOW CREATE TABLE s.{name}")[0][1] for name in ("t", "child", "log")),
                        "CREATE VIEW v AS SELECT id, a FROM s.t", "INSERT INTO t (id, a) VALUES (1, 1), (2, 2)", "INSERT INTO child VALUES (1, 1)"])
            source.run(["USE s", "CREATE VIEW v AS SELECT id, a FROM s.t"])
            before = checksums(target, "s")
            recording = record(place, source, lambda: work(source, "s", [
                "INSERT INTO t (a) VALUES (3)", "SELECT * FROM t ORDER BY id", "BEGIN", "UPDATE s.t SET a = a + 1 WHERE id = 2", "SELECT a, twice FROM s.t WHERE id = 2", "COMMIT",
                "DELETE FROM t WHERE id = 1", "SELECT COUNT(*) FROM child", "INSERT INTO log VALUES (7)", "SELECT a FROM log", "SELECT * FROM v ORDER BY id"]))
            self.assert_refused(replay(recording, target, place / "no.db", schema="s", sandbox="redirect"), 4, "darktap_sandbox.marker")
            mark(target, disposable=0)
            for run in range(2):  # the copies are made anew each time
                done = replay(recording, target, place / f"{run}.db", schema="s", sandbox="redirect")
                self.assertEqual(done.status, 0, done.err + done.out)
                self.assertEqual(self.report(place / f"{run}.db")["findings"], [])
                self.assertEqual(checksums(target, "s"), before)
                for name in ("t", "child", "log"):
                    self.assertEqual(target.query(f"SELECT * FROM darktap_copy_s.{name}"), source.query(f"SELECT * FROM s.{name}"))
            target.run(["DROP TABLE darktap_copy_s.darktap_copy_of"])
            self.assert_refused(replay(recording, target, place / "no.db", schema="s", sandbox="redirect"), 3, "darktap_copy_s", "not made by an earlier run")


if __name__ == "__main__":
    unittest.main()
