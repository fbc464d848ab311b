# SPDX-License-Identifier: LGPL-2.1-or-later
"""Finding the host's processes behind a test: servers by their runtime directory, a Windows program's
process by its name, and waiting for what they do.  Owns nothing."""
import re
import time
from pathlib import Path

SERVER_PID = re.compile(r"server pid (\d+)")  # in the line of ours that names the server


def servers_of(runtime):
    """Servers started with a --runtime below this directory."""
    pids = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else ()
        except OSError:
            continue
        if words and words[0].endswith(b"ringsock-server") and \
                any(w.startswith(bytes(runtime)) for w in words):
            pids.append(int(entry.name))
    return pids


def wait_until(condition, timeout=20):
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def windows_pid(program, name):
    """The Unix process that runs the Windows program: the one started, or a child of it.  A 32-bit
    Wine starts a 64-bit program by start.exe, which waits for it."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text()
            words = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        session = int(stat.rsplit(")", 1)[1].split()[3])
        if name in words and session == program.pid and \
                b"ringsock-server" not in words and b"start.exe" not in words:
            return int(entry.name)
    raise AssertionError(f"no process of {name}")
