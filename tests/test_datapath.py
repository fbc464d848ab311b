# SPDX-License-Identifier: LGPL-2.1-or-later
"""The rule of the data path: in steady state send, recv, WSASend, WSARecv, select, WSAPoll,
ioctlsocket, and waiting for the event of an operation or for its completion routine make no wineserver
request, and what can be answered from what has arrived makes no system call at all.

tests/programs/datapath.c makes a few hundred operations of one kind between two events whose names
show in a trace.  wineserver itself writes the request trace, so each width gets a wineserver of its
own, started here with its standard error in a file; the counts are made over every thread of the
program, the DLL's own included.
"""
import re
import shutil
import subprocess
from collections import Counter

import pytest

import straces
from conftest import Prefix

OPERATIONS = 200
KINDS = ("send", "recv", "recv_empty", "wsasend", "wsarecv", "wsasend_overlapped",
         "wsarecv_overlapped", "writefile", "readfile", "readfile_port", "select_empty",
         "select_ready", "poll_empty", "poll_ready", "fionread", "pingpong", "event_manual",
         "event_auto", "events", "routine", "sleep", "handoff")
RIO_KINDS = ("rio_receive", "rio_send", "rio_send_deferred", "rio_dequeue_empty", "rio_pingpong_port")
LOCAL = ("recv", "recv_empty", "wsarecv", "readfile", "select_empty", "select_ready", "poll_empty",
         "poll_ready", "fionread", "rio_receive")
# "0024: recv_socket( ..." asks, "0024: recv_socket() = 0 { ..." answers
REQUEST = re.compile(r"^([0-9a-f]{4}): (\w+)\( ?")
ANSWER = re.compile(r"^([0-9a-f]{4}): (\w+)\(\) = \w+ ?(.*)")
MARK = re.compile(r"ringsock-(begin|end)-(\w+)\"")


@pytest.fixture(scope="module")
def own_prefix(get_prefix, build):
    """A prefix with ours whose wineserver nobody has started yet."""
    path = get_prefix("ours").path.parent / "datapath"
    prefix = Prefix(build, path, "ours").create().install()
    prefix.stop()
    yield prefix
    prefix.stop()
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="module")
def traces():
    return {}


