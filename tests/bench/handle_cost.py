# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the calls of ntdll's that Ringsock takes over cost on handles that are no sockets
(win/handles.c): the stub as it is against the stub as it was, by turns in one process.  The same on
Wine's own ws2_32, where both are one, shows what cannot be told apart.  Calls systems.py; owns
handles.txt and handles.md in the output directory."""

import statistics

from rows import COST, Row
from systems import Failure

RELATIVE, ABSOLUTE = 0.02, 50.0  # at most so much dearer, one of the two; ABSOLUTE in nanoseconds

CALLS = {
    "read-file": "NtReadFile, 64 B of a file",
    "write-file": "NtWriteFile, 64 B of a file",
    "seek": "NtSetInformationFile, the position of a file",
    "query-file": "NtQueryInformationFile, the position of a file",
    "query-volume": "NtQueryVolumeInformationFile, the device of a file",
    "query-object": "NtQueryObject, a file's access and counts",
    "control": "NtDeviceIoControlFile on a file",
    "pipe": "NtWriteFile + NtReadFile, anonymous pipe",
    "peek-pipe": "NtFsControlFile, FSCTL_PIPE_PEEK",
    "pipe-event": "named pipe: NtReadFile that pends, NtWriteFile, NtWaitForSingleObject",
    "file-port": "file with a port: NtReadFile + NtRemoveIoCompletion",
    "post-get": "NtSetIoCompletion + NtRemoveIoCompletion",
    "wait-event": "NtWaitForSingleObject on a set event",
    "wait-process": "NtWaitForSingleObject on a process, no time",
    "wait-many": "NtWaitForMultipleObjects on 8 events",
    "set-reset": "NtSetEvent + NtResetEvent",
    "create-close": "NtCreateEvent + NtClose",
    "open-close": "NtCreateFile + NtClose",
    "duplicate": "NtDuplicateObject + NtClose of a file",
    "sleep": "NtDelayExecution, alertable, no time",
    "cancel": "NtCancelIoFile on a pipe",
}


def samples(args, systems):
    """{call: {system: [(plain, now) in ns per round]}}, [failures]"""
    found = {call: {system.name: [] for system in systems} for call in args.calls}
    failures = []
    options = ["--seconds", str(args.seconds)]
    for turn in range(args.rounds):
        for call in args.calls:
            row = Row(f"handle-{call}", CALLS[call], COST, None, "handles", ("--call", call))
            for system in systems[turn % 2:] + systems[:turn % 2]:
                try:
                    result = system.measure(row, options, args.limit)
                except Failure as failure:
                    failures.append(str(failure))
                    print(failure, flush=True)
                    continue
                found[call][system.name].append(tuple(
                    seconds / result["ops"] * 1e9 for seconds in (result["plain"], result["seconds"])))
        print(f"round {turn + 1}/{args.rounds}", flush=True)
    return found, failures


def summary(pairs):
    """(plain, median difference, its least and greatest)"""
    differences = [now - plain for plain, now in pairs]
    return (statistics.median(plain for plain, _ in pairs), statistics.median(differences),
            min(differences), max(differences))


def cells(title, by_system):
    line = [title]
    for name in ("builtin", "ours"):
        pairs = by_system.get(name)
        if not pairs:
            line += ["-", "-"]
            continue
        plain, difference, least, most = summary(pairs)
        line += [f"{plain:,.0f}", f"{difference:+,.0f} ({least:+,.0f} to {most:+,.0f})"]
    pairs = by_system.get("ours")
    if pairs:
        plain, difference, _, _ = summary(pairs)
        line.append(f"{difference / plain * 100:+.1f} %")
        line.append("yes" if difference <= max(ABSOLUTE, RELATIVE * plain) else "NO")
    else:
        line += ["-", ""]
    return line


HEADINGS = ["calls", "built-in: before, ns", "difference (range)", "ours: before, ns", "difference (range)",
            "relative", "reached"]


def run(args, systems, head):
    found, failures = samples(args, systems)
    lines = [HEADINGS] + [cells(CALLS[call], found[call]) for call in args.calls]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEADINGS))]
    text = "\n".join(head) + "\n\n" + "\n".join(
        "  ".join(cell.ljust(w) for cell, w in zip(line, widths)).rstrip() for line in lines) + "\n"
    (args.out / "handles.txt").write_text(text)
    lines.insert(1, ["---"] * len(HEADINGS))
    (args.out / "handles.md").write_text("".join("| " + " | ".join(line) + " |\n" for line in lines))
    print("\n" + text + f"\nwritten: {args.out}/handles.txt, handles.md", flush=True)
    missed = any(line[-1] == "NO" for line in lines)
    return 1 if failures or (args.check and missed) else 0
