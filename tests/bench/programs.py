# SPDX-License-Identifier: LGPL-2.1-or-later
"""Unmodified HTTP servers, the same version for Windows on both DLLs and for Linux, under one client
of the host (wrk), keep-alive: requests per second, and whose processor time they took. The servers of
the systems run side by side, and the client goes from one to the next. Calls systems.py, report.py and
tests/apps/packages.py; owns programs.txt and programs.md in the output directory."""

import http.client
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import report
from rows import RATE, Row
from systems import Failure, parts, run as run_command

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from apps import packages  # noqa: E402

CONNECTIONS = (1, 100)
PATIENCE = 60  # seconds until a server answers
TARGET = 4
TICKS = os.sysconf("SC_CLK_TCK")
BODY = b"x" * 1000  # http.js's too


@dataclass(frozen=True)
class Server:
    name: str
    title: str
    package: str  # without -x64, -linux
    arguments: tuple  # {port}, {here}: this directory, {site}: one with BODY as its only file
    path: str
    body: bytes
    status: int = 200


SERVERS = (
    Server("node", "Node.js, http.createServer", "node20", ("{here}/http.js", "{port}"), "/", BODY),
    Server("go", "Go (esbuild --serve), no such page", "esbuild",
           ("--serve=127.0.0.1:{port}", "--log-level=error"), "/none", b"404 - Not Found", 404),
    Server("go-file", "Go (esbuild --serve), a file", "esbuild",
           ("--serve=127.0.0.1:{port}", "--servedir={site}", "--log-level=error"), "/file.txt", BODY),
)


def _rows(server):
    return [Row(f"{server.name}-{conns}", f"{server.title}, {conns} conn", RATE, TARGET, server.name,
                (str(conns),)) for conns in CONNECTIONS]


def _free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def prepare(system, build):
    """What the programs want of a prefix: Windows 10, and for Go what Wine has since 9.0."""
    if system.name == "native":
        return
    _, err, status = run_command(["wine", "reg", "add", r"HKCU\Software\Wine", "/v", "Version", "/d",
                                  "win10", "/f"], system.environment(), PATIENCE)
    if status:
        raise Failure(f"{system.name}: the registry cannot be written: {err[-300:]}")
    random_numbers = system.prefix / "drive_c/windows/system32/bcryptprimitives.dll"
    if not random_numbers.exists():
        shutil.copy(build / "tests/x64/bcryptprimitives.dll", random_numbers)


def _fetch(system, server, build):
    cache = Path(os.environ.get("RINGSOCK_CACHE") or build) / "npm"
    exe = packages.fetch(f"{server.package}-{'linux' if system.name == 'native' else 'x64'}", cache)
    exe.chmod(0o755)
    return [str(exe)] if system.name == "native" else ["wine", str(exe)]


