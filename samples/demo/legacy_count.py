"""What the legacy server itself counted during the run: the truth that darktap's ledger must add up to."""

# `Queries` counts every command but pings and statistics; those are Com_admin_commands.
COUNTERS = ("queries", "com_admin_commands")
SHOWN = (("com_select", "SELECT"), ("com_insert", "INSERT"), ("com_update", "UPDATE"), ("com_delete", "DELETE"),
         ("com_begin", "BEGIN"), ("com_commit", "COMMIT"), ("com_rollback", "ROLLBACK"), ("com_set_option", "SET"),
         ("com_show_tables", "SHOW"), ("com_stmt_prepare", "prepare"), ("com_stmt_execute", "execute"),
         ("com_stmt_close", "close"), ("com_admin_commands", "ping"))


class LegacyCount:
    """Reads SHOW GLOBAL STATUS over the Unix socket, which the tap doesn't see, and leaves its own commands out."""

    def __init__(self, server):
        self.server = server
        first, self.before = server.status(), server.status()
        self.own = {name: self.before[name] - first[name] for name in COUNTERS}

    def finish(self):
        after = self.server.status()
        self.delta = {name: after[name] - self.before[name] for name, _ in SHOWN}
        self.delta["questions"] = after["questions"] - self.before["questions"] - self.own["queries"]
        self.total = sum(after[name] - self.before[name] - self.own[name] for name in COUNTERS)

    def text(self):
        counted = ", ".join(f"{self.delta[name]} {word}" for name, word in SHOWN if self.delta[name])
        return f"{self.total} commands (Questions {self.delta['questions']}; Com_*: {counted})"
