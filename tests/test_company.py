# SPDX-License-Identifier: LGPL-2.1-or-later
"""What shares the process with ours.  Wine's other DLLs that import ws2_32: downloads by WinHTTP and
WinINet from a host server, and mswsock, wsock32, iphlpapi, rpcrt4 by tests/programs/company.c.  Programs
that hook ntdll themselves, that load and free ws2_32.dll again and again, that use it in DllMain."""
import http.server
import random
import socket
import threading
from pathlib import Path

import pytest

from pressure import MIB, Run
from test_conformance import summary


def fnv(data):
    """FNV-1a, 64 bits, as tests/programs/http_get.c has it."""
    value = 0xcbf29ce484222325
    for byte in data:
        value = ((value ^ byte) * 0x100000001b3) & 0xffffffffffffffff
    return value


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = self.server.bodies.get(self.path)
        if body is None:
            self.send_error(404)
            return
        self.send_response(200)
        if self.path.startswith("/chunked"):
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for start in range(0, len(body), 7000):
                piece = body[start:start + 7000]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def web():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    source = random.Random(2022)
    server.bodies = {f"/{name}": source.randbytes(size) for name, size in
                     (("empty", 0), ("small", 1234), ("large", 3000017), ("chunked", 400003))}
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("path", ["/empty", "/small", "/large", "/chunked"])
@pytest.mark.parametrize("library", ["winhttp", "wininet"])
def test_download(library, path, width, web, build, run_wine):
    count = 3
    result = run_wine(build.exe("http_get", width), library, "127.0.0.1", web.server_port, path, count,
                      timeout=120)
    body = web.bodies[path]
    assert result.out.splitlines() == [f"{len(body)} {fnv(body):016x}"] * count, str(result)
    assert "ringsock: " in result.log, f"ours was not in use: {result}"


@pytest.mark.parametrize("level", ["info", "trace"])
def test_download_by_name(width, level, web, build, run_wine):
    """The library resolves the name, through ours."""
    result = run_wine(build.exe("http_get", width), "winhttp", "localhost", web.server_port, "/small",
                      env={"RINGSOCK_LOG": level}, timeout=120)
    body = web.bodies["/small"]
    assert result.out.split() == [str(len(body)), f"{fnv(body):016x}"], str(result)


def test_company(width, target, prefix, build, run_wine):
    result = run_wine(build.exe("company", width), prefix=prefix, timeout=120, check=False)
    assert result.rc == 0 and int(summary(result)["failures"]) == 0, str(result)


@pytest.mark.parametrize("order", ["before", "after", "between"])
def test_own_hooks(order, width, target, prefix, build, run_wine):
    """A program that hooks ntdll's stubs itself: tests/programs/own_hooks.c."""
    result = run_wine(build.exe("own_hooks", width), order, prefix=prefix, timeout=120, check=False)
    assert result.rc == 0 and int(summary(result)["failures"]) == 0, str(result)
    if target == "ours":
        assert "left alone" not in result.log, str(result)


def test_odd_stubs(width, target, prefix, build, run_wine):
    """Stubs of a shape that nobody knows: said once, and Winsock's own calls work."""
    result = run_wine(build.exe("odd_stubs", width), prefix=prefix, timeout=120, check=False)
    assert result.rc == 0 and int(summary(result)["failures"]) == 0, str(result)
    if target == "ours":
        warnings = [line for line in result.log.splitlines() if ":warn:" in line]
        assert len(warnings) == 1 and "system calls of ntdll" in warnings[0], str(result)


def descriptors(pid):
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


@pytest.mark.parametrize("mode", ["balanced", "untidy", "inside"])
def test_load_again(mode, width, ours, build, start_wine, runtime):
    """Loaded and freed some hundred times, or started up and cleaned up: nothing is left behind on
    either side.  (Wine's own DLL has no working sockets when it is loaded again.)"""
    run = Run(start_wine, build, width, ours, runtime, "load_again", mode, 300)
    run.program.wait_for("READY", 60)
    before = run.memory(), [descriptors(pid) for pid in run.pids()]
    run.go_on()
    run.program.wait_for("AFTER", 120)
    after = run.memory(), [descriptors(pid) for pid in run.pids()]
    run.go_on()
    result = run.done()
    for old, new in zip(before[0], after[0]):
        assert new < old + 2 * MIB, f"{before}, then {after}: {result}"
    for old, new in zip(before[1], after[1]):
        assert new <= old + 64, f"{before}, then {after}: {result}"


@pytest.mark.parametrize("mode", ["threads", "late", "reload"])
def test_dll_main(mode, width, target, prefix, build, run_wine):
    """Winsock in DllMain: threads that it starts, and what threads leave behind."""
    result = run_wine(build.exe("dll_main", width), mode, prefix=prefix, timeout=120, check=False)
    assert result.rc == 0 and int(summary(result)["failures"]) == 0, str(result)


def test_dll_main_end(width, target, prefix, build, start_wine):
    """A connection that is used and closed while the process ends."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        program = start_wine(build.exe("dll_main", width), "end", server.getsockname()[1],
                             prefix=prefix)
        end, _ = server.accept()
        with end:
            end.settimeout(30)
            assert end.recv(16) == b"bye"
            end.sendall(b"x")
            assert end.recv(16) == b""
        result = program.wait(30)
    assert result.rc == 0 and int(summary(result)["failures"]) == 0, str(result)
