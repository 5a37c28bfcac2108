"""Sessions over TLS with their secrets, and sessions that ran before the tap: --keylog and --prime."""

import ssl
import struct
import subprocess
import time

import pymysql

from lab import Server
from live import tapping
from workplace import Case, corpus, darktap, need_root, workplace

COM_STMT_PREPARE, COM_STMT_EXECUTE = 0x16, 0x17


def certificate(place):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=lab",
                    "-keyout", place / "key.pem", "-out", place / "cert.pem"], check=True, capture_output=True)
    return [f"--ssl-cert={place / 'cert.pem'}", f"--ssl-key={place / 'key.pem'}"]


def connected(server, context=None, **options):
    options.setdefault("user", "app")
    options.setdefault("password", "secret")
    return pymysql.connect(host=server.host, port=server.port, charset="utf8mb4", autocommit=None, ssl=context, **options)


def with_key_log(path, version):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version
    context.keylog_filename = str(path)
    return context


def ask(connection, *statements):
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def prepare(connection, sql):
    """In the binary protocol, which PyMySQL does not speak by itself; gives the statement's id."""
    connection._execute_command(COM_STMT_PREPARE, sql)
    statement, columns, parameters = struct.unpack_from("<IHH", connection._read_packet()._data, 1)
    for count in (parameters, columns):
        for _ in range(count + 1 if count else 0):
            connection._read_packet()
    return statement


def execute(connection, statement, number):
    """With one INT parameter."""
    connection._execute_command(COM_STMT_EXECUTE, struct.pack("<IBI", statement, 0, 1) + b"\0\1\3\0" + struct.pack("<i", number))
    ends = 0
    while ends < 2:
        ends += connection._read_packet().is_eof_packet()


def exchanges(recording):
    done = darktap("inspect", recording, "--format", "jsonl")
    assert done.status == 0, done.err
    return done.lines()


class KeyLog(Case):
    def test_a_capture_is_read_with_its_key_log_and_named_without(self):
        for name in ("node_mysql2_tls", "py_connpy_defaulttls"):
            with self.subTest(name):
                capture = corpus(f"captures/clients/{name}.pcap")
                read = darktap("inspect", capture, "--keylog", corpus(f"captures/clients/{name}.keylog"), "--format", "summary")
                self.assertEqual(read.status, 0, read.err)
                self.assertEqual(read.json()["tls_sessions"], 1)
                self.assertGreater(read.json()["exchanges"], 40)
                self.assertNotIn("not read", read.err)
                blind = darktap("inspect", capture, "--format", "summary")
                self.assertEqual(blind.json()["exchanges"], 0)
                self.assertEqual(blind.json()["tls_sessions"], 1)
                self.assertIn("session 1 (127.0.0.1:", blind.err)
                self.assertIn("TLS 1.3: no key log was given", blind.err)
                self.assertIn("--keylog", blind.err)

    def test_a_key_log_that_others_can_read_is_warned_about_and_a_missing_one_is_an_error(self):
        capture = corpus("captures/clients/node_mysql2_tls.pcap")
        with workplace() as place:
            log = place / "keys"
            log.write_bytes(corpus("captures/clients/node_mysql2_tls.keylog").read_bytes())
            for mode, warned in ((0o600, False), (0o644, True)):
                log.chmod(mode)
                done = darktap("inspect", capture, "--keylog", log, "--format", "summary")
                self.assertEqual(done.status, 0, done.err)
                self.assertEqual("others can read" in done.err, warned)
            self.assert_refused(darktap("inspect", capture, "--keylog", place / "none"), 3, "none", "SSLKEYLOGFILE")
            self.assert_refused(darktap("inspect", capture, "--keylog", place), 3, "plain file")

    def test_a_recording_of_a_read_session_holds_its_statements_and_no_secret(self):
        capture, keys = corpus("captures/clients/node_mysql2_tls.pcap"), corpus("captures/clients/node_mysql2_tls.keylog")
        with workplace() as place:
            done = darktap("capture", "-r", capture, "--keylog", keys, "-w", place / "out.dtap")
            self.assertEqual(done.status, 0, done.err)
            wire = darktap("inspect", capture, "--keylog", keys, "--format", "jsonl")
            self.assertEqual(darktap("inspect", place / "out.dtap", "--format", "jsonl").out, wire.out)
            blind = darktap("capture", "-r", capture, "-w", place / "blind.dtap")
            self.assertIn("1 of 1 TLS sessions were not read", blind.err)
            self.assertIn("nothing of it was read", darktap("inspect", place / "blind.dtap").err)

    def test_a_live_tap_follows_a_key_log_that_is_written_while_it_taps(self):
        need_root("taps lo")
        with workplace() as place, Server(place / "server", certificate(place), cache=place.parent) as server:
            server.run(["CREATE USER app@'127.0.0.1' IDENTIFIED BY 'secret'"])
            keys, output = place / "keys", place / "out.dtap"
            with tapping("capture", "-i", "lo", "--port", server.port, "--keylog", keys, "--user", "root", "-w", output, log=place / "log") as tap:
                wanted = []
                for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                    for _ in range(2):
                        connection = connected(server, with_key_log(keys, version))
                        statements = [f"SELECT {len(wanted) + i} AS n" for i in range(5)]
                        ask(connection, *statements)
                        connection.close()
                        wanted += statements
                time.sleep(1)
                status, _ = tap.interrupt()
                self.assertEqual(status, 0, tap.said())
            found = [each["sql"] for each in exchanges(output) if each["sql"] and each["sql"].endswith(" AS n")]
            self.assertEqual(found, wanted, tap.said())
            self.assertNotIn("not read", tap.said())


