# SPDX-License-Identifier: LGPL-2.1-or-later
"""The jobs of tests/apps/jobs.py, on the built-in and on ours.

The normal check runs the short ones on ours.  With RINGSOCK_APPS=all (`make check-apps`) all of them
run on both, and a table at the end tells what each gave.  A job that fails on the built-in is no
failure of this suite; one that fails on ours is.
"""
import functools
import http.server
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from apps.jobs import JOBS  # noqa: E402
from conftest import wait_begun  # noqa: E402

EVERYTHING = os.environ.get("RINGSOCK_APPS") == "all"
pytestmark = pytest.mark.npm


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves and takes files."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        pass

    def do_PUT(self):  # pylint: disable=invalid-name
        data = self.rfile.read(int(self.headers["Content-Length"]))
        (Path(self.directory) / Path(self.path).name).write_bytes(data)
        self.send_response(201)
        self.send_header("Content-Length", "0")
        self.end_headers()


class Run:
    """What a job may use (see tests/apps/job.py)."""

    def __init__(self, prefix, start_wine, fetch_program, random_numbers, tmp):
        self.prefix, self.tmp, self._start = prefix, tmp, start_wine
        self.fetch, self._random_numbers = fetch_program, random_numbers
        self.servers, self.running = [], []

    def start(self, exe, *args, cwd=None, stdin=subprocess.DEVNULL):
        self.running.append(self._start(exe, *args, prefix=self.prefix, cwd=cwd or self.tmp,
                                        stdin=stdin))
        return self.running[-1]

    def wine(self, exe, *args, timeout=60, cwd=None):
        return wait_begun(functools.partial(self.start, exe, *args, cwd=cwd), timeout)

    def needs_random_numbers(self, width):
        self._random_numbers(self.prefix, width)

    def serve(self, directory):
        handler = functools.partial(Handler, directory=str(directory))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.servers.append(server)
        return server.server_port

    def close(self):
        for server in self.servers:
            server.shutdown()
            server.server_close()


@pytest.fixture
def given(job, prefix, start_wine, fetch_program, random_numbers, tmp_path, wine_widths):
    if wine_widths[job.width]:
        pytest.skip(wine_widths[job.width])
    run = Run(prefix, start_wine, fetch_program, random_numbers, tmp_path)
    yield run
    run.close()


def chosen():
    for job in JOBS:
        for target in ("builtin", "ours"):
            if EVERYTHING or (job.short and target == "ours"):
                yield pytest.param(target, job, id=f"{job}-{target}")


@pytest.mark.parametrize("target,job", chosen())
def test_job(target, job, given, app_results):
    try:
        done = job.run(given)
        if target == "ours":
            logged = "".join(each.log for each in given.running)
            assert "ringsock: " in logged, "our DLL was not in use"
    except (AssertionError, OSError, ValueError, LookupError, subprocess.SubprocessError,
            pytest.fail.Exception) as error:
        app_results[job.program, job.name, target] = "fails"
        if target == "builtin":
            pytest.xfail(f"the built-in: {str(error)[:300]}")
        raise
    app_results[job.program, job.name, target] = "works"
    app_results[job.program, job.name, "done"] = str(done)
    print(done)
