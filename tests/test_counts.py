# SPDX-License-Identifier: LGPL-2.1-or-later
"""What an operation costs, in counts that depend neither on the machine nor on its load: the system
calls of the server and of the program, doorbells in both directions, wineserver requests.

The programs are those of `make bench` with a given number of operations, under strace together with
their server; --marks shows the half of them in the middle.  What a thread does that has waited for
longer than it parks (10 ms), which depends on the load, is a request of wineserver or two and a
doorbell: the limits of rows where many operations are under way are far above it.
"""
import re
from collections import Counter
from dataclasses import dataclass

import pytest

import straces

SIXTY_FOUR = ("--size", "64")


@dataclass(frozen=True)
class Row:
    """Limits for one operation; None: no limit that holds at any load."""
    name: str
    program: str
    args: tuple
    ops: int
    work: tuple  # the server's calls but for its waits and doorbells: with the short cut, without
    bells: float | None = None  # from the program to the server
    wakes: float | None = None  # from the server to the program
    program_calls: float | None = None


# What the numbers follow from (docs/performance.md, "Counts"):
# - work: a byte of the short cut meets no system call.  Otherwise a message is one send and one receive
#   of the server's, and a datagram may need a second receive that finds nothing.
# - bells and wakes: always one for each message would be two for a round trip.
ROWS = (
    Row("port", "port", ("--conns", "100", *SIXTY_FOUR), 4000, (0.05, 5), 1, 1, 2),
    Row("udp", "udp", ("--window", "32", *SIXTY_FOUR), 4000, (0.05, 7), 1, 1, 4),
    Row("blocking", "blocking", SIXTY_FOUR, 400, (0.05, 5)),
    Row("bulk", "bulk", ("--size", "65536"), 400, (4, 4), 1, 2, 6),
    Row("connect", "setup", ("--call", "connect"), 200, (22, 24)),
    Row("socket", "setup", ("--call", "socket"), 200, (8, 8)),
)


def is_wake(name, what):
    return name == "write" and what == "wN"


class Counts:
    """Of the operations between the two marks."""

    def __init__(self, lines):
        marks = sorted((number, int(name[4:])) for name, (number, _) in straces.marks_of(lines).items()
                       if name.startswith("ops-"))
        assert len(marks) == 2, f"marks {marks} in {len(lines)} lines"
        (begin, first), (end, last) = marks
        self.ops = last - first
        server = straces.server_threads(lines)
        calls = straces.calls(lines[begin + 1:end])
        of_server = [call for call in calls if call[0] in server]
        of_program = [call for call in calls if call[0] not in server]
        self.bells = sum(name == "write" and what.endswith("/bell") for _, name, what in of_program)
        self.program_calls = len(of_program)
        self.waits = sum(name == "epoll_wait" for _, name, _ in of_server)
        work = Counter((name, re.sub(r"\d+$", "N", what.rsplit("/", 1)[-1].split(":")[0]))
                       for _, name, what in of_server if name != "epoll_wait")
        self.wakes = sum(count for (name, what), count in work.items() if is_wake(name, what))
        self.work = {call: count for call, count in work.items() if not is_wake(*call)}

    def __str__(self):
        return (f"{self.ops} operations: {self.bells} bells, {self.wakes} wakes, {self.waits} waits, "
                f"{self.program_calls} calls of the program; others of the server: {self.work}")


@pytest.mark.parametrize("shortcut", ("1", "0"))
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_counts(row, shortcut, width, ours, build, runtime, tmp_path):
    exe = build.dir / "tests/bench" / width / f"{row.program}.exe"
    lines = straces.traced(
        ours, build, [exe, "--row", row.name, *row.args, "--ops", row.ops, "--marks", 1, "--setup", 100,
                      "--limit", 100], runtime, tmp_path / "strace.log", RINGSOCK_SHORTCUT=shortcut)
    counts = Counts(lines)
    assert counts.waits and counts.wakes and counts.program_calls, f"not all was traced: {counts}"
    limits = {"work": row.work[shortcut == "0"], "bells": row.bells, "wakes": row.wakes,
              "program_calls": row.program_calls}
    found = vars(counts) | {"work": sum(counts.work.values())}
    for what, limit in limits.items():
        assert limit is None or found[what] <= limit * counts.ops, \
            f"{what}: more than {limit} for each of {counts}"