class Prime(Case):
    def test_sessions_that_ran_before_the_tap_get_user_schema_and_prepared_texts(self):
        need_root("taps lo")
        with workplace() as place, Server(place / "server", ["--performance-schema=ON"], cache=place.parent) as server:
            server.run(["CREATE USER app@'127.0.0.1' IDENTIFIED BY 'secret'", "CREATE DATABASE shop", "GRANT ALL ON shop.* TO app@'127.0.0.1'",
                        "CREATE USER tap@'127.0.0.1' IDENTIFIED BY 'word'", "GRANT PROCESS ON *.* TO tap@'127.0.0.1'",
                        "GRANT SELECT ON performance_schema.* TO tap@'127.0.0.1'"])
            output = place / "out.dtap"
            early = connected(server, database="shop")
            statement = prepare(early, "SELECT ? + 1 AS more")
            with tapping("capture", "-i", "lo", "--port", server.port, "--prime", f"mysql://tap@127.0.0.1:{server.port}", "--user", "root",
                         "-w", output, log=place / "log", passwords={"source": "word"}) as tap:
                ask(early, "SELECT 1 AS one")
                execute(early, statement, 41)
                time.sleep(0.5)
                status, _ = tap.interrupt()
                self.assertEqual(status, 0, tap.said())
            early.close()
            self.assertIn("1 of 1 listed sessions were seen", tap.said())
            told = exchanges(output)
            self.assertEqual([(each["user"], each["schema"], each["sql"], each["params"], each["certain"]) for each in told],
                             [("app", "shop", "SELECT 1 AS one", None, False), ("app", "shop", "SELECT ? + 1 AS more", [41], False)])
            for each in told:
                self.assertIn("primed from the server's processlist", each["why"])

    def test_a_server_that_can_not_be_asked_is_an_error_before_anything_is_recorded(self):
        with workplace() as place:
            done = darktap("capture", "-r", corpus("captures/clients/go_default.pcap"), "--prime", "mysql://tap@127.0.0.1:1", "-w", place / "out.dtap")
            self.assert_refused(done, 3, "--prime", "127.0.0.1:1")
            self.assertFalse((place / "out.dtap").exists())
            self.assert_refused(darktap("capture", "-r", "x", "--prime", "mysql://tap:secret@h", "-w", place / "out.dtap"), 2, "--prime")
