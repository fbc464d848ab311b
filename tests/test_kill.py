# SPDX-License-Identifier: LGPL-2.1-or-later
"""What happens when one side is killed: the server in mid-traffic, the program, a thousand programs.

Each test has a runtime directory, and so a server, of its own: killing it disturbs nobody.
"""
import glob
import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from processes import SERVER_PID, servers_of, wait_until, windows_pid

WSAENETDOWN = 10050
# "ends with WSAENETDOWN within seconds"
SOON = 5000
RUNS = int(os.environ.get("RINGSOCK_TEST_RUNS", "1000"))
AT_ONCE = 8


@pytest.mark.parametrize("mode", ["recv", "send", "accept", "recvfrom", "select", "poll", "event",
                                  "apc", "port", "eventselect", "traffic"])
def test_server_killed(mode, width, build, start_wine, runtime):
    program = start_wine(build.exe("server_dies", width), mode,
                         env={"RINGSOCK_RUNTIME_DIR": str(runtime)})
    program.wait_for("READY")
    time.sleep(0.2)  # until it really waits
    first = int(SERVER_PID.search(program.log)[1])
    assert servers_of(runtime) == [first]
    os.kill(first, signal.SIGKILL)
    result = program.wait(60)
    ends = re.findall(r"^ENDED (\d+) (\d+)$", result.out, re.MULTILINE)
    assert len(ends) == (2 if mode == "traffic" else 1), str(result)
    for error, milliseconds in ends:
        assert int(error) == WSAENETDOWN, str(result)
        assert int(milliseconds) < SOON, str(result)
    assert "AGAIN OK" in result.out and result.rc == 0, str(result)
    pids = {int(pid) for pid in SERVER_PID.findall(result.log)}
    assert len(pids) == 2, f"no second server: {result}"


def test_two_programs_survive(width, build, start_wine, runtime):
    """Both programs of one server go on with the same new one."""
    env = {"RINGSOCK_RUNTIME_DIR": str(runtime)}
    programs = [start_wine(build.exe("server_dies", width), mode, env=env)
                for mode in ("recv", "port")]
    for program in programs:
        program.wait_for("READY")
    time.sleep(0.2)
    pids = servers_of(runtime)
    assert len(pids) == 1
    os.kill(pids[0], signal.SIGKILL)
    for program in programs:
        result = program.wait(60)
        assert f"ENDED {WSAENETDOWN} " in result.out and "AGAIN OK" in result.out, str(result)


def test_ticket_of_a_dead_server(width, build, start_wine, runtime):
    """What a server had put into `join` outlives it while somebody has that FIFO open, as another
    program that is just joining has: it must not be taken for a live server's."""
    program = start_wine(build.exe("server_dies", width), "recv",
                         env={"RINGSOCK_RUNTIME_DIR": str(runtime)})
    program.wait_for("READY")
    time.sleep(0.2)
    join = os.open(next(runtime.glob("*/join")), os.O_RDONLY | os.O_NONBLOCK)
    try:
        for pid in servers_of(runtime):
            os.kill(pid, signal.SIGKILL)
        result = program.wait(60)
    finally:
        os.close(join)
    assert "AGAIN OK" in result.out and result.rc == 0, str(result)


# ---- the program is killed ----
def pattern(start, length):
    return bytes((i * 7 + (i >> 11)) & 0xff for i in range(start, start + length))


