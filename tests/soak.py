# SPDX-License-Identifier: LGPL-2.1-or-later
"""What `make soak` does all its time, what it watches, and the plot of that.

Owns: the load (one thread for each kind, until told to stop), the samples and the SVG.  Each piece of
load checks its bytes and raises where they differ.  tests/test_soak.py starts the programs.
"""
import hashlib
import http.client
import os
import random
import re
import socket
import struct
import threading
import time
from pathlib import Path
from xml.sax.saxutils import escape


# ---- the load ----
def echo(port, source):
    """A connection to soak_server; every fifth ends in the midst, with a reset."""
    data = source.randbytes(source.randint(1, 1_500_000))
    got = bytearray()
    with socket.create_connection(("127.0.0.1", port), 120) as connection:
        sender = threading.Thread(target=send_quietly, args=(connection, b"=" + data))
        sender.start()
        wanted = len(data) + 1
        if source.random() < 0.2:
            wanted //= 2
        while len(got) < wanted and (part := connection.recv(1 << 16)):
            got += part
        if wanted <= len(data):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.shutdown(socket.SHUT_RDWR)
            sender.join(30)
            return
        sender.join(30)
    assert bytes(got[1:]) == data, f"{len(got)} bytes of {len(data)} came back"


def send_quietly(connection, data):
    try:
        connection.sendall(data)
    except OSError:
        pass  # the other thread says what is wrong


def post(port, source):
    """One request to node's server."""
    data = source.randbytes(source.randint(1, 400_000))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        connection.request("POST", "/", data)
        body = connection.getresponse().read()
    finally:
        connection.close()
    assert hashlib.sha256(body).digest() == hashlib.sha256(data).digest(), f"{len(body)} bytes came back"


class Load:
    """Threads that do each piece again and again; counts how often, keeps the first failure."""

    def __init__(self):
        self.counts, self.failures = {}, []
        self.stop = threading.Event()
        self.threads = []

    def add(self, name, piece, pause=0.0):
        self.counts[name] = 0
        self.threads.append(threading.Thread(target=self._run, args=(name, piece, pause)))
        self.threads[-1].start()

    def _run(self, name, piece, pause):
        source = random.Random(name)
        while not self.stop.wait(pause):
            try:
                piece(source)
            except BaseException as error:  # pytest's failures are no Exceptions
                self.failures.append(f"{name}, number {self.counts[name] + 1}: {error}")
                self.stop.set()
                return
            self.counts[name] += 1

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join(620)


# ---- what is watched ----
def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def memory(pid):
    """Resident, without files, in MB."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"RssAnon:\s+(\d+) kB", text)[1]) / 1024


def handles(port):
    with socket.create_connection(("127.0.0.1", port), 120) as connection:
        connection.sendall(b"?")
        return int(re.match(rb"handles (\d+)", connection.makefile("rb").readline())[1])


class Watch:
    """Series of samples; a series is flat when its last fifth is not above its second fifth."""

    def __init__(self):
        self.times, self.series = [], {}

    def sample(self, at, **values):
        self.times.append(at)
        for name, value in values.items():
            self.series.setdefault(name, []).append(value)

    def flat(self, name, slack):
        values = self.series[name]
        fifth = max(1, len(values) // 5)
        early, late = sorted(values[fifth:2 * fifth]), sorted(values[-fifth:])
        return late[len(late) // 2] <= early[len(early) // 2] * 1.05 + slack

    def write(self, directory, title):
        names = list(self.series)
        rows = [",".join(["seconds", *names])]
        rows += [",".join([f"{at:.0f}", *(f"{self.series[name][i]:.1f}" for name in names)])
                 for i, at in enumerate(self.times)]
        (directory / "soak.csv").write_text("\n".join(rows) + "\n")
        (directory / "soak.svg").write_text(plot(self, title))


# ---- the plot ----
WIDTH, HEIGHT, LEFT, ROW = 900, 84, 250, 96


def line_of(watch, values, top):
    high, span = max(*values, 1) * 1.15, max(watch.times[-1], 1)
    points = " ".join(f"{LEFT + at / span * (WIDTH - LEFT - 20):.1f},"
                      f"{top + HEIGHT - value / high * HEIGHT:.1f}"
                      for at, value in zip(watch.times, values))
    return f'<polyline fill="none" stroke="#27c" stroke-width="1.5" points="{points}"/>'


def plot(watch, title):
    """One row for each series, from zero."""
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" '
           f'height="{40 + ROW * len(watch.series)}" font-family="sans-serif" font-size="13">',
           '<rect width="100%" height="100%" fill="white"/>',
           f'<text x="10" y="22">{escape(title)}</text>']
    for i, (name, values) in enumerate(watch.series.items()):
        top = 36 + i * ROW
        out += [f'<text x="10" y="{top + 40}">{escape(name.replace("_", " "))}</text>',
                f'<text x="10" y="{top + 58}" fill="#777">{min(values):.0f} to {max(values):.0f}, at the end '
                f'{values[-1]:.0f}</text>',
                f'<rect x="{LEFT}" y="{top}" width="{WIDTH - LEFT - 20}" height="{HEIGHT}" fill="none" '
                'stroke="#ccc"/>', line_of(watch, values, top)]
    return "\n".join([*out, "</svg>", ""])
