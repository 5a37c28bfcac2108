"""COM_STMT_PREPARE and COM_STMT_EXECUTE over a pymysql connection: literals of WHERE become parameters."""

import re
import struct


def with_markers(sql):
    """Numbers and strings behind a comparison or in LIMIT as parameters."""
    values = []

    def mark(match):
        text = match[2]
        values.append(text[1:-1].replace("\\'", "'") if text.startswith("'") else int(text))
        return match[1] + "?"

    return re.sub(r"((?:[=<>]|LIMIT|OFFSET) )('(?:[^'\\]|\\')*'|\d+)(?![\d.])", mark, sql), values


def read_until_eof(connection):
    while True:
        packet = connection._read_packet()
        if packet.is_eof_packet(): return


# Of a parameter: its type on the wire, and how its value is written there.
FORMATS = {"tiny": (1, "<b"), "short": (2, "<h"), "long": (3, "<i"), "longlong": (8, "<q"), "ulonglong": (8 | 0x8000, "<Q"), "float": (4, "<f"), "double": (5, "<d")}
TEXTS = {"string": 0xfd, "decimal": 0xf6, "blob": 0xfc}
TIMES = {"date": 10, "datetime": 12, "time": 11}


def typed(type, value):
    """The parameter's type and its bytes; NULL has none."""
    if type == "null": return 6, b""
    if type in FORMATS: return FORMATS[type][0], struct.pack(FORMATS[type][1], value)
    if type in TEXTS:
        encoded = value if isinstance(value, bytes) else value.encode()
        return TEXTS[type], bytes([len(encoded)]) + encoded
    digits = [int(part) for part in re.split(r"[-: .]", value)]
    if type == "date": return TIMES[type], b"\4" + struct.pack("<HBB", *digits)
    if type == "datetime": return TIMES[type], b"\x0b" + struct.pack("<HBBBBBI", *digits)
    return TIMES[type], b"\x0c" + struct.pack("<BIBBBI", 0, digits[0] // 24, digits[0] % 24, *digits[1:])


def as_text(connection, sql, parameters):
    """The statement with its parameters in their places."""
    parts = sql.split("?")
    written = ["NULL" if value is None else str(value) if isinstance(value, (int, float)) else value if type == "decimal" else connection.escape(value) for type, value in parameters]
    return "".join(part + value for part, value in zip(parts, [*written, ""]))


def execute_prepared(connection, sql, parameters=()):
    """Sends and reads; the rows are of no interest here. Without parameters they are made of its literals; a statement that can't be
    prepared is not sent."""
    import pymysql
    text, values = (sql, list(parameters)) if parameters else with_markers(sql)
    if not parameters: values = [("longlong" if isinstance(value, int) else "string", value) for value in values]
    try:
        connection._execute_command(0x16, text)
        reply = connection._read_packet().get_all_data()
        statement, columns, markers = struct.unpack("<IHH", reply[1:9])
        if markers: read_until_eof(connection)
        if columns: read_until_eof(connection)
        body = struct.pack("<IBI", statement, 0, 1)
        if values:
            written = [typed(*value) for value in values]
            nulls = sum(1 << place for place, (type, _) in enumerate(written) if type == 6)
            body += nulls.to_bytes((len(values) + 7) // 8, "little") + b"\1" + b"".join(struct.pack("<H", type) for type, _ in written) + b"".join(encoded for _, encoded in written)
        connection._execute_command(0x17, body)
        first = connection._read_packet()
        if not first.is_ok_packet():
            read_until_eof(connection)
            read_until_eof(connection)
        connection._execute_command(0x19, struct.pack("<I", statement))
    except pymysql.Error:
        pass
