# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a job is, and what the jobs of several programs use.

Owns the list JOBS, which @job fills.  A job is a function of a Run, which raises if anything was not as
it should be, and returns a line that says what was done.  A Run (tests/test_app_jobs.py) has
  .fetch(name) -> Path, .wine(exe, *args, timeout=) -> Result, .start(exe, *args) -> Running,
  .needs_random_numbers(width), .tmp (Path), .serve(directory) -> port of an HTTP server on the host
"""
import hashlib
import http.client
import random
import re
import socket
import time
from dataclasses import dataclass
from typing import Callable


@dataclass(frozen=True)
class Job:
    program: str
    name: str
    run: Callable
    short: bool = False  # in the normal check, on ours
    width: str = "x64"

    def __str__(self):
        return f"{self.program.replace(' ', '-')}-{self.name}"


JOBS = []


def job(program, name, **more):
    def add(function):
        JOBS.append(Job(program, name, function, **more))
        return function
    return add


def connect(port, timeout=20):
    """A program may say that it serves before it does."""
    end = time.monotonic() + timeout
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.connect()
            return connection
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def expect_ok(result):
    found = re.search(r"^OK (.*)$", result.out, re.M)
    assert found and result.rc == 0, str(result)
    return found[1].strip()


def blob(path, size=3_000_000, seed=11):
    path.write_bytes(random.Random(seed).randbytes(size))
    return digest(path)


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()
