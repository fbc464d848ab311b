# SPDX-License-Identifier: LGPL-2.1-or-later
"""The rows of the benchmark table: which program, with which arguments, in which unit, and what ratio
to the built-in is to be reached. Owns nothing else; calls nothing."""

from dataclasses import dataclass

RATE, COST, BYTES = "1/s", "us", "MB/s"
WAYS = {"port": "by port", "poll": "polled"}


@dataclass(frozen=True)
class Row:
    name: str
    title: str
    unit: str
    target: float | None  # ours against the built-in, times faster; None: measured, nothing demanded
    program: str
    args: tuple = ()
    ops: int = 1000  # operations between the two runs whose requests are subtracted
    systems: tuple = ()  # those that are measured, if not all
    setup: float = 12.0  # seconds that setting up may take
    files: int = 0  # descriptors that ringsock-server needs for it
    share: float | None = None  # ours against Linux, to be reached besides `target`

    def runs_on(self, system):
        return not self.systems or system in self.systems

    def value(self, result):
        """A result line's numbers in this row's unit."""
        ops, seconds = result["ops"], result["seconds"]
        if self.unit == COST:
            return seconds / ops * 1e6
        if self.unit == BYTES:
            return ops * result["bytes_per_op"] / seconds / 1e6
        return ops / seconds

    def faster(self, value, reference):
        """How many times faster `value` is than `reference`."""
        return reference / value if self.unit == COST else value / reference


def _port(conns, target=None, share=None):
    return Row(f"port-{conns}", f"ping-pong 64 B, completion port, {conns} conn", RATE, target,
               "port", ("--conns", str(conns), "--size", "64"), max(1000, 4 * conns),
               setup=_setup(2 * conns), files=_files(2 * conns), share=share)


def _idle(idle):
    """What sockets cost others on which nothing happens."""
    return Row(f"idle-{idle}", f"ping-pong 64 B, completion port, 100 conn beside {idle} idle sockets",
               RATE, None, "port", ("--conns", "100", "--size", "64", "--idle", str(idle)), 1000,
               ("ours", "native"), _setup(idle), _files(idle))


def _setup(sockets):
    return 12 + sockets / 80  # the built-in makes 1,200 connections a second on a quiet machine


def _files(sockets):
    return sockets + sockets // 31 + 500  # the server leaves a 32nd to wineserver


def _told(program, how, conns, target=None, share=None):
    """The same with another way of being told."""
    return Row(f"{program.replace('_', '-')}-{conns}", f"ping-pong 64 B, {how}, {conns} conn", RATE,
               target, program, ("--conns", str(conns), "--size", "64"), max(1000, 4 * conns),
               share=share)


def _rio(how, conns):
    return Row(f"rio-{how}-{conns}", f"ping-pong 64 B, registered I/O, {WAYS[how]}, {conns} conn", RATE,
               None, "rio", ("--call", how, "--conns", str(conns), "--size", "64"),
               max(1000, 4 * conns), ("ours",))


def _rio_udp(how, window, ops=1000):
    return Row(f"rio-udp-{how}-{window}",
               f"UDP echo 64 B, registered I/O, {WAYS[how]}, {window} under way", RATE, None, "rio_udp",
               ("--call", how, "--size", "64", "--window", str(window)), ops, ("ours",))


def _call(name, title, target, *args, ops=512, share=None):
    return Row(name, title, COST, target, "calls", ("--call", *args), ops, share=share)


ROWS = (
    _port(1, 8, 0.4), _port(10), _port(100, 15, 0.6), _port(1000, 30, 0.7), _port(4000),
    _port(8000, 20, 0.6), _port(20000),
    _idle(10000), _idle(20000),
    _rio("port", 1), _rio("poll", 1), _rio("port", 100), _rio("poll", 100),
    _told("event", "event", 1), _told("event", "event", 50),
    _told("routine", "completion routine", 1), _told("routine", "completion routine", 100),
    _told("afd", "AFD poll", 100, 10, 0.5), _told("ping_select", "select", 100, 10, 0.5),
    _told("ping_poll", "WSAPoll", 100, 10, 0.5),
    Row("blocking", "ping-pong 64 B, blocking, 1 conn", RATE, 5, "blocking", ("--size", "64"),
        share=0.4),
    Row("bulk", "bulk, 64 KiB sends, 1 conn", BYTES, 4, "bulk", ("--size", "65536"), share=0.8),
    _call("recv-empty", "recv, nothing there", 100, "recv-empty", share=2),
    _call("recv-byte", "recv, 1 byte that is there", 20, "recv-byte"),
    _call("send-byte", "send, 1 byte, room in the buffer", 20, "send-byte"),
    _call("send-stream", "send, 1 byte, until received", None, "send-stream",
          ops=8000),
    _call("select-1", "select, 1 socket", 100, "select", "--sockets", "1", share=2),
    _call("select-64", "select, 64 sockets", 20, "select", "--sockets", "64"),
    _call("poll-1", "WSAPoll, 1 socket", 20, "poll", "--sockets", "1"),
    _call("poll-64", "WSAPoll, 64 sockets", 20, "poll", "--sockets", "64"),
    Row("connect", "connect + accept + close", RATE, 6, "setup", ("--call", "connect"), 200,
        share=0.3),
    Row("socket", "socket + closesocket", RATE, None, "setup", ("--call", "socket"), 200),
    Row("udp-1", "UDP echo 64 B, 1 under way", RATE, 3, "udp", ("--size", "64", "--window", "1")),
    Row("udp-32", "UDP echo 64 B, 32 under way", RATE, 8, "udp",
        ("--size", "64", "--window", "32"), 8000, share=0.5),
    _rio_udp("port", 1), _rio_udp("poll", 1), _rio_udp("port", 32, 8000),
    _rio_udp("poll", 32, 8000),
)