def test_what_was_handed_over_is_sent(width, build, start_wine, runtime):
    """The peer reads nothing until the program is gone; then everything it had handed to send() is
    there, byte for byte, and after it the end."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(60)
        program = start_wine(build.exe("dying", width), "send", listener.getsockname()[1],
                             env={"RINGSOCK_RUNTIME_DIR": str(runtime)})
        client, _ = listener.accept()
        with client:
            client.settimeout(30)
            handed = int(program.wait_for(r"HANDED (\d+)")[1])
            assert handed > 50000, "that fits anywhere"
            os.kill(windows_pid(program, b"dying.exe"), signal.SIGKILL)
            program.proc.wait(20)
            time.sleep(0.5)
            data = bytearray()
            while chunk := client.recv(1 << 20):
                data += chunk
    assert len(data) == handed
    assert bytes(data) == pattern(0, handed)


def test_sockets_of_a_killed_program_close(width, build, start_wine, runtime):
    """Without anything to send the peer sees the end at once."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(60)
        program = start_wine(build.exe("dying", width), "send", listener.getsockname()[1],
                             env={"RINGSOCK_RUNTIME_DIR": str(runtime)})
        client, _ = listener.accept()
        with client:
            client.settimeout(30)
            handed = int(program.wait_for(r"HANDED (\d+)")[1])
            seen = 0
            while seen < handed:
                seen += len(client.recv(1 << 20))
            os.kill(windows_pid(program, b"dying.exe"), signal.SIGKILL)
            start = time.monotonic()
            assert client.recv(1) == b""
            assert time.monotonic() - start < 5
    # glob.glob, as the directory may go while it is looked through
    assert wait_until(lambda: not glob.glob(f"{runtime}/*/s*"), 30), \
        f"the session's directory is still there: {glob.glob(f'{runtime}/*/*')}"


# ---- a thousand short programs ----
def inventory(runtime, pid):
    """What the server holds of its sessions: descriptors, mappings, what lies in its directory."""
    files = sum(p.name != "log" for p in runtime.rglob("*"))
    mappings = sum(str(runtime) in line
                   for line in Path(f"/proc/{pid}/maps").read_text().splitlines())
    return {"descriptors": len(os.listdir(f"/proc/{pid}/fd")), "mappings": mappings, "files": files}


def not_more(now, before):
    return all(now[what] <= before[what] for what in before)


def settled(runtime, pid, expected=None):
    """The inventory once it has stopped changing, or as soon as it is what is expected.  A program that
    is killed between its ticket and its hello leaves a session which the server knows to be nobody's
    after 30 s only (HELLO_TIMEOUT): on a busy machine that happens."""
    last, since = None, time.monotonic()
    end = since + 120
    while time.monotonic() < end:
        now = inventory(runtime, pid)
        if now != last:
            last, since = now, time.monotonic()
        if expected is not None and not_more(now, expected):
            return now
        if time.monotonic() - since > (45 if expected else 2):
            break
        time.sleep(0.1)
    return last


@pytest.mark.slow
def test_nothing_is_left_behind(width, build, start_wine, runtime):
    """Short programs that clean up, just exit, kill themselves or are killed in a blocked call, with
    open, listening, connected sockets, unread data and a receive pending: the server ends with
    the descriptors, mappings, FIFOs and files that it began with."""
    program = start_wine(build.exe("dying", width), "children", AT_ONCE, stdin=subprocess.PIPE,
                         env={"RINGSOCK_RUNTIME_DIR": str(runtime), "RINGSOCK_LOG": "info"})
    program.wait_for("READY")
    pid = int(SERVER_PID.search(program.log)[1])
    shared = set(os.listdir("/dev/shm")) if os.path.isdir("/dev/shm") else set()

    def run(count, total):
        program.proc.stdin.write(f"{count}\n".encode())
        program.proc.stdin.flush()
        program.wait_for(rf"CHILDREN {total}\b", timeout=60 + count)

    run(2 * AT_ONCE, 2 * AT_ONCE)  # whatever is made once is made now
    before = settled(runtime, pid)
    assert all(count > 1 for count in before.values()), f"these counts see nothing: {before}"
    done = 2 * AT_ONCE
    while done < RUNS:
        batch = min(200, RUNS - done)
        done += batch
        run(batch, done)
    after = settled(runtime, pid, before)
    assert not_more(after, before), f"{done} runs: {after}, before {before}"
    assert servers_of(runtime) == [pid], "the server was restarted"
    if shared:
        left = {n for n in set(os.listdir("/dev/shm")) - shared if str(pid) in n}
        assert not left
    program.proc.stdin.close()
    result = program.wait(30)
    assert result.rc == 0 and "FAILED" not in result.out, str(result)
    # and the server leaves, with its directory's contents, some time after the last session
    assert wait_until(lambda: not servers_of(runtime), 30), "the server stays"
    left = [p for p in runtime.rglob("*") if p.is_fifo() or p.is_dir() and p.name.startswith("s")]
    assert not left, left
