"""Targets that misbehave, and runs that are stopped: the run goes on or ends cleanly, and the ledger adds up."""

import contextlib
import signal
import socket
import subprocess
import time
import urllib.request

from lab import Server, free_port
from shop.schema import SCHEMA
from test_replay import PASSWORDS, USER, record, two_servers
from workplace import DARKTAP, Case, darktap, environment, need_root, until, workplace

END_SECONDS = 60  # the contract: a run ends so long after the recording's own end, whatever the target does


def again(server):
    """A server that has been killed, on the same data and port."""
    with open(server.log, "ab") as log:
        server.process = subprocess.Popen(server.process.args, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    server.wait()


class Faults(Case):
    @contextlib.contextmanager
    def stage(self, pages=15, pause=0.2):
        """A recording of about three seconds, and a target with the same rows."""
        need_root("taps lo")
        with workplace() as place, two_servers(place) as (source, target):
            recording = record(place, source, pages, pause)
            self.place, self.exchanges = place, darktap("inspect", recording, "--format", "summary").json()["exchanges"]
            yield recording, source, target

    @contextlib.contextmanager
    def replaying(self, recording, target, *options):
        run = subprocess.Popen([DARKTAP, "replay", recording, "--target", target.url(USER[0], SCHEMA), "--store", self.place / "s.db",
                                *map(str, options)], env=environment(PASSWORDS), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            yield run
        finally:
            if run.poll() is None:
                run.kill()
            run.communicate()

    def under_way(self, run, exchanges=0):
        """Waits until the run has begun, and its store tells of so many compared exchanges: then a second more."""
        def told():
            done = darktap("report", self.place / "s.db", "--format", "json")
            return run.poll() is not None or (done.status in (0, 1) and done.json()["ledger"]["compared"] >= exchanges)
        until(told, "the run is in its store")
        time.sleep(1)
        self.assertIsNone(run.poll(), "still replaying")

    def ledger(self, run, statuses):
        """Waits for the run's end; every exchange of the recording has its bin."""
        out, err = run.communicate(timeout=END_SECONDS + 10)
        self.assertIn(run.returncode, statuses, out + err)
        done = darktap("report", self.place / "s.db", "--format", "json")
        self.assertIn(done.status, (0, 1), done.err)
        report = done.json()
        self.assertEqual(sum(report["ledger"].values()), self.exchanges)
        self.assertEqual(report["coverage"]["exchanges"], self.exchanges)
        return report["ledger"], report, err

    def test_a_target_that_freezes_and_comes_back_is_slow_no_more(self):
        with self.stage() as (recording, _, target), self.replaying(recording, target) as run:
            self.under_way(run)
            target.process.send_signal(signal.SIGSTOP)
            time.sleep(4)
            target.process.send_signal(signal.SIGCONT)
            ledger, report, _ = self.ledger(run, (0,))
            self.assertEqual(ledger["target_failed"], 0)
            self.assertEqual(report["findings"], [])

    def test_a_target_that_freezes_for_good_ends_the_run_with_a_whole_ledger(self):
        with self.stage() as (recording, _, target), self.replaying(recording, target, "--statement-timeout", "3s") as run:
            self.under_way(run)
            target.process.send_signal(signal.SIGSTOP)
            ledger, _, err = self.ledger(run, (1, 3))  # 1: the statements that timed out are findings
            self.assertGreater(ledger["target_failed"], 0)
            self.assertIn(f"127.0.0.1:{target.port}", err)

    def test_a_target_that_is_restarted_goes_on_with_the_sessions_restored(self):
        with self.stage(pages=25) as (recording, _, target), self.replaying(recording, target, "--connect-timeout", "30s") as run:
            self.under_way(run)
            target.process.kill()
            target.process.wait()
            again(target)
            ledger, report, _ = self.ledger(run, (0,))
            self.assertEqual(report["findings"], [])
            self.assertLessEqual(ledger["target_failed"], 2, "only what was in flight is lost")
            self.assertGreater(ledger["compared"], 60)

    def test_a_target_that_never_greets_is_told_before_anything_is_sent(self):
        with self.stage(pages=2, pause=0) as (recording, _, _), socket.create_server(("127.0.0.1", 0)) as mute:
            done = darktap("replay", recording, "--target", f"mysql://{USER[0]}@127.0.0.1:{mute.getsockname()[1]}/{SCHEMA}", "--store", self.place / "s.db",
                           "--connect-timeout", "1s", passwords=PASSWORDS)
            self.assert_refused(done, 3, mute.getsockname()[1], "does not answer")
            self.assertFalse((self.place / "s.db").exists())

    def test_a_read_only_target_serves_reads(self):
        with self.stage(pages=5, pause=0) as (recording, _, target):
            target.query("SET GLOBAL read_only = 1")
            with self.replaying(recording, target) as run:
                ledger, report, _ = self.ledger(run, (0,))
                self.assertEqual((report["findings"], ledger["target_failed"]), ([], 0))

    def test_a_stopped_replay_leaves_what_it_did_not_reach_pending(self):
        with self.stage(pages=30) as (recording, _, target), self.replaying(recording, target) as run:
            self.under_way(run, 1)
            run.send_signal(signal.SIGINT)
            ledger, report, err = self.ledger(run, (3,))
            self.assertGreater(ledger["pending"], 0)
            self.assertGreater(ledger["compared"], 0)
            self.assertEqual(ledger["target_failed"], 0)
            self.assertIsNone(report["run"]["finished"])
            self.assertIn("not reached", err)

    def test_a_killed_replay_is_resumed_and_counts_each_exchange_once(self):
        with self.stage(pages=30) as (recording, _, target):
            with self.replaying(recording, target) as run:
                self.under_way(run, 1)
                run.kill()
                run.wait()
            before = darktap("report", self.place / "s.db", "--format", "json").json()
            self.assertGreater(before["ledger"]["compared"], 0)
            self.assertGreater(before["ledger"]["pending"], 0)
            with self.replaying(recording, target, "--resume", before["run"]["id"], "--pace", "max") as run:
                ledger, report, _ = self.ledger(run, (0,))
            self.assertEqual((ledger["pending"], ledger["target_failed"], report["findings"]), (0, 0, []))
            self.assertIsNotNone(report["run"]["finished"])
            self.assertEqual(report["run"]["id"], before["run"]["id"])
            with self.replaying(recording, target, "--pace", "max") as run:
                at_once, whole, _ = self.ledger(run, (0,))
            self.assertEqual(ledger, at_once)
            self.assertEqual([(row["fingerprint"], row["side"], row["n"]) for row in report["latency"]], [(row["fingerprint"], row["side"], row["n"]) for row in whole["latency"]])
            again = darktap("replay", recording, "--target", target.url(USER[0], SCHEMA), "--store", self.place / "s.db", "--resume", before["run"]["id"], passwords=PASSWORDS)
            self.assert_refused(again, 2, "has ended")

    def test_many_sessions_share_the_few_connections_that_the_target_allows(self):
        with self.stage(pages=1, pause=0) as (_, source, target):
            recording = self.crowd(source, sessions=12)
            target.query("SET GLOBAL max_connections = 10")  # one more for root is always free
            for name, options in {"limited": ("--target-connections", 3), "refused and retried": ()}.items():
                with self.subTest(name), self.replaying(recording, target, *options) as run:
                    ledger, report, _ = self.ledger(run, (0,))
                    self.assertEqual((ledger["target_failed"], report["findings"]), (0, []))
                (self.place / "s.db").unlink()

    def crowd(self, source, sessions):
        """A recording of sessions that are all open at once and take turns, each with a setting of its own."""
        import pymysql
        from live import tapping
        recording = self.place / "crowd.dtap"
        with tapping("capture", "-i", "lo", "--port", source.port, "-w", recording, log=self.place / "crowd.log") as tap:
            connections = [pymysql.connect(host=source.host, port=source.port, user=USER[0], password=USER[1], database=SCHEMA) for _ in range(sessions)]
            for number, connection in enumerate(connections):
                connection.cursor().execute(f"SET SESSION group_concat_max_len = {1000 + number}")
            for _ in range(4):
                for connection in connections:
                    connection.cursor().execute("SELECT @@group_concat_max_len, (SELECT COUNT(*) FROM products)")
            for connection in connections:
                connection.close()
            time.sleep(0.3)
            tap.interrupt()
        self.exchanges = darktap("inspect", recording, "--format", "summary").json()["exchanges"]
        return recording


class Watching(Faults):
    def test_metrics_are_served_while_the_run_goes_on_and_progress_says_how_far_it_is(self):
        port = free_port()
        with self.stage(pages=30) as (recording, _, target), self.replaying(recording, target, "--metrics", f"127.0.0.1:{port}") as run:
            self.under_way(run, 1)
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as response:
                self.assertIn("version=0.0.4", response.headers["Content-Type"])
                text = response.read().decode()
            samples = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
            compared = next(float(value) for name, value in samples.items() if name.startswith("darktap_exchanges{") and 'bin="compared"' in name)
            self.assertGreater(compared, 0)
            self.assertEqual(next(float(value) for name, value in samples.items() if name.startswith("darktap_exchanges_expected")), self.exchanges)
            _, _, err = self.ledger(run, (0,))
            self.assertRegex(err, rf"/{self.exchanges} done, \d+ q/s \(recorded: \d+\), late p99")

    def test_a_dry_run_tells_the_plan_and_the_grants_and_sends_no_captured_statement(self):
        with self.stage(pages=5, pause=0) as (recording, source, target):
            target.query("SET GLOBAL log_output = 'FILE'")
            target.query(f"SET GLOBAL general_log_file = '{self.place}/general.log'")
            target.query("SET GLOBAL general_log = 1")
            arguments = ("replay", recording, "--target", target.url(USER[0], SCHEMA), "--store", self.place / "s.db", "--dry-run")
            done = darktap(*arguments, "--format", "json", passwords=PASSWORDS)
            self.assertEqual(done.status, 0, done.err)
            plan = done.json()
            self.assertEqual(plan["exchanges"], self.exchanges)
            self.assertEqual(plan["sent"] + plan["unobserved"] + sum(plan["skipped"].values()), self.exchanges)
            self.assertIn(f"{SCHEMA}.products", plan["tables"])
            self.assertTrue(any(grant.startswith(f"GRANT SELECT ON `{SCHEMA}`") for grant in plan["grants"]["target"]))
            self.assertFalse((self.place / "s.db").exists())
            self.assertIn("Target needs", darktap(*arguments, passwords=PASSWORDS).out)
            self.assertNotIn("FROM products WHERE id", (self.place / "general.log").read_text(errors="replace"))
            refused = darktap("replay", recording, "--target", source.url(USER[0], SCHEMA), "--store", self.place / "s.db", "--dry-run", passwords=PASSWORDS)
            self.assert_refused(refused, 4)

    def test_loops_and_selections_are_in_the_ledger(self):
        with self.stage(pages=5, pause=0) as (recording, _, target):
            whole = self.exchanges
            self.exchanges = 3 * whole
            with self.replaying(recording, target, "--loops", 3) as run:
                looped, report, _ = self.ledger(run, (0,))
                self.assertEqual(report["findings"], [])
            self.exchanges = whole
            (self.place / "s.db").unlink()
            fingerprint = next(line["fingerprint"] for line in darktap("inspect", recording, "--format", "jsonl").lines() if "products" in (line["sql"] or ""))
            with self.replaying(recording, target, "--fingerprint", fingerprint) as run:
                _, report, _ = self.ledger(run, (0,))
                self.assertGreater(report["ledger_reasons"]["skipped"]["not_selected"], 0)
                self.assertEqual(report["coverage"]["fingerprints_compared"] >= 1, True)
            self.assertGreaterEqual(looped["compared"], 3 * 15)

    def test_a_target_that_demands_tls_is_replayed_on_over_tls(self):
        with self.stage(pages=5, pause=0) as (recording, source, plain):
            keys = self.place
            subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                            "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", keys / "key.pem", "-out", keys / "cert.pem"], check=True, capture_output=True)
            plain.query("SHUTDOWN")
            plain.process.wait(30)
            plain.process = subprocess.Popen([*plain.process.args, "--ssl=1", f"--ssl-cert={keys}/cert.pem", f"--ssl-key={keys}/key.pem",
                                              "--require-secure-transport=1"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(1)
            plain.wait()
            arguments = ("replay", recording, "--target", plain.url(USER[0], SCHEMA), "--store", keys / "s.db")
            self.assert_refused(darktap(*arguments, passwords=PASSWORDS), 3, plain.port)
            self.assert_refused(darktap(*arguments, "--target-ssl-mode", "verify_identity", passwords=PASSWORDS), 3, "TLS")
            with self.replaying(recording, plain, "--target-ssl-mode", "required") as run:
                ledger, report, _ = self.ledger(run, (0,))
                self.assertEqual((ledger["target_failed"], report["findings"]), (0, []))
            (keys / "s.db").unlink()
            with self.replaying(recording, plain, "--target-ssl-mode", "verify_identity", "--target-ssl-ca", keys / "cert.pem", "--target-compress") as run:
                ledger, report, _ = self.ledger(run, (0,))
                self.assertEqual((ledger["target_failed"], report["findings"]), (0, []))
