# SPDX-License-Identifier: LGPL-2.1-or-later
"""The driver's end of tests/programs/remote_winsock.c: Winsock calls made from Python.

    s = remote.socket()
    waits = remote.begin("recv", s, "event", 100)   # a Call: runs on a thread of the program
    waits.waiting()                                 # it is pending, or about to block
    outcome = waits.result()                        # .error, .bytes, .data, .events, .system ...
    remote.connect(s, "call", host, port)           # the same, waited for

Knows nothing of the network.  One program serves many tests; a test closes what it opened.
"""
import subprocess
import time
from types import SimpleNamespace

import pytest

SOCK_STREAM, SOCK_DGRAM = 1, 2  # Windows', as all that follows
SOL_SOCKET, SO_ERROR = 0xffff, 0x1007
IPPROTO_IP, IPPROTO_TCP, IPPROTO_IPV6 = 0, 6, 41
IP_TTL, IP_DONTFRAGMENT, IPV6_UNICAST_HOPS, IP_RECVERR = 4, 14, 4, 75
TCP_MAXRT, TCP_MAXRTMS, TCP_FASTOPEN, TCP_KEEPCNT, TCP_FAIL_CONNECT_ON_ICMP_ERROR = 5, 14, 15, 16, 18
FD_READ_BIT, FD_CONNECT_BIT, FD_CLOSE_BIT = 0, 4, 5
READABLE, WRITABLE, EXCEPTIONAL = 1, 2, 4  # what `select` tells
POLLERR, POLLHUP, POLLWRNORM, POLLRDNORM = 1, 2, 0x10, 0x100


class Call:
    def __init__(self, remote, tag, words):
        self.remote, self.tag, self.words = remote, tag, words

    def waiting(self, timeout=30):
        """Fails if it has ended without."""
        said = self.remote.until(self.tag, lambda said: said, timeout)
        assert "waiting" in said, f"{self.words}: {said}"
        return self

    @property
    def done(self):
        return "done" in self.remote.until(self.tag, lambda said: True, 0)

    def result(self, timeout=60):
        line = self.remote.until(self.tag, lambda said: "done" in said, timeout)["done"]
        fields = dict(field.split("=", 1) for field in line)
        data = bytes.fromhex(fields.pop("data"))
        return SimpleNamespace(words=self.words, data=data,
                               **{name: int(value) for name, value in fields.items()})


class Remote:
    def __init__(self, running):
        self.running = running
        self._tags = self._slots = 0
        self._open = set()
        self._said = {}  # tag -> {"waiting": [], "done": fields}
        running.wait_for("READY", 60)
        self._output = open(running.directory / "stdout", encoding="ascii", errors="replace")
        self._rest = ""

    def _read(self):
        self._rest += self._output.read()
        *lines, self._rest = self._rest.split("\n")
        for line in lines:
            tag, *words = line.split()
            if words:
                self._said.setdefault(int(tag), {})[words[0]] = words[1:]

    def until(self, tag, condition, timeout):
        """What was said about a call, once the condition of it holds."""
        deadline = time.monotonic() + timeout
        while True:
            alive = self.alive
            self._read()
            said = self._said.get(tag, {})
            if condition(said):
                return said
            if not alive or time.monotonic() > deadline:
                pytest.fail(f"call {tag} said only {said}: {self.running.result()}", pytrace=False)
            time.sleep(0.003)

    def begin(self, *words):
        self._tags += 1
        line = " ".join(str(word) for word in (self._tags, *words))
        self.running.proc.stdin.write(line.encode() + b"\n")
        self.running.proc.stdin.flush()
        return Call(self, self._tags, words)

    def __getattr__(self, command):
        if command.startswith("_"):
            raise AttributeError(command)
        return lambda *words: self.begin(command, *words).result()

    def socket(self, family=4, kind=SOCK_STREAM):
        self._slots = self._slots % 255 + 1
        made = self.begin("socket", self._slots, family, kind).result()
        assert made.error == 0, made
        self._open.add(self._slots)
        return self._slots

    def close_all(self):
        for call in [self.begin("close", slot) for slot in self._open]:
            call.result()
        self._open.clear()

    @property
    def alive(self):
        return self.running.proc.poll() is None

    def end(self):
        self._output.close()
        self.running.proc.stdin.close()
        try:
            self.running.proc.wait(10)
        except subprocess.TimeoutExpired:
            self.running.kill()
