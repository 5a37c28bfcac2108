"""What people get wrong: one line that names the thing and the remedy, the contract's exit status, nothing half-written."""

import os
import subprocess

import pcaps
from lab import Server, free_port
from workplace import Case, corpus, darktap, need_root, workplace

COMMANDS = ("capture", "inspect", "replay", "shadow", "sql", "report", "check", "serve")
PASSWORD = {"target": "secret", "reference": "secret"}


class CommandLine(Case):
    def test_help_is_there_for_every_command(self):
        self.assertEqual(darktap("--help").status, 0)
        for command in COMMANDS:
            with self.subTest(command):
                done = darktap(command, "--help")
                self.assertEqual(done.status, 0, done.err)
                self.assertIn("--", done.out)

    def test_an_unknown_option_or_command_is_a_usage_error(self):
        self.assert_refused(darktap("inspect", "--no-such-option"), 2, "darktap inspect", "--help")
        self.assert_refused(darktap("no-such-command"), 2, "no-such-command", "darktap --help")
        self.assert_refused(darktap("report", "x.db", "--run", "x"), 2, "--run", "a run's number")
        self.assertEqual(darktap().status, 2)

    def test_a_value_that_no_run_can_have_is_told_by_its_option(self):
        with workplace() as place:
            for option, value in (("--ramp", ""), ("--max-lag", "10ms"), ("--max-threads-running", "0"), ("--session", "0"), ("--target-connections", "0"),
                                  ("--requery-rate", "nan"), ("--map", "a=b,a=c"), ("--map", "host:x/a=b"), ("--target-ssl-ca", place / "none.pem")):
                with self.subTest(f"{option} {value}"):
                    done = darktap("replay", place / "x.pcap", "--target", "mysql://u@127.0.0.1:1/s", "--store", place / "s.db", option, value)
                    self.assert_refused(done, 2, option)

    def test_what_is_not_reached_yet_says_so_and_ends_with_2(self):
        for command in ("diff", "gate", "probe"):
            with self.subTest(command):
                self.assert_refused(darktap(command), 2, "not yet")

    def test_a_password_in_the_address_is_refused(self):
        with workplace() as place:
            done = darktap("replay", place / "x.pcap", "--target", "mysql://u:secret@127.0.0.1:1/s", "--store", place / "s.db")
            self.assertEqual(done.status, 2, done.err)
            self.assertNotIn("secret", done.err)
            self.assertFalse((place / "s.db").exists())

    def test_an_option_file_that_others_can_read_is_refused(self):
        with workplace() as place:
            options = place / "options.cnf"
            options.write_text("[darktap-target]\npassword=secret\n")
            options.chmod(0o644)
            (place / "x.pcap").write_bytes(pcaps.pcap([]))
            done = darktap("replay", place / "x.pcap", "--target", "mysql://u@127.0.0.1:1/s", "--store", place / "s.db",
                           "--defaults-file", options)
            self.assert_refused(done, 2, options)