def trace_of(prefix, build, traces, width, tmp_path, dll="ours", argv=None):
    """wineserver's trace of one run of datapath, or of another program, and the program's output."""
    argv = argv or (build.exe("datapath", width), OPERATIONS)
    key = (dll, argv)
    if key not in traces:
        log = tmp_path / "wineserver.log"
        override = {"WINEDLLOVERRIDES": "ws2_32=b;mscoree,mshtml="} if dll == "builtin" else {}
        with open(log, "wb") as out:
            server = subprocess.Popen([build.wineserver, "-f", "-d1"], env=prefix.env(),
                                      stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        try:
            done = subprocess.run([build.wine, *map(str, argv)], timeout=100,
                                  env=prefix.env(WINEDEBUG="+server", RINGSOCK_LOG="info",
                                                 **override),
                                  stdin=subprocess.DEVNULL, capture_output=True)
        finally:
            prefix.stop()
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
        out = done.stdout.decode(errors="replace")
        err = done.stderr.decode(errors="replace")
        assert done.returncode == 0, f"{out}\n{err[-3000:]}"
        assert ("ringsock: " in err) == (dll == "ours"), f"the wrong DLL was in use\n{err[-3000:]}"
        traces[key] = (log.read_text(errors="replace").splitlines(), out)
    return traces[key]


def threads_of(lines, main):
    """All threads of the process that thread `main` belongs to: new_thread tells the child's id.
    A process's creation also goes through new_thread, but with a process handle that is not -1."""
    threads, asked = {main}, {}
    for line in lines:
        request = REQUEST.match(line)
        answer = ANSWER.match(line)
        if answer and answer[2] == "new_thread":
            child = re.search(r"tid=([0-9a-f]{4})", answer[3])
            if child and answer[1] in threads and "process=ffffffff" in asked.get(answer[1], ""):
                threads.add(child[1])
        elif request and request[2] == "new_thread":
            asked[request[1]] = line
    return threads


def between_marks(lines, kind):
    """Line numbers of a kind's two markers, and the thread that made them."""
    found = {}
    for number, line in enumerate(lines):
        mark = MARK.search(line)
        if mark and mark[2] == kind and REQUEST.match(line) and mark[1] not in found:
            found[mark[1]] = (number, REQUEST.match(line)[1])
    assert set(found) == {"begin", "end"}, f"{kind}: markers {found} in {len(lines)} lines"
    return found["begin"][0], found["end"][0], found["begin"][1]


def requests_of(lines, kind):
    """What the program's threads asked of wineserver between the two markers."""
    return requests_in(lines, *between_marks(lines, kind))


def requests_in(lines, begin, end, main):
    threads = threads_of(lines, main)
    return [line for line in lines[begin + 1:end]
            if (m := REQUEST.match(line)) and m[1] in threads and not ANSWER.match(line)]


# What a kind asks for however many operations there are, at most once in so many ms (docs/concurrency.md):
# a look for APCs of others, by a thread in alertable waits; the end of a wait for longer than a thread parks,
# as the first operation's is.
BY_TIME = {"routine": (10, r"select\( flags=3,.* timeout=0,"), "handoff": (20, r"(select|event_op)\(")}


def without_looks(requests, kind, out):
    each, pattern = BY_TIME[kind]
    allowed = int(re.search(rf"^{kind} \d+: (\d+) ms", out, re.M)[1]) // each + 2
    looks = [line for line in requests if re.search(pattern, line)]
    return [line for line in requests if line not in looks] + looks[allowed:]


@pytest.mark.parametrize("kind", KINDS + RIO_KINDS)
def test_no_wineserver_request(kind, width, own_prefix, build, traces, tmp_path):
    lines, out = trace_of(own_prefix, build, traces, width, tmp_path)
    assert f"{kind} {OPERATIONS}" in out
    requests = requests_of(lines, kind)
    if kind in BY_TIME:
        requests = without_looks(requests, kind, out)
    assert not requests, f"{len(requests)} requests in {OPERATIONS} operations:\n" + \
        "\n".join(requests[:20])


def test_the_count_sees_the_built_in(width, own_prefix, build, traces, tmp_path):
    """The control: the same program and the same counting, on Wine's own DLL."""
    lines, _ = trace_of(own_prefix, build, traces, width, tmp_path, "builtin")
    for kind in ("send", "recv", "recv_empty", "readfile", "select_empty", "poll_ready"):
        assert len(requests_of(lines, kind)) >= OPERATIONS, kind


def test_every_thread_is_counted(width, own_prefix, build, traces, tmp_path):
    """The DLL has at least one thread of its own; it must be among those counted."""
    lines, _ = trace_of(own_prefix, build, traces, width, tmp_path)
    main = between_marks(lines, "send")[2]
    assert len(threads_of(lines, main)) >= 2


KEPT_MAX = 32  # anchor_pool.c's

# What a wait for longer than a thread parks asks for, and the end of such a wait.
WAITS = ("select", "event_op")


@pytest.mark.parametrize("call", ("connect", "socket"))
def test_requests_of_set_up(call, width, own_prefix, build, traces, tmp_path):
    """Sockets that come and go ask wineserver only whether somebody else has the handle that is kept
    for the next one, and that only where it has served somebody else in the meantime."""
    exe = build.dir / "tests/bench" / width / "setup.exe"
    lines, _ = trace_of(own_prefix, build, traces, width, tmp_path, argv=(
        exe, "--row", call, "--call", call, "--ops", 2 * OPERATIONS, "--marks", 1, "--setup", 60, "--limit", 60))
    marks = [(number, REQUEST.match(line)[1], int(found[1])) for number, line in enumerate(lines)
             if REQUEST.match(line) and (found := re.search(r"ringsock-ops-(\d+)\"", line))]
    assert len(marks) == 2, marks
    (begin, main, first), (end, _, last) = marks
    requests = requests_in(lines, begin, end, main)
    counts = Counter(name for line in requests if (name := REQUEST.match(line)[2]) not in WAITS)
    asked = counts.pop("get_object_info", 0)
    # anybody's, which depend on the load (a thread has waited for longer than it parks); after each
    # the next socket of every anchor that is kept asks once
    others = sum(1 for line in lines[begin:end] if (found := REQUEST.match(line)) and
                 found[2] != "get_object_info" and not ANSWER.match(line))
    assert asked <= (last - first) / 4 + KEPT_MAX * others and not counts, \
        f"asked {asked} times beside {others} other requests, {counts} for {last - first} operations"


# ---- system calls ----
def strace_of(prefix, build, traces, width, runtime, tmp_path):
    key = ("strace", width)
    if key not in traces:
        exe = build.exe("datapath", width)
        lines = straces.traced(prefix, build, [exe, OPERATIONS], runtime, tmp_path / "strace.log")
        traces[key] = (lines, straces.marks_of(lines), straces.server_threads(lines))
    return traces[key]


def lines_between(traced, kind):
    lines, marks, _ = traced
    assert f"begin-{kind}" in marks and f"end-{kind}" in marks, f"{kind}: {marks}"
    return lines[marks[f"begin-{kind}"][0] + 1:marks[f"end-{kind}"][0]]


def calls_between(traced, kind):
    """System calls of the marking thread between the two writes that carry the markers' names."""
    thread = traced[1][f"begin-{kind}"][1]
    return [line for line in lines_between(traced, kind)
            if line.split(None, 1)[0] == thread and "resumed>" not in line
            and "--- SIG" not in line]


@pytest.mark.parametrize("kind", LOCAL)
def test_no_system_call(kind, width, ours, build, runtime, traces, tmp_path):
    traced = strace_of(ours, build, traces, width, runtime, tmp_path)
    # what the markers themselves cost: the same with no operation between them
    nothing = calls_between(traced, "nothing")
    calls = calls_between(traced, kind)
    assert len(calls) <= len(nothing), \
        f"{len(calls)} system calls in {OPERATIONS} operations, {len(nothing)} in none:\n" + \
        "\n".join(calls[:20])
    assert len(nothing) < 20, "\n".join(nothing)


def test_the_count_sees_system_calls(width, ours, build, runtime, traces, tmp_path):
    """The control: a ping-pong through the server cannot do without."""
    traced = strace_of(ours, build, traces, width, runtime, tmp_path)
    assert len(calls_between(traced, "pingpong")) >= OPERATIONS


@pytest.mark.parametrize("kind", LOCAL)
def test_the_server_is_left_alone(kind, width, ours, build, runtime, traces, tmp_path):
    """Nor does the server anything then, but for ending its last turn."""
    traced = strace_of(ours, build, traces, width, runtime, tmp_path)
    calls = [call for call in straces.calls(lines_between(traced, kind)) if call[0] in traced[2]]
    assert len(calls) < OPERATIONS / 10, f"{len(calls)} system calls in {OPERATIONS} operations: {calls[:20]}"
    assert any(call[0] in traced[2] for call in straces.calls(lines_between(traced, "pingpong"))), \
        "the server was not traced"
