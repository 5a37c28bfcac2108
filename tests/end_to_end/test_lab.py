"""The lab itself: what the demo and the other tests stand on."""

import json
import os
import signal
import subprocess
import sys
import unittest

from lab import Server, Stack
from shop import data
from shop.schema import SCHEMA, TABLES

from workplace import workplace

TESTS = os.path.join(os.environ["DARKTAP_SOURCE"], "tests")


def servers_below(folder):
    """Process ids of the servers whose data folder lies below."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/cmdline", "rb") as file:
                    if f"--datadir={folder}".encode() in file.read():
                        found.append(int(entry))
            except OSError:
                continue
    return found


# An archive of packages that takes its time, with one package that dpkg-deb itself made.
APT_GET = """#!/bin/sh
sleep 0.$(( $$ % 5 ))
cp "$PACKAGES"/mariadb-plugin-spider_1_all.deb .
"""


class Lab(unittest.TestCase):
    def test_tests_that_need_the_storage_engine_for_the_first_time_side_by_side_all_get_it(self):
        with workplace() as place:
            package, cache = place / "package", place / "cache"
            (package / "DEBIAN").mkdir(parents=True)
            (package / "DEBIAN/control").write_text("Package: mariadb-plugin-spider\nVersion: 1\nArchitecture: all\n"
                                                    "Maintainer: lab <lab@localhost>\nDescription: a stand-in\n")
            engine = package / "usr/lib/mysql/plugin/ha_spider.so"
            engine.parent.mkdir(parents=True)
            engine.write_bytes(os.urandom(1 << 20))
            subprocess.run(["dpkg-deb", "--build", package, place / "mariadb-plugin-spider_1_all.deb"], check=True, stdout=subprocess.DEVNULL)
            (place / "bin").mkdir()
            (place / "bin/apt-get").write_text(APT_GET)
            (place / "bin/apt-get").chmod(0o755)
            environment = {**os.environ, "PATH": f"{place}/bin:{os.environ['PATH']}", "PACKAGES": str(place)}
            program = ("import pathlib; from lab import server; server.SYSTEM_PLUGIN_FOLDERS = (); "
                       f"print(pathlib.Path(server.plugin_folder(pathlib.Path({str(cache)!r})), 'ha_spider.so').stat().st_size)")
            all_of_them = [subprocess.Popen([sys.executable, "-c", program], cwd=TESTS, env=environment, stdout=subprocess.PIPE,
                                     stderr=subprocess.PIPE, text=True) for _ in range(6)]
            for process in all_of_them:
                out, err = process.communicate(timeout=60)
                self.assertEqual(out.strip(), str(1 << 20), err)

    def test_ports_that_are_handed_out_are_not_handed_out_again(self):
        """Also not to another process, and before anyone listens on them."""
        program = "import sys; from lab import free_port; print([free_port() for _ in range(400)], flush=True); sys.stdin.read()"
        both = [subprocess.Popen([sys.executable, "-c", program], cwd=TESTS, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
                for _ in range(2)]
        ports = [port for process in both for port in json.loads(process.stdout.readline())]
        for process in both:
            process.communicate()
        self.assertEqual(len(set(ports)), 800)

    def test_a_write_reaches_the_replica_and_both_shards(self):
        with workplace() as place, Stack(place / "stack", SCHEMA, TABLES, delay=0, cache=place.parent) as stack:
            data.fill_stack(stack)
            stack.legacy.query("INSERT INTO shop.orders (customer_id, status, total, placed) VALUES (1, 'new', 1, NOW(6)), "
                               "(2, 'new', 2, NOW(6)), (3, 'new', 3, NOW(6)), (4, 'new', 4, NOW(6))")
            stack.catch_up()
            new = "SELECT customer_id, total FROM shop.orders WHERE status = 'new' ORDER BY 1"
            self.assertEqual(stack.legacy.query(new), stack.reference.query(new))
            self.assertEqual(stack.legacy.query(new), stack.head.query(new))
            on_shards = [shard.query(new) for shard in stack.shards]
            self.assertTrue(all(on_shards), "each shard holds some of the rows")
            self.assertEqual(stack.legacy.query(new), tuple(sorted(on_shards[0] + on_shards[1])))

    def test_the_sides_differ_in_the_planted_rows_and_in_nothing_else(self):
        with workplace() as place, Stack(place / "stack", SCHEMA, TABLES, cache=place.parent) as stack:
            data.fill_stack(stack)
            different = []
            for table in TABLES:
                sql = f"SELECT * FROM shop.{table.name} ORDER BY 1, 2, 3"
                legacy, new = set(stack.legacy.query(sql)), set(stack.head.query(sql))
                self.assertEqual(legacy, set(stack.reference.query(sql)))
                different += sorted((table.name, row[0]) for row in legacy - new)
            self.assertEqual(different, [("products", 45), ("customers", 131), ("orders", 377), ("reviews", 2)])

    def test_servers_end_with_a_program_that_is_killed(self):
        with workplace() as place:
            folder = place / "killed"
            program = subprocess.Popen([sys.executable, "-c", "import sys, time; from lab import Server; "
                                        f"Server({str(folder)!r}, cache={str(place.parent)!r}).start().wait(); "
                                        "print('up', flush=True); time.sleep(60)"],
                                       cwd=TESTS, stdout=subprocess.PIPE, text=True)
            self.assertEqual(program.stdout.readline().strip(), "up")
            (server,) = servers_below(folder)
            program.send_signal(signal.SIGKILL)
            program.wait()
            program.stdout.close()
            waiting = subprocess.run(["timeout", "20", "tail", f"--pid={server}", "-f", "/dev/null"])
            self.assertEqual(waiting.returncode, 0, "the server outlived the program that started it")

    def test_a_stopped_server_leaves_no_process_and_no_folder(self):
        with workplace() as place:
            with Server(place / "one", cache=place.parent) as server:
                self.assertEqual(server.query("SELECT 1"), ((1,),))
                folder = server.folder
            self.assertEqual(servers_below(folder), [])
            self.assertFalse(folder.exists())
