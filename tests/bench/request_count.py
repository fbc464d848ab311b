# SPDX-License-Identifier: LGPL-2.1-or-later
"""Counts wineserver requests per operation: each program runs twice under a wineserver that writes
every request to a file, with two numbers of operations; what start, set-up and end cost is the same
in both and falls out of the difference. All threads that came to life during the run are counted,
the DLL's own ones too; those of the prefix's services were there before."""

import re
import tempfile
import time
from collections import Counter

from report import number
from systems import Failure

# A reply reads "name() = status", so the blank after the parenthesis marks the request.
REQUEST = re.compile(r"^([0-9a-f]{4,8}): (?:(\w+)\( |(\*killed\*))", re.M)
SETTLE = 0.2  # seconds after which a dead process has left the trace


class Trace:
    """The file that wineserver writes, and which threads are alive according to it."""

    def __init__(self, file):
        self.file = file
        self.alive = set()

    def read(self):
        """The new requests as (thread, name)."""
        time.sleep(SETTLE)
        requests = []
        for tid, name, killed in REQUEST.findall(self.file.read().decode(errors="replace")):
            if killed:
                self.alive.discard(int(tid, 16))
            else:
                self.alive.add(int(tid, 16))
                requests.append((int(tid, 16), name))
        return requests


def _count(system, row, ops, trace, limit):
    trace.read()
    others = set(trace.alive)
    result = system.measure(row, ["--ops", str(ops)], limit)
    if result["ops"] != ops:
        raise Failure(f"{row.name}: {result['ops']} operations instead of {ops}")
    requests = trace.read()
    own = {int(tid, 16) for tid in result["tids"]}
    if own & others or not own & {tid for tid, _ in requests}:
        raise Failure(f"{row.name}: cannot tell its threads {result['tids']} in the trace")
    return Counter(name for tid, name in requests if tid not in others)


def count(systems, rows, limit):
    """{(row name, system name): (requests per operation, {request: per operation})}"""
    table = {}
    for system in systems:
        with tempfile.NamedTemporaryFile("rb") as file, open(file.name, "ab") as out:
            system.restart(trace=out)
            trace = Trace(file)
            for row in rows:
                if not row.runs_on(system.name):
                    continue
                first, second = row.ops, 2 * row.ops
                try:
                    few = _count(system, row, first, trace, limit)
                    many = _count(system, row, second, trace, limit)
                except Failure as failure:
                    print(failure, flush=True)
                    continue
                many.subtract(few)
                per_op = {name: n / (second - first) for name, n in many.items() if n}
                table[row.name, system.name] = (sum(per_op.values()), per_op)
            system.close()
    return table


def text(table, rows, systems):
    lines = []
    for row in rows:
        lines.append(row.title)
        for system in systems:
            if (row.name, system.name) not in table:
                lines.append(f"    {system.name:8} failed")
                continue
            total, parts = table[row.name, system.name]
            top = sorted(parts.items(), key=lambda part: -abs(part[1]))[:6]
            lines.append(f"    {system.name:8} {number(total):>8} requests per operation  "
                         + ", ".join(f"{name} {number(n)}" for name, n in top if abs(n) >= 0.02))
    return "\n".join(lines) + "\n"
