# SPDX-License-Identifier: LGPL-2.1-or-later
"""Too much of everything: outstanding operations, sockets, descriptors, memory, data that nobody reads
and data that nobody takes.  What is looked at is the memory of ringsock-server and of the program, how
much is taken from a sender, what is refused, what the logs say, and that it all goes on afterwards.

Each test of ours has a runtime directory, and so a server, of its own.
"""
import re
import resource
import socket
import struct
import subprocess
import threading
import time
from pathlib import Path

import pytest

from processes import SERVER_PID, wait_until, windows_pid

WSAEMFILE, WSAEWOULDBLOCK, WSAENOBUFS = 10024, 10035, 10055
KIB, MIB = 1 << 10, 1 << 20
SEND_WINDOW = READ_AHEAD = 256 * KIB  # RS_RECV_WINDOW, SEND_WINDOW_DEFAULT
PIECE, WHOLE = 64 * KIB, 8 * MIB  # of one send of under_pressure.c
CROWDED = 256 * MIB  # RS_BACKLOG_CROWDED
DATAGRAM_OVERHEAD = 96  # RS_DATAGRAM_OVERHEAD
NAME = b"under_pressure.exe"
# Everything that is not data: heaps, stacks, tables that grow by what they hold.
SLACK = 12 * MIB
PATTERN = bytes((i * 7 + (i >> 11)) & 0xff for i in range(1 << 19)) * 2  # its period, twice


