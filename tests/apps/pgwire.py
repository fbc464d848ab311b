# SPDX-License-Identifier: LGPL-2.1-or-later
"""A client of PostgreSQL's protocol 3.0 that knows as much as the jobs need, so that no psql has to be
installed: trust authentication, simple queries, COPY, cancel requests.
(Frontend/Backend Protocol, PostgreSQL's documentation.)
"""
import socket
import struct


class Refused(Exception):
    """An ErrorResponse; .code is its SQLSTATE."""

    def __init__(self, fields):
        super().__init__(str(fields))
        self.code = fields.get("C")


class Session:
    def __init__(self, port, timeout=90):
        self.port = port
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self.input = self.socket.makefile("rb")
        body = struct.pack("!i", 3 << 16) + b"user\0postgres\0database\0postgres\0\0"
        self.socket.sendall(struct.pack("!i", len(body) + 4) + body)
        self.key = None
        self._until_ready()

    def close(self):
        self._send(b"X", b"")
        self.input.close()
        self.socket.close()

    def _send(self, kind, body):
        self.socket.sendall(kind + struct.pack("!i", len(body) + 4) + body)

    def _receive(self):
        head = self.input.read(5)
        if len(head) < 5:
            raise ConnectionError("the backend has gone")
        return head[:1], self.input.read(struct.unpack("!i", head[1:])[0] - 4)

    def _until_ready(self, copy_in=None):
        rows, copied, error = [], [], None
        while True:
            kind, body = self._receive()
            if kind == b"D":
                rows.append(_row(body))
            elif kind == b"d":
                copied.append(body)
            elif kind == b"K":
                self.key = body
            elif kind == b"E":
                error = Refused({field[:1].decode(): field[1:].decode() for field in body.split(b"\0") if field})
            elif kind == b"G":
                for at in range(0, len(copy_in), 60000):
                    self._send(b"d", copy_in[at:at + 60000])
                self._send(b"c", b"")
            elif kind == b"Z":
                if error:
                    raise error
                return rows, b"".join(copied)

    def query(self, text, copy_in=None):
        """(rows of strings, what COPY TO STDOUT gave)"""
        self._send(b"Q", text.encode() + b"\0")
        return self._until_ready(copy_in)

    def cancel(self):
        """Whatever the session is doing, through a connection of its own."""
        with socket.create_connection(("127.0.0.1", self.port), 20) as other:
            other.sendall(struct.pack("!ii", 16, 80877102) + self.key)
            other.recv(1)  # the server closes when it has passed it on


def _row(body):
    values, at = [], 2
    for _ in range(struct.unpack_from("!h", body)[0]):
        (length,) = struct.unpack_from("!i", body, at)
        at += 4
        values.append(None if length < 0 else body[at:at + length].decode())
        at += max(length, 0)
    return values
