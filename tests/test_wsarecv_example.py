# SPDX-License-Identifier: LGPL-2.1-or-later
"""The example program of the WSARecv page, as it stands, against a host-side sender.

The page's text lies beside the source tree; without it this is skipped.  The program is cut out of
it unchanged; it spells <Windows.h>, so a forwarding header of that name is put on the include path.
"""
import re
import shutil
import socket
import subprocess
import threading
import time

import pytest

from conftest import WIDTHS

PORT = 27015  # the program has it built in


@pytest.fixture(scope="module")
def source(build):
    text = build.src.parent / "shared" / "WSARecv.txt"
    if not text.exists():
        return None
    found = re.search(r"^#ifndef UNICODE\n.*?^int __cdecl main\(.*?^}\n",
                      text.read_text(encoding="utf-8", errors="replace").replace("\r\n", "\n"),
                      re.DOTALL | re.MULTILINE)
    assert found, "no example program in the text"
    return found[0]


@pytest.fixture(scope="module")
def examples(source, build, tmp_path_factory):
    """The program of each width, left in the build directory for a tree that has no compiler."""
    made = {width: build.dir / "tests" / width / "wsarecv_example.exe" for width in WIDTHS}
    where = tmp_path_factory.mktemp("example")
    (where / "Windows.h").write_text("#include <windows.h>\n")
    (where / "example.c").write_text(source or "")
    for width, exe in made.items():
        compiler = build.config["cc64" if width == "x64" else "cc32"]
        if source and shutil.which(compiler):
            subprocess.run([compiler, "-I", str(where), "-o", str(exe), str(where / "example.c"),
                            "-lws2_32"], check=True)
    return made


@pytest.fixture
def example(examples, width):
    if not examples[width].exists():
        pytest.skip("the page's text or a compiler is not there, and no earlier run left the program")
    return examples[width]


class Sender(threading.Thread):
    """Serves one client: the pieces with a pause between them, then the end of the stream."""

    def __init__(self, pieces, pause):
        super().__init__(daemon=True)
        self.pieces, self.pause, self.error = pieces, pause, None
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", PORT))
        self.listener.listen(1)
        self.listener.settimeout(60)

    def run(self):
        try:
            client, _ = self.listener.accept()
            with client:
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for piece in self.pieces:
                    client.sendall(piece)
                    time.sleep(self.pause)
        except OSError as error:
            self.error = error
        finally:
            self.listener.close()


@pytest.mark.parametrize("pieces, pause", [
    pytest.param([b"x" * n for n in (1, 4095, 4096, 4097, 10000, 7)], 0.05, id="pieces"),
    pytest.param([b"y" * 1000003], 0, id="bulk"),
    pytest.param([], 0, id="nothing"),
])
def test_example(example, pieces, pause, target, prefix, run_wine):
    sender = Sender(pieces, pause)
    sender.start()
    result = run_wine(example, "127.0.0.1", prefix=prefix, timeout=90)
    sender.join(10)
    assert not sender.is_alive() and sender.error is None, f"{sender.error} {result}"
    assert "Client connected..." in result.out
    read = [int(n) for n in re.findall(r"^Read (\d+) bytes$", result.out, re.MULTILINE)]
    assert sum(read) == sum(map(len, pieces)), str(result)
    # "If 0 bytes are received, the connection was closed": the last one, and only that
    assert read[-1] == 0 and all(0 < n <= 4096 for n in read[:-1]), str(result)
    assert "failed" not in result.out
    if target == "ours":
        assert "ringsock: " in result.log, f"ours was not in use: {result}"


def test_refused(example, run_wine):
    """Nobody sends: the program's own message for a refused connection."""
    result = run_wine(example, "127.0.0.1", check=False)
    assert result.rc == 1 and "Unable to establish connection" in result.out, str(result)