class Files(Case):
    def each_reader(self, path):
        """inspect, capture and replay on the same file, with what each would write."""
        place = path.parent
        yield darktap("inspect", path, "--format", "summary"), None
        yield darktap("capture", "-r", path, "-w", place / "out.dtap"), place / "out.dtap"
        yield (darktap("replay", path, "--target", f"mysql://u@127.0.0.1:{free_port()}/s", "--store", place / "s.db",
                       passwords=PASSWORD), place / "s.db")

    def assert_unreadable(self, path):
        for done, written in self.each_reader(path):
            self.assert_refused(done, 3, path)
            self.assertFalse(written and written.exists(), f"{written} was left behind")

    def test_what_is_no_capture_is_refused(self):
        with workplace() as place:
            (place / "note.txt").write_text("this is no capture\n" * 10)
            self.assert_unreadable(place / "note.txt")

    def test_a_missing_file_an_empty_file_and_a_folder_are_refused(self):
        with workplace() as place:
            self.assert_unreadable(place / "missing.pcap")
            (place / "empty.pcap").touch()
            self.assert_unreadable(place / "empty.pcap")
            (place / "folder.pcap").mkdir()
            self.assert_unreadable(place / "folder.pcap")

    def test_an_unknown_link_type_is_refused_by_its_number(self):
        with workplace() as place:
            path = place / "radio.pcap"
            path.write_bytes(pcaps.pcap([b"\0" * 60], pcaps.USER0))
            done = darktap("inspect", path)
            self.assert_refused(done, 3, path, "147")

    def test_a_truncated_capture_is_read_to_its_end(self):
        whole = corpus("captures/clients/py_pymysql.pcap").read_bytes()
        with workplace() as place:
            path = place / "cut.pcap"
            path.write_bytes(whole[:len(whole) // 2 + 7])
            done = darktap("inspect", path, "--format", "summary")
            self.assertEqual(done.status, 0, done.err)
            self.assertEqual(len(done.err.splitlines()), 1, done.err)
            summary = done.json()
            self.assertIs(summary["truncated"], True)
            self.assertGreater(summary["exchanges"], 5)
            self.assertEqual(sum(summary["ledger"].values()), summary["exchanges"])

    def test_a_capture_without_mysql_has_no_exchanges_and_says_so(self):
        with workplace() as place:
            path = place / "web.pcap"
            path.write_bytes(pcaps.http_conversation())
            done = darktap("inspect", path, "--format", "summary")
            self.assertEqual(done.status, 0, done.err)
            self.assertEqual(done.json()["exchanges"], 0)
            self.assertEqual(len(done.err.splitlines()), 1, done.err)

    def test_a_damaged_recording_is_refused_or_read_as_far_as_it_goes(self):
        pcap = corpus("captures/clients/py_pymysql.pcap")
        with workplace() as place:
            self.assertEqual(darktap("capture", "-r", pcap, "-w", place / "whole.dtap").status, 0)
            whole = (place / "whole.dtap").read_bytes()
            for length in (0, 5, len(whole) // 2, len(whole) - 3):
                with self.subTest(length):
                    (place / "cut.dtap").write_bytes(whole[:length])
                    done = darktap("inspect", place / "cut.dtap", "--format", "summary")
                    self.assertIn(done.status, (0, 3), done.err)
                    self.assertEqual(len(done.err.splitlines()), 1, done.err)


class Places(Case):
    """Where nothing can be written."""

    def test_a_recording_or_store_below_a_file_is_refused(self):
        pcap = corpus("captures/clients/py_pymysql.pcap")
        with workplace() as place:
            (place / "file").touch()
            self.assert_refused(darktap("capture", "-r", pcap, "-w", place / "file" / "out.dtap"), 3, place / "file")
            self.assert_refused(darktap("replay", pcap, "--target", f"mysql://u@127.0.0.1:{free_port()}/t", "--store",
                                        place / "file" / "s.db", passwords=PASSWORD), 3, place / "file")

    def test_a_recording_in_a_folder_that_may_not_be_written_is_refused(self):
        pcap = corpus("captures/clients/py_pymysql.pcap")
        with workplace() as place:
            folder = place / "closed"
            folder.mkdir()
            folder.chmod(0o500)
            # For root every folder is open, but not those of the kernel.
            path = "/proc/out.dtap" if os.geteuid() == 0 else folder / "out.dtap"
            self.assert_refused(darktap("capture", "-r", pcap, "-w", path), 3, path)

    def test_a_full_disk_ends_a_recording_with_one_line(self):
        need_root("mounts a small file system")
        pcap = corpus("captures/clients/py_pymysql.pcap")
        with workplace() as place:
            disk = place / "disk"
            disk.mkdir()
            mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "none", disk], capture_output=True)
            if mounted.returncode != 0:
                self.skipTest(f"can't mount a file system here: {mounted.stderr.decode().strip()}")
            try:
                self.assert_refused(darktap("capture", "-r", pcap, "-w", disk / "out.dtap"), 3, disk / "out.dtap")
            finally:
                subprocess.run(["umount", disk], check=True)

    def test_output_that_can_not_be_written_is_said(self):
        with open("/dev/full", "wb") as full:
            done = darktap("inspect", corpus("captures/clients/py_pymysql.pcap"), "--format", "jsonl", stdout=full)
        self.assert_refused(done, 3, "standard output")

    def test_what_is_no_store_is_left_alone(self):
        with workplace() as place:
            path = place / "note.txt"
            path.write_text("not a store")
            for command in ("report", "serve"):
                self.assert_refused(darktap(command, path), 3, path)
                self.assert_refused(darktap(command, place / "missing.db"), 3, place / "missing.db")
            self.assertEqual(path.read_text(), "not a store")
            self.assertEqual([entry.name for entry in place.iterdir()], ["note.txt"])


class Servers(Case):
    def test_a_target_where_nobody_listens_is_named(self):
        pcap = corpus("captures/clients/py_pymysql.pcap")
        with workplace() as place:
            port = free_port()
            done = darktap("replay", pcap, "--target", f"mysql://u@127.0.0.1:{port}/t", "--store", place / "s.db",
                           passwords=PASSWORD)
            self.assert_refused(done, 3, f"127.0.0.1:{port}")
            self.assertFalse((place / "s.db").exists(), "no half-written store")

    def test_a_wrong_password_is_named(self):
        pcap = corpus("captures/clients/py_pymysql.pcap")
        with workplace() as place, Server(place / "target", cache=place.parent) as target:
            target.run(["CREATE DATABASE t", "CREATE USER u@'127.0.0.1' IDENTIFIED BY 'right'"])
            done = darktap("replay", pcap, "--target", target.url("u", "t"), "--store", place / "s.db",
                           passwords={"target": "wrong"})
            self.assert_refused(done, 3, f"127.0.0.1:{target.port}")
            self.assertNotIn("wrong", done.err.replace("wrong password", ""))
            self.assertFalse((place / "s.db").exists(), "no half-written store")

    def test_the_reference_as_target_is_refused_before_anything_is_sent(self):
        pcap = corpus("captures/clients/py_pymysql.pcap")
        with workplace() as place, Server(place / "one", cache=place.parent) as server:
            server.run(["CREATE DATABASE t", "CREATE USER u@'127.0.0.1' IDENTIFIED BY 'secret'", "GRANT ALL ON *.* TO u@'127.0.0.1'"])
            done = darktap("replay", pcap, "--target", server.url("u", "t"), "--reference",
                           f"mysql://u@localhost:{server.port}/t", "--store", place / "s.db", passwords=PASSWORD)
            self.assert_refused(done, 4)
            self.assertFalse((place / "s.db").exists())

    def test_a_target_on_the_tapped_port_is_refused(self):
        with workplace() as place, Server(place / "one", cache=place.parent) as server:
            server.run(["CREATE USER u@'127.0.0.1' IDENTIFIED BY 'secret'", "GRANT ALL ON *.* TO u@'127.0.0.1'"])
            for host in ("127.0.0.1", "localhost"):
                with self.subTest(host):
                    done = darktap("shadow", "-i", "lo", "--port", server.port, "--target", f"mysql://u@{host}:{server.port}/",
                                   "--store", place / "s.db", passwords=PASSWORD)
                    self.assert_refused(done, 4)
                    self.assertFalse((place / "s.db").exists())
