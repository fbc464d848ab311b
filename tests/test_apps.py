# SPDX-License-Identifier: LGPL-2.1-or-later
"""Unmodified Windows programs run on ours: the demonstration's receiver, esbuild, ffmpeg.

The programs are fetched at a pinned version (tests/apps/packages.py) and skipped where that cannot
be done.  Each test also looks at what our DLL logged, since a program that fell back to the
built-in would pass the rest.
"""
import functools
import hashlib
import http.server
import random
import re
import subprocess
import sys
import threading
import wave
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from apps import esbuild, send_file  # noqa: E402

IN_USE = re.compile(r"ringsock: \S+ in (\S+), Wine \S+, server pid \d+")


def assert_ours(log, name):
    found = IN_USE.search(log)
    assert found, f"our DLL was not in use; it logged: {log!r}"
    assert name in found.group(1).lower(), f"logged for {found.group(1)}, not {name}"


def test_receive_file(width, ours, build, start_wine, tmp_path):
    content = random.Random(1).randbytes(20_000_000)
    (tmp_path / "source").write_bytes(content)
    sender = subprocess.Popen([sys.executable, send_file.__file__, str(tmp_path / "source")],
                              stdout=subprocess.PIPE, text=True)
    try:
        port = int(sender.stdout.readline())
        result = start_wine(build.exe("receive_file", width), "127.0.0.1", port, "copy",
                            cwd=tmp_path).wait(60)
        assert result.rc == 0, str(result)
        assert sender.wait(30) == 0
    finally:
        sender.kill()
        sender.wait()
        sender.stdout.close()
    same = (tmp_path / "copy").read_bytes() == content
    assert same, str(result)
    assert f"received {len(content)} bytes" in result.out, str(result)
    assert_ours(result.log, "receive_file.exe")


@pytest.mark.npm
def test_esbuild(width, ours, fetch_program, random_numbers, start_wine, tmp_path):
    exe = fetch_program(f"esbuild-{width}")
    random_numbers(ours, width)
    files = esbuild.make_files(tmp_path)
    running = start_wine(exe, "--serve=127.0.0.1:0", "--servedir=.", prefix=ours, cwd=tmp_path,
                         stdin=subprocess.PIPE)
    port = int(running.wait_for(r"http://127\.0\.0\.1:(\d+)/", timeout=60, err=True).group(1))
    print(esbuild.drive(port, files, 1000, 200))
    assert running.proc.poll() is None, f"it ended: {running.result()}"
    assert_ours(running.log, "esbuild.exe")


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        self.server.requests.append(format % args)


@pytest.mark.npm
def test_ffmpeg(ours, wine_widths, fetch_program, run_wine, tmp_path):
    """Reads a sound over HTTP and prints the checksum of the samples."""
    if wine_widths["x64"]:
        pytest.skip(wine_widths["x64"])
    exe = fetch_program("ffmpeg-x64")
    samples = random.Random(3).randbytes(4 * 44100 * 30)
    with wave.open(str(tmp_path / "sound.wav"), "wb") as sound:
        sound.setparams((2, 2, 44100, 0, "NONE", ""))
        sound.writeframes(samples)
    handler = functools.partial(QuietHandler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.requests = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        result = run_wine(exe, "-v", "error", "-i",
                          f"http://127.0.0.1:{server.server_port}/sound.wav",
                          "-c:a", "pcm_s16le", "-f", "hash", "-hash", "sha256", "-", prefix=ours,
                          timeout=120)
        server.shutdown()
    assert any("GET /sound.wav" in line for line in server.requests), server.requests
    assert f"SHA256={hashlib.sha256(samples).hexdigest()}" in result.out, str(result)
    assert_ours(result.log, "ffmpeg.exe")
