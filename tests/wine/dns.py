# SPDX-License-Identifier: LGPL-2.1-or-later
"""A DNS server for the names that Wine's Winsock tests ask for.  Owns a UDP socket and a thread for
each address it serves.  Every other name does not exist."""

import ipaddress
import socket
import struct
import threading

A, CNAME, PTR, AAAA = 1, 5, 12, 28
NXDOMAIN = 3
HOST4, HOST6 = "198.51.100.1", "2001:db8:77::1"

NAMES = {
    "winehq.org": {A: HOST4},
    "www.winehq.org": {A: HOST4},
    "test.winehq.org": {A: HOST4},
    "source.winehq.org": {CNAME: "www.winehq.org"},
    "xn--zckzah.winehq.org": {A: HOST4},
    "www.kernel.org": {A: HOST4, AAAA: HOST6},
    ipaddress.ip_address(HOST4).reverse_pointer: {PTR: "www.winehq.org"},
    ipaddress.ip_address(HOST6).reverse_pointer: {PTR: "www.kernel.org"},
}


def encode_name(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def decode_question(packet):
    """(name, type, the question's bytes) of a query with one question."""
    labels, at = [], 12
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]].decode("ascii", "replace"))
        at += 1 + packet[at]
    kind, = struct.unpack("!H", packet[at + 1:at + 3])
    return ".".join(labels).lower(), kind, packet[12:at + 5]


def record(name, kind, value):
    data = encode_name(value) if kind in (CNAME, PTR) else ipaddress.ip_address(value).packed
    return encode_name(name) + struct.pack("!HHIH", kind, 1, 60, len(data)) + data


def answer(packet):
    name, kind, question = decode_question(packet)
    known = NAMES.get(name)
    records = []
    while known and CNAME in known and kind != CNAME:
        records.append(record(name, CNAME, known[CNAME]))
        name, known = known[CNAME], NAMES[known[CNAME]]
    if known and kind in known:
        records.append(record(name, kind, known[kind]))
    flags = 0x8580 | (0 if known is not None else NXDOMAIN)  # an authoritative answer
    return packet[:2] + struct.pack("!5H", flags, 1, len(records), 0, 0) + question + b"".join(records)


def serve(address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    server = socket.socket(family, socket.SOCK_DGRAM)
    server.bind((address, 53))

    def loop():
        while True:
            packet, client = server.recvfrom(4096)
            try:
                server.sendto(answer(packet), client)
            except (IndexError, struct.error, OSError):
                pass  # no query, or nobody there any more

    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    return thread
