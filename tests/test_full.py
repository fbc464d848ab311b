# SPDX-License-Identifier: LGPL-2.1-or-later
"""What lies between a program, its server and the network, filled up: the rings while one side is
stopped, the parking slots, a link that is too slow.  Nothing is lost that must not be, what is kept
stays small, and it all goes on afterwards.

Each test has a runtime directory, and so a server, of its own.
"""
import contextlib
import copy
import os
import re
import signal
import socket
import threading
import time
from pathlib import Path

import pytest

import netns
from pressure import MIB, PIECE, SEND_WINDOW, SLACK, Reader, Run, fill, rss, slow_listener

SO_RCVBUFFORCE = 33  # asm-generic/socket.h


@pytest.fixture
def run(start_wine, build, width, get_prefix, runtime):
    def start(*args, name="overfull", inside=()):
        prefix = copy.copy(get_prefix("ours"))
        prefix.inside = [*prefix.inside, *inside]
        return Run(start_wine, build, width, prefix, runtime, name, *args)

    return start


@contextlib.contextmanager
def stopped(pid):
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# ---- parking slots ----
def test_more_threads_than_slots(run, width):
    """The threads for which there is no FIFO any more wait in the kernel, as fast or slow as that is;
    one line says so, and the next ones take over the FIFOs of those that have ended."""
    started = run("threads", 1100)
    started.program.wait_for("READY", 120)
    started.go_on()
    # Wine 10.0 gives each thread of a 32-bit program a 64-bit stack beside its own, in the same 2 GiB
    if started.program.wait_for("WOKEN|NO-ROOM", 200)[0] == "NO-ROOM" and width == "x32":
        pytest.skip("a 32-bit program has no address space for 1,100 threads in this Wine")
    assert started.number("WOKEN") == 1100
    result = started.done(120)
    assert result.out.count("WOKEN") == 2, str(result)
    assert len(re.findall("more than 1023 threads wait", result.log)) == 1, result.log


# ---- full rings ----
def test_server_stopped(run):
    """Calls wait while the submission ring is full, and go on with the server: nothing is lost."""
    listeners = [slow_listener() for _ in range(8)]
    started = run("halted", *(each.getsockname()[1] for each in listeners))
    ends = [each.accept()[0] for each in listeners]
    started.program.wait_for("READY")
    program, server = started.pids()
    with stopped(server):
        started.go_on()
        accepted = started.number("ACCEPTED")
        used = cpu_seconds(program)
        time.sleep(1)
        used = cpu_seconds(program) - used
    # what was sent overlapped is in it too and not counted before somebody asks
    assert MIB - SEND_WINDOW - 2 * PIECE <= accepted < MIB, "not the ring"
    assert used < 0.5, f"{used} s of processor time while everybody waited for a second"
    readers = [Reader(end) for end in ends]
    assert [reader.total() for reader in readers] == 8 * [8 * MIB]
    assert started.number("SENT") == 8 * 8 * MIB
    started.done()


def test_program_stopped(run):
    """The server keeps next to nothing for a program that is stopped, and does next to nothing, however
    much comes in; another connection is kept too.  Nothing is lost."""
    started = run("behind", 16)
    address = "127.0.0.1", started.number("PORT")
    ends = [socket.create_connection(address) for _ in range(16)]
    started.program.wait_for("READY")
    program, server = started.pids()
    before, total = rss(server), 0
    with stopped(program):
        for end in ends:
            total += fill(end)
        late = socket.create_connection(address)
        late_total = fill(late)
        used = cpu_seconds(server)
        time.sleep(1)
        used = cpu_seconds(server) - used
        server_grown = rss(server) - before
    assert server_grown < 2 * MIB + SLACK // 2, f"{server_grown} bytes for {total}"
    assert total > 2 * MIB and used < 0.3, f"{total} sent, {used} s of processor time in a second"
    for end in (*ends, late):
        end.close()
    started.go_on()
    assert started.number("READ") == total
    result = started.done()
    assert re.findall(r"^READ (\d+)$", result.out, re.M) == [str(total), str(late_total)]


# ---- a slow link ----
@contextlib.contextmanager
def slow_link(queue):
    """A namespace where 10.77.9.2 is behind 1 Mbit/s with so long a queue; gives (words in front of a
    command that shall run there, a function that makes the link fast, a receiver)."""
    reason = netns.missing()
    if reason:
        pytest.skip(reason)
    here, there = netns.Namespace(), netns.Namespace()

    def rate(*words):
        here.run("tc", "qdisc", "replace", "dev", "eth0", "root", "tbf", "rate", *words,
                 "limit", queue)

    try:
        here.run("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns",
                 there.pid)
        for end, last in ((here, 1), (there, 2)):
            end.run("ip", "address", "add", f"10.77.9.{last}/24", "dev", "eth0")
            end.run("ip", "link", "set", "eth0", "up")
        rate("1mbit", "burst", "10kb")
        with there.socket(kind=socket.SOCK_DGRAM) as receiver:
            receiver.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 * MIB)  # loses nothing itself
            receiver.bind(("10.77.9.2", 0))
            yield here.inside, lambda: rate("1gbit", "burst", "1mb"), receiver
    finally:
        here.end()
        there.end()


class Counter(threading.Thread):
    """How many datagrams come until the last word."""

    def __init__(self, receiver):
        super().__init__(daemon=True)
        self.receiver, self.count, self.ended = receiver, 0, False
        self.start()

    def run(self):
        while self.receiver.recv(2000) != b"last":
            self.count += 1
        self.ended = True

    def total(self):
        self.join(60)
        assert self.ended, f"no last word after {self.count}"
        return self.count


def send_over(link, run, most):
    inside, widen, receiver = link
    counter = Counter(receiver)
    started = run("datagrams", "10.77.9.2", receiver.getsockname()[1], 1000, most,
                  name="under_pressure", inside=inside)
    accepted = started.number("ACCEPTED")
    memory = started.memory()
    widen()
    started.go_on()
    arrived = counter.total()
    started.done()
    return accepted, arrived, memory


def test_slow_link(run):
    """As many datagrams as the socket's own window and the kernel's hold wait for the link, WSAEWOULDBLOCK
    after that; they all arrive, and the next one is taken as soon as there is room."""
    with slow_link("10mb") as link:
        accepted, arrived, memory = send_over(link, run, 0)
    assert SEND_WINDOW // 1100 < accepted < 4000
    assert arrived == accepted
    assert all(each < 24 * MIB + SLACK for each in memory), memory


def test_full_queue_of_a_link(run):
    """What the link's own queue has no room for is lost, which is no error of sendto."""
    with slow_link("20kb") as link:
        accepted, arrived, memory = send_over(link, run, 20_000)
    assert accepted == 20_000 and 10 < arrived < accepted
    assert all(each < 24 * MIB + SLACK for each in memory), memory
