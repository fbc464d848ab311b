# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the unit tests of server and ring code (tests/host), built with sanitizers.

Each is a program that exits with 0 when all of its checks held; a sanitizer's finding ends it with
another code.
"""
import os
import platform
import subprocess
from pathlib import Path

import pytest

SOURCES = sorted((Path(__file__).parent / "host").glob("test_*.c"))
SERVER = [p for p in SOURCES if p.stem.startswith("test_server")]
RUNS = [(p.stem, "asan") for p in SOURCES] + \
       [(p.stem, "asan-shortcut") for p in SERVER] + \
       [(p.stem, "tsan-workers") for p in SERVER] + [("test_ring", "tsan")]

pytestmark = pytest.mark.host


def host_environment(directory, shortcut=False, workers=False):
    return {**os.environ, "RINGSOCK_SHORTCUT": str(int(shortcut)), "RINGSOCK_WORKERS": str(int(workers)), "TMPDIR": str(directory), "RINGSOCK_RUNTIME_DIR": str(directory),
            "ASAN_OPTIONS": "detect_leaks=1:strict_string_checks=1", "TSAN_OPTIONS": "halt_on_error=1",
            "UBSAN_OPTIONS": "print_stacktrace=1"}


@pytest.mark.parametrize("name,way", RUNS, ids=[f"{n}-{w}" for n, w in RUNS])
def test_host(name, way, build, tmp_path):
    sanitizer, _, what = way.partition("-")
    program = build.dir / "tests/host" / f"{name}.{sanitizer}"
    if not program.exists():
        pytest.skip("not built: make host-tests")
    argv = [str(program)]
    if sanitizer == "tsan":
        # Its shadow memory collides with an address space that is laid out at random.
        argv = ["setarch", platform.machine(), "-R", *argv]
    done = subprocess.run(argv, env=host_environment(tmp_path, bool(what), what == "workers"), cwd=tmp_path, timeout=170,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace")
    assert done.returncode == 0, f"exit code {done.returncode}\n{done.stdout[-8000:]}"
