"""What the legacy server itself counted during the run: the truth that darktap's ledger must add up to."""

import time

# `Queries` counts every command but pings and statistics; those are Com_admin_commands.
TOTAL = ("queries", "com_admin_commands")
SHOWN = (("com_select", "SELECT"), ("com_insert", "INSERT"), ("com_update", "UPDATE"), ("com_delete", "DELETE"),
         ("com_begin", "BEGIN"), ("com_commit", "COMMIT"), ("com_rollback", "ROLLBACK"), ("com_set_option", "SET"),
         ("com_show_tables", "SHOW"), ("com_stmt_prepare", "prepare"), ("com_stmt_execute", "execute"),
         ("com_stmt_close", "close"), ("com_admin_commands", "ping"))
PAUSE_SECONDS = 0.1


class LegacyCount:
    """Reads SHOW GLOBAL STATUS over the Unix socket, which the tap doesn't see, and leaves its own commands out."""

    def __init__(self, server):
        self.connection = server.connect()
        self.own = 0  # our SHOW STATUS commands; each is counted before it answers
        self.before = self._quiet()

    def _status(self):
        self.own += 1
        with self.connection.cursor() as cursor:
            cursor.execute("SHOW GLOBAL STATUS")
            status = {name.lower(): value for name, value in cursor.fetchall()}
        counters = {name: int(status[name]) for name in ("questions", *TOTAL, *(name for name, _ in SHOWN))}
        counters["questions"] -= self.own
        counters["queries"] -= self.own
        return counters

    def _quiet(self):
        """The counters once they stand still: a server counts a connection's COM_QUIT when it comes to it."""
        last = self._status()
        while True:
            time.sleep(PAUSE_SECONDS)
            now = self._status()
            if now == last:
                return now
            last = now

    def finish(self):
        after = self._quiet()
        self.connection.close()
        self.delta = {name: after[name] - self.before[name] for name in after}
        self.total = sum(self.delta[name] for name in TOTAL)

    def text(self):
        counted = ", ".join(f"{self.delta[name]} {word}" for name, word in SHOWN if self.delta[name])
        return f"{self.total} commands (Questions {self.delta['questions']}; Com_*: {counted})"