def rss(pid):
    """Bytes of memory that are really there, shared ones included."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"^VmRSS:\s+(\d+) kB", text, re.M)[1]) * KIB


class Run:
    """under_pressure.exe in one mode, and the two processes to look at."""

    def __init__(self, start_wine, build, width, prefix, runtime, *args, env=None):
        self.ours = prefix.target == "ours"
        self.program = start_wine(build.exe("under_pressure", width), *args, prefix=prefix,
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
        pids = [windows_pid(self.program, NAME)]
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


@pytest.fixture
def run(start_wine, build, width, get_prefix, runtime):
    def start(*args, target="ours", env=None):
        return Run(start_wine, build, width, get_prefix(target), runtime, *args, env=env)

    return start


def grown(before, after):
    return [b - a for a, b in zip(before, after)]


# ---- limits ----
def test_too_many_operations(run):
    """WSARecv.txt: WSAEWOULDBLOCK where "there are too many outstanding overlapped I/O requests"."""
    result = run("overlapped", 500, env={"RINGSOCK_MAX_OVERLAPPED": "500"}).done()
    assert f"REFUSED 500 {WSAEWOULDBLOCK}" in result.out and "FINISHED 500" in result.out
    lines = [line for line in result.log.splitlines() if "RINGSOCK_MAX_OVERLAPPED" in line]
    assert len(lines) == 1 and "500 overlapped operations are outstanding" in lines[0], result.log


def refusals(result):
    return [(int(count), int(error)) for count, error in
            re.findall(r"^REFUSED (\d+) (\d+)$", result.out, re.M)]


def test_out_of_descriptors(run):
    """The server's: socket() says WSAEMFILE, a connection waits to be accepted, and what is closed
    can be had again."""
    started = run("sockets")
    started.program.wait_for("READY")
    server = started.pids()[1]
    limit = len(list(Path(f"/proc/{server}/fd").iterdir())) + 101
    resource.prlimit(server, resource.RLIMIT_NOFILE, (limit, limit))
    started.go_on()
    result = started.done()
    (first, error), (second, error2), (third, error3) = refusals(result)
    assert error == error2 == error3 == WSAEMFILE, str(result)
    assert all(45 <= count <= 52 for count in (first, second, third)), str(result)
    for said in (f"no further socket beside its .* of the {limit} descriptors",
                 "the server has no room for another socket"):
        assert len(re.findall(said, result.log)) == 1, f"{said}: {result.log}"


def test_server_out_of_memory(run):
    """What the server cannot keep costs one connection: its sender learns of it, its peer sees a reset
    and not an end, and everything else goes on."""
    peers = [socket.create_server(("127.0.0.1", 0)) for _ in range(8)]
    started = run("starved", *(peer.getsockname()[1] for peer in peers))
    ends = [peer.accept()[0] for peer in peers]
    started.program.wait_for("READY")
    server = started.pids()[1]
    status = Path(f"/proc/{server}/status").read_text()
    limit = int(re.search(r"^VmData:\s+(\d+) kB", status, re.M)[1]) * KIB + 16 * MIB
    resource.prlimit(server, resource.RLIMIT_DATA, (limit, limit))
    started.go_on()
    assert started.number("FAILED-WITH") == WSAENOBUFS
    result = started.done()
    assert len(re.findall("no more can be kept: a connection is given up", result.log)) == 1, \
        result.log
    reset = 0
    for end in ends:
        end.settimeout(30)
        try:
            while end.recv(MIB):
                pass
        except ConnectionResetError:
            reset += 1
    assert reset, "no peer saw that something is missing"


def test_program_out_of_memory(run):
    """WSAENOBUFS where there is no memory for an operation; later ones find it again."""
    started = run("memory")
    started.program.wait_for("READY")
    pid = started.pids()[0]
    status = Path(f"/proc/{pid}/status").read_text()
    limit = int(re.search(r"^VmData:\s+(\d+) kB", status, re.M)[1]) * KIB + 100 * MIB
    resource.prlimit(pid, resource.RLIMIT_DATA, (limit, limit))
    started.go_on()
    result = started.done()
    (first, error), (second, error2) = refusals(result)
    assert error == error2 == WSAENOBUFS, str(result)
    assert 10 < first < 200 and first + first // 4 <= second, str(result)
    assert len(re.findall("no memory for an operation", result.log)) == 1, result.log


# ---- a receiver that does not read ----
def flood_stream(port, pieces):
    """Sends the pattern in such pieces until nothing more is taken; returns the socket and how much."""
    end = socket.create_connection(("127.0.0.1", port))
    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    end.settimeout(1.0)
    total = 0
    try:
        while total < pieces * 400_000:
            place = total % (1 << 19)
            total += end.send(PATTERN[place:place + pieces])
    except socket.timeout:
        pass
    return end, total


@pytest.mark.parametrize("piece", [1, 64 * KIB])
def test_unread_stream(piece, run):
    """The server keeps nothing, the program its window; what the peer could send beyond that is in the
    kernel's buffers, and nothing is lost.  Bytes that come one by one cost no more."""
    started = run("unread", "tcp")
    port = started.number("PORT")
    before = started.memory()
    end, total = flood_stream(port, piece)
    time.sleep(0.3)
    program, server = grown(before, started.memory())
    assert total >= READ_AHEAD, "not enough to see anything"
    assert server < 2 * MIB + SLACK // 2, f"{server} bytes for {total} sent"  # rings, once touched
    assert program < 2 * MIB + 4 * READ_AHEAD + SLACK // 2, f"{program} bytes for {total} sent"
    started.go_on()
    end.close()
    assert started.number("READ") == total
    started.done()


@pytest.mark.parametrize("size", [0, 1, 1400])
def test_unread_datagrams(size, run):
    """The same for datagrams, also for those that carry nothing: what is too much is dropped."""
    started = run("unread", "udp")
    to = ("127.0.0.1", started.number("PORT"))
    before = started.memory()
    sent = 200_000
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
        for _ in range(sent):
            end.sendto(b"x" * size, to)
    time.sleep(0.3)
    program, server = grown(before, started.memory())
    assert server < 2 * MIB + SLACK // 2, f"{server} bytes for {sent} datagrams"
    assert program < 2 * MIB + 4 * READ_AHEAD + SLACK // 2, f"{program} bytes for {sent} datagrams"
    started.go_on()
    kept = started.number("READ")
    ahead = READ_AHEAD // (size + DATAGRAM_OVERHEAD)
    assert ahead <= kept < ahead + 4000, "not the window and what the kernel keeps"
    started.done()


