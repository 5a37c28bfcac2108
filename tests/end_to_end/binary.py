"""Commands that Python's drivers don't send: cursors, long data, MariaDB's bulk executes. Raw messages over a pymysql connection."""

import struct

import pymysql

CURSOR_EXISTS, LAST_ROW_SENT = 0x40, 0x80
READ_ONLY_CURSOR = 1
BULK_CAPABILITY = 1 << 2  # of MariaDB's own, which stand in the login's filler
LONGLONG, VAR_STRING, BLOB = 8, 253, 252


class Connection(pymysql.Connection):
    """Speaks MariaDB's bulk dialect where bulk is set."""

    def __init__(self, *, bulk=False, **options):
        self._bulk = bulk
        super().__init__(**options)

    def write_packet(self, payload):
        if self._bulk and self._next_seq_id == 1 and len(payload) > 32:
            flags = struct.unpack_from("<I", payload)[0] & ~1  # bit 0 stands for "not MariaDB"
            payload = struct.pack("<I", flags) + payload[4:28] + struct.pack("<I", BULK_CAPABILITY) + payload[32:]
            self._bulk = False
        super().write_packet(payload)

    def _answer(self):
        """OK, or rows as raw payloads with the last status."""
        packet = self._read_packet()
        if packet.is_ok_packet():
            return [], pymysql.protocol.OKPacketWrapper(packet).server_status
        status = self._skip_until_eof()
        if status & CURSOR_EXISTS:
            return [], status
        return self._rows()

    def _skip_until_eof(self):
        while True:
            packet = self._read_packet()
            if packet.is_eof_packet():
                return pymysql.protocol.EOFPacketWrapper(packet).server_status

    def _rows(self):
        rows = []
        while True:
            packet = self._read_packet()
            if packet.is_eof_packet():
                return rows, pymysql.protocol.EOFPacketWrapper(packet).server_status
            rows.append(packet.get_all_data())

    def prepare(self, sql):
        self._execute_command(0x16, sql)
        id, columns, parameters = struct.unpack_from("<IHH", self._read_packet().get_all_data(), 1)
        for count in (parameters, columns):
            if count:
                self._skip_until_eof()
        return id

    def execute(self, id, values=(), *, cursor=0, types=None, nothing_for=()):
        """`nothing_for`: places of parameters whose values went by long_data()."""
        payload = struct.pack("<IBI", id, cursor, 1)
        if values:
            bitmap = bytearray((len(values) + 7) // 8)
            for n, value in enumerate(values):
                if value is None:
                    bitmap[n // 8] |= 1 << n % 8
            payload += bytes(bitmap) + b"\1" + b"".join(_type(value, types and types[n]) for n, value in enumerate(values))
            payload += b"".join(_value(value) for n, value in enumerate(values) if value is not None and n not in nothing_for)
        self._execute_command(0x17, payload)
        return self._answer()

    def bulk(self, id, rows):
        payload = struct.pack("<IH", id, 128) + b"".join(_type(value) for value in rows[0])
        payload += b"".join(b"\1" if value is None else b"\0" + _value(value) for row in rows for value in row)
        self._execute_command(0xfa, payload)
        return self._answer()

    def fetch(self, id, count):
        self._execute_command(0x1c, struct.pack("<II", id, count))
        return self._rows()

    def fetch_all(self, id, count):
        rows, status = [], 0
        while not status & LAST_ROW_SENT:
            more, status = self.fetch(id, count)
            rows += more
        return rows

    def long_data(self, id, parameter, data):
        self._execute_command(0x18, struct.pack("<IH", id, parameter) + data)

    def reset(self):
        self._execute_command(0x1f, b"")
        self._read_ok_packet()

    def change_user(self, user, password, schema):
        """By mysql_native_password, on the scramble of the login or on a new one."""
        def token(salt):
            return pymysql._auth.scramble_native_password(password.encode(), salt)
        first = token(self.salt)
        self._execute_command(0x11, user.encode() + b"\0" + bytes([len(first)]) + first + schema.encode() + b"\0" + struct.pack("<H", self.charset_id if hasattr(self, "charset_id") else 45) + b"mysql_native_password\0" + b"\0")  # and no attributes
        packet = self._read_packet()
        if packet.is_auth_switch_request():
            packet.read_uint8()
            packet.read_string()
            self.write_packet(token(packet.read_all()[:20]))
            packet = self._read_packet()
        assert packet.is_ok_packet()

    def close_statement(self, id):
        self._execute_command(0x19, struct.pack("<I", id))


def _type(value, given=None):
    return struct.pack("<H", given or (LONGLONG if isinstance(value, int) else VAR_STRING))


def _value(value):
    if isinstance(value, int):
        return struct.pack("<q", value)
    data = value.encode()
    return (bytes([len(data)]) if len(data) < 251 else b"\xfc" + struct.pack("<H", len(data))) + data
