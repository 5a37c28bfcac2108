"""MariaDB's general log as a list of statements: the truth that a decoded capture is held against."""

import collections
import re

ENTRY = re.compile(rb"^(?:\d{6} +\d+:\d\d:\d\d)?\t+ *(\d+) ([A-Z][A-Za-z]*(?: [a-zA-Z]+)?)\t(.*)$", re.DOTALL)


def statements(log):
    """{command: Counter of texts} of the connections that came over plain TCP; commands are Query, Prepare and Execute."""
    entries = []
    for line in log.split(b"\n"):
        match = ENTRY.match(line)
        if match:
            entries.append([int(match[1]), match[2].decode(), match[3]])
        elif entries:
            entries[-1][2] += b"\n" + line
    plain = {id for id, command, text in entries if command == "Connect" and b"using TCP/IP" in text}
    found = collections.defaultdict(collections.Counter)
    for id, command, text in entries:
        if id in plain and command in ("Query", "Prepare", "Execute"):
            found[command][trimmed(text.decode("utf-8", "replace"))] += 1
    return found


def trimmed(sql):
    """As the server logs a statement: without leading blanks, trailing blanks and trailing semicolons. The log ends each
    entry with a line break, and a NUL in it can't be told from its end."""
    return sql.strip().rstrip("; \t\r\n\0")


def pattern(prepared):
    """What the log shows when a prepared statement is executed: its text with each ? replaced by a value."""
    return re.compile(".*".join(re.escape(part) for part in trimmed(prepared).split("?")), re.DOTALL)
