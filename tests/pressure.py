# SPDX-License-Identifier: LGPL-2.1-or-later
"""A Windows program under pressure and the host's end of its connections, for test_pressure.py and
test_full.py: what it prints, how much memory it and its server have, peers that are slow or late.
"""
import contextlib
import re
import socket
import subprocess
import threading
from pathlib import Path

from processes import SERVER_PID, wait_until, windows_pid

KIB, MIB = 1 << 10, 1 << 20
SEND_WINDOW = READ_AHEAD = 256 * KIB  # RS_RECV_WINDOW, SEND_WINDOW_DEFAULT
PIECE = 64 * KIB  # of one send of under_pressure.c
# Everything that is not data: heaps, stacks, tables that grow by what they hold.
SLACK = 12 * MIB
PATTERN = bytes((i * 7 + (i >> 11)) & 0xff for i in range(1 << 19)) * 2  # its period, twice


def rss(pid):
    """Bytes of memory that are really there, shared ones included."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"^VmRSS:\s+(\d+) kB", text, re.M)[1]) * KIB


class Run:
    """A program in one of its modes, and the two processes to look at."""

    def __init__(self, start_wine, build, width, prefix, runtime, name, *args, env=None):
        self.ours, self.name = prefix.target == "ours", f"{name}.exe".encode()
        self.program = start_wine(build.exe(name, width), *args, prefix=prefix,
                                  stdin=subprocess.PIPE,
                                  env={"RINGSOCK_RUNTIME_DIR": str(runtime), **(env or {})})
        self.runtime = runtime

    def number(self, word, timeout=60):
        return int(self.program.wait_for(rf"(?m)^{word} (\d+)$", timeout)[1])

    def go_on(self):
        self.program.proc.stdin.write(b"\n")
        self.program.proc.stdin.flush()

    def pids(self):
        """Of the program, and of the server where there is one."""
        pids = [windows_pid(self.program, self.name)]
        if self.ours:
            assert wait_until(lambda: SERVER_PID.search(self.program.log))
            pids.append(int(SERVER_PID.search(self.program.log)[1]))
        return pids

    def memory(self):
        return [rss(pid) for pid in self.pids()]

    def done(self, timeout=60):
        result = self.program.wait(timeout)
        assert result.rc == 0 and "DONE" in result.out, str(result)
        return result


def fill(end):
    """Sends the pattern until nothing more is taken; returns how much was."""
    total = 0
    end.settimeout(0.3)
    with contextlib.suppress(socket.timeout):
        while True:
            place = total % (1 << 19)
            total += end.send(PATTERN[place:place + 64 * KIB])
    return total


RECEIVE_BUFFER = 64 * KIB


def slow_listener():
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)  # and no tuning
    listener.bind(("127.0.0.1", 0))
    listener.listen(5)
    listener.settimeout(30)
    return listener


def read_all(end, most=None):
    """Bytes up to the end of data, or so many, each compared with the pattern."""
    total, end_of_data = 0, False
    end.settimeout(60)
    while most is None or total < most:
        data = end.recv(256 * KIB)
        if not data:
            break
        place = total % (1 << 19)
        assert data == PATTERN[place:place + len(data)], f"a wrong byte after {total}"
        total += len(data)
    return total


class Reader(threading.Thread):
    def __init__(self, end):
        super().__init__(daemon=True)
        self.end, self.count = end, None
        self.start()

    def run(self):
        self.count = read_all(self.end)

    def total(self):
        self.join(60)
        assert self.count is not None, "not read to its end, or wrong bytes"
        return self.count
