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


def execute_prepared(connection, sql):
    """Sends and reads; the rows are of no interest here. A statement that can't be prepared is sent as text."""
    import pymysql
    text, values = with_markers(sql)
    try:
        connection._execute_command(0x16, text)
        reply = connection._read_packet().get_all_data()
        statement, columns, parameters = struct.unpack("<IHH", reply[1:9])
        if parameters: read_until_eof(connection)
        if columns: read_until_eof(connection)
        body = struct.pack("<IBI", statement, 0, 1)
        if values:
            body += b"\0" * ((len(values) + 7) // 8) + b"\1"
            body += b"".join(b"\x08\0" if isinstance(value, int) else b"\xfd\0" for value in values)
            for value in values:
                encoded = value.encode() if isinstance(value, str) else b""
                body += struct.pack("<q", value) if isinstance(value, int) else bytes([len(encoded)]) + encoded
        connection._execute_command(0x17, body)
        first = connection._read_packet()
        if not first.is_ok_packet():
            read_until_eof(connection)
            read_until_eof(connection)
        connection._execute_command(0x19, struct.pack("<I", statement))
    except pymysql.Error:
        pass
