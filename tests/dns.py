# SPDX-License-Identifier: LGPL-2.1-or-later
"""A small DNS server for tests: it answers what a table says, truthfully, late, or not at all.

    serve(address, {"a.example": {A: "192.0.2.1", AAAA: ["2001:db8::1", "2001:db8::2"]},
                    "b.example": {CNAME: "a.example"},
                    "broken.example": SERVFAIL, "dead.example": SILENT, "slow.example": Late(1, {...})})

Owns two sockets and their threads for each address it serves (port 53, UDP and TCP; RFC 1035: what does
not fit into 512 bytes is cut off, and asked for again over TCP).  Every other name does not exist.
"""
import ipaddress
import socket
import struct
import threading
import time
from typing import NamedTuple

A, CNAME, PTR, AAAA = 1, 5, 12, 28
FORMERR, SERVFAIL, NXDOMAIN, REFUSED = 1, 2, 3, 5  # answer codes
SILENT = None
AUTHORITATIVE, TRUNCATED = 0x8580, 0x0200
LARGEST_UDP = 512


class Late(NamedTuple):
    seconds: float
    entry: object


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


def records_of(names, name, kind, entry):
    records = []
    while CNAME in entry and kind != CNAME:
        records.append(record(name, CNAME, entry[CNAME]))
        name, entry = entry[CNAME], names[entry[CNAME]]
    values = entry.get(kind, [])
    return records + [record(name, kind, value)
                      for value in ([values] if isinstance(values, str) else values)]


def answer(packet, names, largest):
    """The answer, or None if there is none."""
    name, kind, question = decode_question(packet)
    entry = names.get(name, NXDOMAIN)
    if isinstance(entry, Late):
        time.sleep(entry.seconds)
        entry = entry.entry
    if entry is SILENT:
        return None
    code = entry if isinstance(entry, int) else 0
    records = [] if code else records_of(names, name, kind, entry)
    cut = len(packet[:12] + question + b"".join(records)) > largest
    header = struct.pack("!5H", AUTHORITATIVE | (TRUNCATED if cut else 0) | code, 1,
                         0 if cut else len(records), 0, 0)
    return packet[:2] + header + question + (b"" if cut else b"".join(records))


def serve_datagrams(server, names):
    def reply(packet, client):
        try:
            if found := answer(packet, names, LARGEST_UDP):
                server.sendto(found, client)
        except (IndexError, struct.error, OSError):
            pass  # no query, or nobody there any more

    while True:
        threading.Thread(target=reply, args=server.recvfrom(4096), daemon=True).start()


def serve_streams(listener, names):
    def reply(connection):
        with connection, connection.makefile("rb") as stream:
            while len(head := stream.read(2)) == 2:
                if found := answer(stream.read(*struct.unpack("!H", head)), names, 65535):
                    connection.sendall(struct.pack("!H", len(found)) + found)

    while True:
        threading.Thread(target=reply, args=listener.accept()[:1], daemon=True).start()


def serve(address, names):
    """Its threads, which end with the process."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    datagrams = socket.socket(family, socket.SOCK_DGRAM)
    datagrams.bind((address, 53))
    listener = socket.create_server((address, 53), family=family)
    threads = [threading.Thread(target=serve_datagrams, args=(datagrams, names), daemon=True),
               threading.Thread(target=serve_streams, args=(listener, names), daemon=True)]
    for thread in threads:
        thread.start()
    return threads