# ---- a sender whose data nobody takes ----
RECEIVE_BUFFER = 64 * KIB


def slow_listener():
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)  # and no tuning
    listener.bind(("127.0.0.1", 0))
    listener.listen(5)
    listener.settimeout(30)
    return listener


def kernel_buffers():
    """What the kernel may take for one connection: the sender's buffer at its largest, the receiver's,
    which Linux doubles."""
    sending = Path("/proc/sys/net/ipv4/tcp_wmem").read_text().split()[2]
    return int(sending) + 2 * RECEIVE_BUFFER


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


CONNECTIONS = 3


@pytest.mark.parametrize("target", ["builtin", "ours"])
@pytest.mark.parametrize("how", ["blocking", "nonblocking", "overlapped"])
def test_stuck_sender(how, target, run):
    """No more is taken from a program than the send window and the kernel's buffers hold, on ours and
    on the built-in alike, where the window is the built-in's last send; all of it arrives."""
    listeners = [slow_listener() for _ in range(CONNECTIONS)]
    started = run("stuck", how, *(each.getsockname()[1] for each in listeners), target=target)
    ends = [each.accept()[0] for each in listeners]
    before = started.memory()
    accepted = started.number("ACCEPTED")
    after = started.memory()
    most = CONNECTIONS * (SEND_WINDOW + PIECE + kernel_buffers())
    assert CONNECTIONS * PIECE <= accepted <= most
    for bytes_grown in grown(before, after):
        assert bytes_grown < CONNECTIONS * (SEND_WINDOW + 2 * PIECE) + SLACK, \
            f"{before}, {after} when {accepted} were taken"
    started.go_on()
    if how == "blocking":
        for end in ends:
            read_all(end, 16 * MIB)
            end.close()
        assert started.number("SENT") >= CONNECTIONS * 16 * MIB
    else:
        readers = [Reader(end) for end in ends]
        arrived, sent = sum(reader.total() for reader in readers), started.number("SENT")
        # Wine 10.0's own DLL closes before everything has gone out
        assert arrived == sent or (target == "builtin" and how == "nonblocking" and arrived < sent)
    started.done()


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


def test_large_sends(run):
    """A nonblocking send is taken as a whole, but not when that adds up to more than the server may
    keep: 40 connections with 8 MiB sends each.  Afterwards the memory is given back."""
    listeners = [slow_listener() for _ in range(40)]
    started = run("stuck", "whole", *(each.getsockname()[1] for each in listeners))
    ends = [each.accept()[0] for each in listeners]
    accepted = started.number("ACCEPTED")
    program, server = started.memory()
    assert 20 * WHOLE < accepted < CROWDED + WHOLE + 40 * (PIECE + kernel_buffers())
    assert server < CROWDED + WHOLE + 40 * 2 * PIECE + SLACK, f"{server} bytes, {accepted} taken"
    assert program < WHOLE + 4 * MIB + SLACK + 16 * MIB
    pid = started.pids()[1]
    started.go_on()
    readers = [Reader(end) for end in ends]
    assert sum(reader.total() for reader in readers) == started.number("SENT")
    started.done()
    assert wait_until(lambda: rss(pid) < SLACK + 8 * MIB, 10), f"{rss(pid)} bytes are kept"


def test_beside_a_stuck_one(run):
    """One connection that is stuck does not slow down another one of the same program."""
    with slow_listener() as listener:
        started = run("beside", listener.getsockname()[1])
        end, _ = listener.accept()
        for what in ("PINGPONG", "BULK"):
            alone, beside = started.number(f"ALONE-{what}"), started.number(f"BESIDE-{what}")
            assert beside < 4 * alone + 20_000, f"{what}: {alone} us alone, {beside} us beside it"
        started.done()
        end.close()
