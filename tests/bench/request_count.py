# SPDX-License-Identifier: LGPL-2.1-or-later
"""Counts wineserver requests per operation: each program runs twice under a wineserver that writes
every request to a file, with two numbers of operations; what start, set-up and end cost is the same
in both and falls out of the difference. Only the threads that the program names are counted."""

import re
import tempfile
from collections import Counter

from report import number
from systems import Failure

# A reply reads "name() = status", so the blank after the parenthesis marks the request.
REQUEST = re.compile(r"^([0-9a-f]{4,8}): (\w+)\( ", re.M)


def _count(system, row, ops, trace, limit):
    start = trace.seek(0, 2)
    result = system.measure(row, ["--ops", str(ops)], limit)
    if result["ops"] != ops:
        raise Failure(f"{row.name}: {result['ops']} operations instead of {ops}")
    trace.seek(start)
    text = trace.read().decode(errors="replace")
    tids = {int(tid, 16) for tid in result["tids"]}
    counts = Counter(name for tid, name in REQUEST.findall(text) if int(tid, 16) in tids)
    if not counts:
        raise Failure(f"{row.name}: no request of threads {result['tids']} in the trace")
    return counts


def count(systems, rows, limit):
    """{(row name, system name): (requests per operation, {request: per operation})}"""
    table = {}
    for system in systems:
        # Append mode: the server and we share the file, not the position.
        with tempfile.NamedTemporaryFile("ab+") as trace:
            system.restart(trace=open(trace.name, "ab"))
            for row in rows:
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
                trace.truncate(0)
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
