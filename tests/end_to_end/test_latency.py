"""A statement that is slower on the target is found; one that isn't, is not."""

import contextlib
import socket
import threading
import time

from test_replay import PASSWORDS, USER, record, two_servers
from shop.schema import SCHEMA
from workplace import Case, darktap, need_root, workplace

PAUSE = 0.05     # between two pages of the visit
PAGES = 200      # so that the recording has more than the five windows of a second that a verdict needs
SLOWER = 0.025   # seconds


class SlowingProxy:
    """Stands before a server and holds back queries that contain a word; everything else passes at once."""

    def __init__(self, server, word):
        self.server, self.word = server, word
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection((self.server.host, self.server.port))
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._pass, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self._pass, args=(server, client, False), daemon=True).start()

    def _pass(self, source, sink, requests):
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                if requests and self.word in data:
                    time.sleep(SLOWER)
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def close(self):
        self.listener.close()


class Latency(Case):
    def test_the_statement_that_the_target_answers_later_is_a_regression_and_no_other(self):
        need_root("taps lo")
        with workplace() as place, two_servers(place) as (source, target):
            recording = record(place, source, pages=PAGES, pause=PAUSE)
            with contextlib.closing(SlowingProxy(target, b"FROM customers")) as proxy:
                store = place / "s.db"
                done = darktap("replay", recording, "--target", f"mysql://{USER[0]}@127.0.0.1:{proxy.port}/{SCHEMA}",
                               "--store", store, passwords=PASSWORDS)
            self.assertEqual(done.status, 1, done.err)
            report = darktap("report", store, "--format", "json").json()
            slower = [finding for finding in report["findings"] if finding["difference"] == "latency_regression"]
            self.assertEqual([finding["normalized"] for finding in report["findings"]], [finding["normalized"] for finding in slower])
            self.assertEqual(len(slower), 1, [finding["normalized"] for finding in slower])
            self.assertIn("from customers", slower[0]["normalized"].lower())
            evidence = slower[0]["evidence"]
            self.assertEqual(evidence["vantage"], {"source": "tap", "target": "client"})
            self.assertGreaterEqual(evidence["windows"], 5)
            median = evidence["quantiles"][0]
            self.assertEqual(median["quantile"], 0.5)
            self.assertTrue(median["regression"])
            self.assertGreater(median["slower_by_us"], SLOWER * 1e6 / 2)
            low, high = median["interval_us"]
            self.assertLessEqual(low, median["slower_by_us"])
            self.assertGreaterEqual(high, median["slower_by_us"])
            self.assertEqual(darktap("report", store).status, 1)
            self.assertEqual(darktap("report", store, "--fail-on", "stale_read").status, 0)
            fast = darktap("replay", recording, "--target", target.url(USER[0], SCHEMA), "--store", store, "--pace", "max", passwords=PASSWORDS)
            self.assertEqual(fast.status, 0, "at another pace than production's latencies are not compared\n" + fast.err)