def _answer(server, port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", server.path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


@contextmanager
def _running(system, server, build):
    """The server's process and port; it has answered as it must."""
    port = _free_port()
    with tempfile.TemporaryDirectory() as site, tempfile.TemporaryFile() as said:
        (Path(site) / "file.txt").write_bytes(BODY)
        given = {"port": port, "here": Path(__file__).resolve().parent, "site": "."}
        command = _fetch(system, server, build) + [a.format(**given) for a in server.arguments]
        # esbuild ends at the end of its input.
        process = subprocess.Popen(command, env=system.environment(), cwd=site, stdin=subprocess.PIPE,
                                   stdout=said, stderr=said, start_new_session=True)
        try:
            since = time.monotonic()
            while True:
                try:
                    answer = _answer(server, port)
                    break
                except OSError:
                    if process.poll() is not None or time.monotonic() - since > PATIENCE:
                        said.seek(0)
                        raise Failure(f"{server.title} on {system.name} does not serve: "
                                      f"{said.read().decode(errors='replace')[-400:]}") from None
                    time.sleep(0.2)
            if answer != (server.status, server.body):
                raise Failure(f"{server.title} on {system.name} answers {answer}")
            yield process, port
        finally:
            process.kill()
            process.wait()
            process.stdin.close()


def _processor(system, process):
    """{part: seconds of processor time until now}"""
    times = {}
    for part, entry in parts(system, process):
        fields = (entry / "stat").read_text().rpartition(")")[2].split()
        times[part] = (int(fields[11]) + int(fields[12])) / TICKS
    return times


def _load(server, port, conns, seconds):
    """Requests, and per second; a failure if there were none, or not all had their answer."""
    done = subprocess.run(["wrk", "-t1", f"-c{conns}", f"-d{seconds}s", "--timeout", "30s",
                           f"http://127.0.0.1:{port}{server.path}"], capture_output=True, text=True,
                          timeout=seconds + PATIENCE, check=True)
    count = int(re.search(r"^\s*(\d+) requests in", done.stdout, re.M)[1])
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", done.stdout)
    if (int(refused[1]) if refused else 0) != (count if server.status >= 400 else 0) \
            or "Socket errors" in done.stdout or not count:
        raise Failure(f"{server.title}, {conns} connections: {done.stdout}")
    return count, float(re.search(r"^Requests/sec:\s+([\d.]+)", done.stdout, re.M)[1])


def _measure(args, server):
    """{row: {system: [rate]}}, {row: {system: [{part: seconds of processor time per request}]}}"""
    rates, times = {}, {}
    with ExitStack() as stack:
        running = {system: stack.enter_context(_running(system, server, args.build))
                   for system in args.systems}
        for turn in range(args.rounds):
            for row in _rows(server):
                shift = turn % len(args.systems)
                for system in args.systems[shift:] + args.systems[:shift]:
                    process, port = running[system]
                    before = _processor(system, process)
                    try:
                        count, rate = _load(server, port, int(row.args[0]), max(1, round(args.seconds)))
                    except Failure as failure:
                        print(f"{system.name}: {failure}", file=sys.stderr, flush=True)
                        count, rate = 0, None
                    rates.setdefault(row, {}).setdefault(system.name, []).append(rate)
                    if not count:
                        continue
                    after = _processor(system, process)
                    times.setdefault(row, {}).setdefault(system.name, []).append(
                        {part: (after[part] - before.get(part, 0)) / count for part in after})
                print(f"round {turn + 1}/{args.rounds} {row.title}: " + ", ".join(
                    f"{name} {report.number(v[-1])}" for name, v in rates[row].items()), flush=True)
    return rates, times


def _times_table(times, systems):
    """Microseconds per request, medians of the rounds, and wineserver's part of all."""
    lines = [["row"] + [f"{s.name}: program / wineserver / ringsock-server, us (wineserver's share)"
                        for s in systems]]
    for row, by_system in times.items():
        line = [row.title]
        for system in systems:
            samples = by_system.get(system.name)
            if not samples:
                line.append("-")
                continue
            found = [statistics.median(t.get(part, 0) for t in samples) * 1e6
                     for part in ("program", "wineserver", "ringsock-server")]
            line.append(" / ".join(report.number(value) for value in found)
                        + f" ({found[1] / (sum(found) or 1) * 100:.1f} %)")
        lines.append(line)
    lines.insert(1, ["---"] * len(lines[0]))
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def run(args, head):
    if not shutil.which("wrk"):
        raise Failure("wrk is not installed (Debian package: wrk)")
    rates, times = {}, {}
    for system in args.systems:
        prepare(system, args.build)
    try:
        for server in SERVERS:
            if not re.search(args.pattern, server.name):
                continue
            for target, measured in zip((rates, times), _measure(args, server)):
                target.update(measured)
    except packages.Unavailable as reason:
        raise Failure(str(reason)) from None
    names = [system.name for system in args.systems]
    summaries = [report.Summary(row, values) for row, values in rates.items()]
    head.append(f"load after it {os.getloadavg()[0]:.2f}")
    processor = "\n" + _times_table(times, args.systems)
    text = "\n".join(head) + "\n\n" + report.text_table(summaries, names) + processor
    (args.out / "programs.txt").write_text(text)
    (args.out / "programs.md").write_text(report.markdown_table(summaries, names) + processor)
    print("\n" + text + f"\nwritten: {args.out}/programs.txt, programs.md", flush=True)
    failed = any(None in values for s in summaries for values in s.samples.values())
    return int(failed or (args.check and any(s.verdict == "NO" for s in summaries)))
