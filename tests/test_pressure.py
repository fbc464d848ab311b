# SPDX-License-Identifier: LGPL-2.1-or-later
"""Too much of everything: outstanding operations, sockets, descriptors, memory, data that nobody reads
and data that nobody takes.  What is looked at is the memory of ringsock-server and of the program, how
much is taken from a sender, what is refused, what the logs say, and that it all goes on afterwards.

Each test of ours has a runtime directory, and so a server, of its own.
"""
import os
import re
import resource
import socket
import subprocess
import time
from pathlib import Path

import pytest

from pressure import (KIB, MIB, PATTERN, PIECE, READ_AHEAD, RECEIVE_BUFFER, SEND_WINDOW, SLACK, Reader,
                      Run, read_all, rss, slow_listener)
from processes import wait_until

WSAEMFILE, WSAEWOULDBLOCK, WSAENOBUFS = 10024, 10035, 10055
WHOLE = 8 * MIB  # of one send of under_pressure.c
CROWDED = 256 * MIB  # RS_BACKLOG_CROWDED
DATAGRAM_OVERHEAD = 96  # RS_DATAGRAM_OVERHEAD


@pytest.fixture
def run(start_wine, build, width, get_prefix, runtime):
    def start(*args, target="ours", env=None):
        return Run(start_wine, build, width, get_prefix(target), runtime, "under_pressure", *args,
                   env=env)

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
    assert all(90 <= count <= 101 for count in (first, second, third)), str(result)
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


def test_server_without_address_space(run):
    """No memory for a socket: WSAENOBUFS, one line that says so, a connection that comes meanwhile is
    kept, and what is closed can be had again (mode sockets closes some and makes them anew)."""
    started = run("sockets")
    started.program.wait_for("READY")
    server = started.pids()[1]
    status = Path(f"/proc/{server}/status").read_text()
    limit = int(re.search(r"^VmSize:\s+(\d+) kB", status, re.M)[1]) * KIB
    resource.prlimit(server, resource.RLIMIT_AS, (limit, limit))
    started.go_on()
    result = started.done()
    (first, error), (second, error2), (third, error3) = refusals(result)
    assert error == error2 == error3 == WSAENOBUFS, str(result)
    assert first > 20 and abs(second - first) < 20 and third > first - 20, str(result)
    for said in (r"no further socket beside its \d+: Cannot allocate memory$",
                 "the server has no room for another socket"):
        assert len(re.findall(said, result.log, re.M)) == 1, f"{said}: {result.log}"


def test_no_room_for_shared_memory(build, tmp_path):
    """Refused at the start, with a reason, rather than a fault of the program that first writes."""
    if os.geteuid():
        pytest.skip("mounting needs root")
    where = tmp_path / "small"
    where.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "none", where], check=True)
    try:
        done = subprocess.run([build.server, "--foreground", "--linger", "1", "--runtime",
                               where / "run"], stderr=subprocess.PIPE, text=True, timeout=60)
    finally:
        subprocess.run(["umount", where], check=True)
    assert "cannot prepare a session: No space left on device" in done.stderr
    assert done.returncode == 0, done


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
def kernel_buffers():
    """What the kernel may take for one connection: the sender's buffer at its largest, the receiver's,
    which Linux doubles."""
    sending = Path("/proc/sys/net/ipv4/tcp_wmem").read_text().split()[2]
    return int(sending) + 2 * RECEIVE_BUFFER


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
