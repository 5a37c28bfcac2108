"""Small captures made by hand, for what the shared ones don't have."""

import struct

ETHERNET, USER0 = 1, 147


def pcap(packets, link_type=ETHERNET):
    header = struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, link_type)
    return header + b"".join(struct.pack("<IIII", 1_700_000_000 + n, 0, len(packet), len(packet)) + packet
                             for n, packet in enumerate(packets))


def tcp_packet(source_port, target_port, sequence, payload, flags=0x18):
    tcp = struct.pack(">HHIIBBHHH", source_port, target_port, sequence, 1, 5 << 4, flags, 65535, 0, 0) + payload
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0, bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2]))
    return bytes(12) + b"\x08\x00" + ip + tcp


def http_conversation():
    """A TCP connection on port 80 that speaks no MySQL."""
    return pcap([tcp_packet(40000, 80, 0, b"", 0x02), tcp_packet(40000, 80, 1, b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n")])
