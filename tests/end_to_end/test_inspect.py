"""darktap inspect on captures that other people's software made."""

import gzip
import pathlib

import general_log
from workplace import Case, corpus, darktap, workplace

KEYS = {"session", "seq", "time", "client", "server", "user", "schema", "command", "sql", "sql_hex", "params", "fingerprint",
        "normalized", "class", "outcome", "rows", "affected_rows", "last_insert_id", "warnings", "error", "request_bytes",
        "response_bytes", "latency_first_us", "latency_us", "certain", "why"}
CLASSES = {"read", "locking_read", "write", "ddl", "session", "transaction", "unsafe", "other"}
OUTCOMES = {"rows", "ok", "error", "unobserved", "none"}
LEDGER_BINS = {"observed", "compared", "skipped", "shed", "unobserved", "opaque", "undecodable", "target_failed", "pending"}


def captures(folder):
    return sorted(path for path in corpus(folder).rglob("*") if path.name.endswith((".pcap", ".pcapng", ".pcap.gz")))


def plain(path, place):
    """The capture itself, unpacked where it is compressed."""
    if path.suffix != ".gz":
        return path
    unpacked = place / path.stem
    unpacked.write_bytes(gzip.decompress(path.read_bytes()))
    return unpacked


def log_of(path):
    base = path.name.split(".pcap")[0]
    packed = path.with_name(base + ".general.log.gz")
    return gzip.decompress(packed.read_bytes()) if packed.exists() else path.with_name(base + ".general.log").read_bytes()


class ClientCaptures(Case):
    def test_every_statement_of_the_general_log_is_found_and_none_is_invented(self):
        tried = 0
        with workplace() as place:
            for path in captures("captures/clients"):
                if "tls" in path.name or "compress" in path.name:
                    continue
                tried += 1
                with self.subTest(path.name):
                    self.compare(darktap("inspect", plain(path, place), "--format", "jsonl"), general_log.statements(log_of(path)))
        self.assertGreaterEqual(tried, 10)

    def compare(self, done, logged):
        self.assertEqual(done.status, 0, done.err)
        lines = done.lines()
        queries = [general_log.trimmed(line["sql"]) for line in lines if line["command"] == "COM_QUERY"]
        for sql, times in logged["Query"].items():
            self.assertEqual(queries.count(sql), times, f"logged {times} times: {sql[:200]!r}")
        # A statement sent into a connection that the server has just killed is on the wire, and in no log.
        answered = {general_log.trimmed(line["sql"]) for line in lines if line["command"] == "COM_QUERY" and line["outcome"] != "unobserved"}
        invented = answered - set(logged["Query"])
        self.assertFalse(invented, "statements that the server never logged")
        prepared = [general_log.trimmed(line["sql"]) for line in lines if line["command"] == "COM_STMT_PREPARE"]
        for sql, times in logged["Prepare"].items():
            self.assertEqual(prepared.count(sql), times, f"prepared {times} times: {sql[:200]!r}")
        executed = [general_log.pattern(line["sql"]) for line in lines
                    if line["command"] in ("COM_STMT_EXECUTE", "COM_STMT_BULK_EXECUTE") and line["sql"] is not None]
        for sql in logged["Execute"]:
            self.assertTrue(any(pattern.fullmatch(sql) for pattern in executed), f"executed: {sql[:200]!r}")

    def test_a_tls_session_is_counted_and_its_statements_are_not_guessed(self):
        for path in captures("captures/clients"):
            if "tls" not in path.name:
                continue
            with self.subTest(path.name):
                summary = darktap("inspect", path, "--format", "summary").json()
                self.assertGreater(summary["tls_sessions"], 0)
                logged = general_log.statements(log_of(path))["Query"]
                for line in darktap("inspect", path, "--format", "jsonl").lines():
                    if line["command"] == "COM_QUERY":
                        self.assertIn(general_log.trimmed(line["sql"]), logged)


class EveryCapture(Case):
    def test_every_shared_capture_is_read_to_its_end_and_its_numbers_agree(self):
        with workplace() as place:
            for path in captures("captures"):
                with self.subTest(str(path.relative_to(corpus("captures")))):
                    file = plain(path, place)
                    done = darktap("inspect", file, "--format", "summary")
                    self.assertEqual(done.status, 0, done.err)
                    summary = done.json()
                    self.assertEqual(set(summary["ledger"]), LEDGER_BINS)
                    self.assertEqual(sum(summary["ledger"].values()), summary["exchanges"])
                    self.assertEqual(sum(summary["commands"].values()), summary["exchanges"])
                    lines = darktap("inspect", file, "--format", "jsonl").lines()
                    self.assertEqual(len(lines), summary["exchanges"])
                    self.assertEqual(sum(line["rows"] or 0 for line in lines), summary["rows"])
                    self.check_lines(lines)

    def check_lines(self, lines):
        self.assertEqual([line["time"] for line in lines], sorted(line["time"] for line in lines))
        last = {}
        for line in lines:
            self.assertEqual(set(line), KEYS)
            self.assertIn(line["class"], CLASSES | {None})
            self.assertIn(line["outcome"], OUTCOMES)
            self.assertEqual(line["seq"], last.get(line["session"], -1) + 1, "seq counts from 0 in its session")
            last[line["session"]] = line["seq"]
            if line["outcome"] == "error":
                self.assertEqual(set(line["error"]), {"code", "sqlstate", "message"})
            if not line["certain"]:
                self.assertTrue(line["why"], "an inference says what it rests on")

    def test_text_is_for_people_and_names_the_statements(self):
        done = darktap("inspect", corpus("captures/clients/py_pymysql.pcap"))
        self.assertEqual(done.status, 0, done.err)
        self.assertIn("SELECT id FROM allt WHERE 1=0", done.out)

    def test_one_session_can_be_picked(self):
        path = corpus("captures/clients/py_pymysql.pcap")
        lines = darktap("inspect", path, "--format", "jsonl", "--session", 2).lines()
        self.assertEqual({line["session"] for line in lines}, {2})
        self.assertTrue(any("SELECT bad" in (line["sql"] or "") for line in lines))
