# SPDX-License-Identifier: LGPL-2.1-or-later
"""tools/quickstart: the demonstration ends well, and Ctrl-C in the midst of it leaves nothing."""
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from conftest import SRC

pytestmark = pytest.mark.host


def start(build):
    """In a session of its own, with SIGINT as a terminal's shell leaves it."""
    if not shutil.which("npm") and not list(build.dir.glob("npm/esbuild-x64-*")):
        pytest.skip("npm is not installed (Debian package: npm)")
    return subprocess.Popen([str(SRC / "tools/quickstart"), "--build", str(build.dir)],
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, start_new_session=True,
                            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler))


def finish(quickstart, timeout):
    """The rest of its output."""
    try:
        return quickstart.communicate(timeout=timeout)[0]
    except subprocess.TimeoutExpired:
        os.killpg(quickstart.pid, signal.SIGTERM)
        pytest.fail(f"still running after {timeout} s: {quickstart.communicate()[0]}")


def leftovers(build, before):
    """What runs now, did not before, and has to do with the build's throwaway prefix."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or entry.name in before:
            continue
        try:
            text = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if f"{build.dir}/quickstart-prefix".encode() in text:
            found.append((entry.name, (entry / "cmdline").read_bytes()))
    return found + [str(p) for p in build.dir.glob("quickstart-prefix.*")]


def test_demonstration(build, wine_widths):
    before = {p.name for p in Path("/proc").iterdir()}
    quickstart = start(build)
    out = finish(quickstart, 300)
    assert quickstart.returncode == 0, out
    assert out.count("server pid") == 2 and "all went well" in out, out
    assert not leftovers(build, before), out


@pytest.mark.parametrize("stage,delay", [("tools/ringsock install", 0.3), ("demonstration 1", 0.4),
                                         ("demonstration 2", 0.3), ("demonstration 2", 0.6),
                                         ("demonstration 2", 2.0)])
def test_ctrl_c(stage, delay, build, wine_widths):
    before = {p.name for p in Path("/proc").iterdir()}
    quickstart = start(build)
    lines = []
    for line in quickstart.stdout:
        lines.append(line)
        if stage in line:
            break
    time.sleep(delay)
    os.killpg(quickstart.pid, signal.SIGINT)
    out = finish(quickstart, 40)
    text = "".join(lines) + out
    assert any(stage in line for line in lines), text
    assert quickstart.returncode == 130 or "all went well" in out, (quickstart.returncode, text)
    end = time.monotonic() + 5  # the kernel needs a moment to take away the killed
    while leftovers(build, before) and time.monotonic() < end:
        time.sleep(0.1)
    assert not leftovers(build, before), text
