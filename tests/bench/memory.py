# SPDX-License-Identifier: LGPL-2.1-or-later
"""What an idle socket costs in memory and descriptors: the port program beside few and beside many
idle sockets, each with a receive posted, and how much its processes differ. Memory is PSS, so what
several processes map (the session's segment) counts once; what the kernel keeps for a socket is no
part of it, the program's own buffers (some 300 bytes) are. Reads /proc, starts the systems' programs."""

import re
import subprocess
import tempfile
import time

from systems import Failure, parts

FEW = 100
SETTLE = 2.0  # seconds between two looks; at rest when no descriptor has come
TARGET = 4096  # bytes for each idle socket


def _parts(system, process):
    """{part: (PSS in bytes, descriptors)}"""
    found = {}
    for part, entry in parts(system, process):
        try:
            pss = re.search(r"^Pss:\s+(\d+) kB", (entry / "smaps_rollup").read_text(), re.M)
            found[part] = 1024 * int(pss[1]), len(list((entry / "fd").iterdir()))
        except OSError:
            continue  # has ended
    return found


def _at_rest(system, idle, setup):
    command = system.command("port") + ["--row", "memory", "--idle", str(idle), "--seconds", "600",
                                        "--limit", "900", "--setup", str(setup)]
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(command, env=system.environment(), stdin=subprocess.DEVNULL,
                                   stdout=out, stderr=out)
        try:
            before, since = None, time.monotonic()
            while time.monotonic() - since < setup + 10:
                time.sleep(SETTLE)
                if process.poll() is not None:
                    out.seek(0)
                    raise Failure(f"memory: {out.read().decode(errors='replace')[-300:]}")
                found = _parts(system, process)
                counts = {name: files for name, (_, files) in found.items()}
                if counts == before and sum(counts.values()) >= idle:
                    return found
                before = counts
            raise Failure(f"memory: {system.name} does not come to rest")
        finally:
            process.kill()
            process.wait()


def run(systems, idle, out):
    """Writes and prints the table; 1 if ours takes more than the target."""
    lines, status = [], 0
    for system in systems:
        few, many = (_at_rest(system, count, 12 + count / 80) for count in (FEW, idle))
        system.close()
        grown = {name: [(b - a) / (idle - FEW) for a, b in zip(few.get(name, (0, 0)), values)]
                 for name, values in many.items()}
        total = sum(memory for memory, _ in grown.values())
        status |= system.name == "ours" and total > TARGET
        lines.append(f"{system.name:8} {total:7,.0f} bytes for an idle socket  " + ", ".join(
            f"{name} {memory:,.0f} bytes and {files:.2f} descriptors"
            for name, (memory, files) in grown.items()))
    text = "\n".join(lines) + "\n"
    (out / "memory.txt").write_text(text)
    print(text, flush=True)
    return int(status)
