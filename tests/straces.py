# SPDX-License-Identifier: LGPL-2.1-or-later
"""Running a Windows program under strace with the server that it starts, and taking the output apart.
Marks are events with names ("ringsock-..."), which the program hands to wineserver.  Owns nothing."""
import re
import shutil
import subprocess

import pytest

START = "".join(f"{character}\\0" for character in "ringsock-")  # as strace prints UTF-16
NAME = re.compile(r"ringsock-([\w-]+)")
ESCAPE = re.compile(r"\\[0-7]{1,3}")
BEGUN = re.compile(r"^(\d+) +(\w+)\((?:-?\d+<([^>]*)>)?")
CHILD = re.compile(r"^(\d+) +(?:<\.\.\. )?(?:clone3?|v?fork)\b.*\) += (\d+)(?:<|$)")
SERVER = re.compile(r"^(\d+) +execve\(\"[^\"]*/ringsock-server\"")


def traced(prefix, build, argv, runtime, log, **env):
    """The lines of every thread's calls.  Wine's services must run already: strace stays until all that
    it follows has ended, and the server, which is started for this, ends with the program."""
    strace = shutil.which("strace")
    if not strace:
        pytest.skip("strace is not installed (Debian package: strace)")
    done = subprocess.run([strace, "-f", "-y", "-s", "300", "-o", str(log), build.wine, *map(str, argv)],
                          env=prefix.env(RINGSOCK_RUNTIME_DIR=str(runtime), RINGSOCK_SERVER_LINGER="0",
                                         RINGSOCK_SPIN="0", **env),
                          timeout=300, stdin=subprocess.DEVNULL, capture_output=True)
    out = done.stdout.decode(errors="replace")
    if done.returncode != 0 and "FAILED" not in out and "PTRACE" in str(done.stderr):
        pytest.skip("strace may not trace here")
    assert done.returncode == 0, f"{out}\n{done.stderr[-2000:]}"
    return log.read_text(errors="replace").splitlines()


def marks_of(lines):
    """{name behind "ringsock-": (line number, thread)}, of each the first"""
    marks = {}
    for number, line in enumerate(lines):
        if START in line and (name := NAME.search(ESCAPE.sub("", line))):
            marks.setdefault(name[1], (number, line.split(None, 1)[0]))
    return marks


def server_threads(lines):
    threads = set()
    for line in lines:
        if found := SERVER.match(line):
            threads.add(found[1])
        elif (found := CHILD.match(line)) and found[1] in threads:
            threads.add(found[2])
    return threads


def calls(lines):
    """(thread, system call, what the descriptor that comes first is, "") of each call that begins in
    these lines."""
    return [(found[1], found[2], found[3] or "") for line in lines if (found := BEGUN.match(line))]
