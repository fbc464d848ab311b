# SPDX-License-Identifier: LGPL-2.1-or-later
"""All jobs that unmodified programs are given, as JOBS (job.py): those of node.py, portablegit.py and
postgres.py, and here of the programs with one or two.
"""
import hashlib
import random
import socket
import subprocess
import threading
import wave

from . import esbuild, node, portablegit, postgres  # noqa: F401  # pylint: disable=unused-import
from .job import JOBS, blob, connect, free_port, job  # noqa: F401


# ---- pagefind: tokio and mio, IOCTL_AFD_POLL ----
@job("pagefind", "serve", short=True)
def pagefind_serve(given):
    site = given.tmp / "site"
    site.mkdir()
    (site / "index.html").write_text("<html><body><p>one page</p></body></html>")
    wanted = blob(site / "blob")
    given.needs_random_numbers("x64")
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
def esbuild_serve(given, width):
    exe = given.fetch(f"esbuild-{width}")
    given.needs_random_numbers(width)
    site = given.tmp / "site"
    site.mkdir()
    files = esbuild.make_files(site)
    server = given.start(exe, "--serve=127.0.0.1:0", "--servedir=.", cwd=site, stdin=subprocess.PIPE)
    port = int(server.wait_for(r"http://127\.0\.0\.1:(\d+)/", timeout=60, err=True)[1])
    esbuild.drive(port, files, 400, 100)
    server.kill()
    return "400 files over 4 connections, 100 over one each"


@job("esbuild", "serve")
def esbuild_x64(given):
    return esbuild_serve(given, "x64")


@job("esbuild 32 bit", "serve", width="x32")
def esbuild_x32(given):
    return esbuild_serve(given, "x32")


# ---- ffmpeg: mingw's select, nonblocking ----
def sound(given):
    samples = random.Random(3).randbytes(4 * 44100 * 30)
    with wave.open(str(given.tmp / "sound.wav"), "wb") as file:
        file.setparams((2, 2, 44100, 0, "NONE", ""))
        file.writeframes(samples)
    return samples


def ffmpeg(given, *args):
    return given.start(given.fetch("ffmpeg-x64"), "-v", "error", *args)


def check_hash(result, samples):
    assert f"SHA256={hashlib.sha256(samples).hexdigest()}" in result.out, str(result)


HASH = ("-c:a", "pcm_s16le", "-f", "hash", "-hash", "sha256", "-")


@job("ffmpeg", "http")
def ffmpeg_http(given):
    samples = sound(given)
    url = f"http://127.0.0.1:{given.serve(given.tmp)}/sound.wav"
    check_hash(ffmpeg(given, "-i", url, *HASH).wait(120), samples)
    return "30 s of sound, checksum of the samples"


@job("ffmpeg", "tcp")
def ffmpeg_tcp(given):
    """It listens, and takes the sound from a client of the host."""
    samples, port = sound(given), free_port()
    running = ffmpeg(given, "-f", "wav", "-i", f"tcp://127.0.0.1:{port}?listen=1", *HASH)
    connection = connect(port)
    connection.sock.sendall((given.tmp / "sound.wav").read_bytes())
    connection.close()
    check_hash(running.wait(120), samples)
    return "30 s of sound from a client of the host"


@job("ffmpeg", "udp")
def ffmpeg_udp(given):
    """It sends the samples as datagrams."""
    samples, got = sound(given)[:1_000_000], bytearray()
    with socket.socket(type=socket.SOCK_DGRAM) as receiver:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8_000_000)
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(30)

        def receive():
            while len(got) < len(samples):
                got.extend(receiver.recv(65536))
        thread = threading.Thread(target=receive, daemon=True)
        thread.start()
        url = f"udp://127.0.0.1:{receiver.getsockname()[1]}?pkt_size=1000"
        result = ffmpeg(given, "-i", "sound.wav", "-fs", str(len(samples)), "-f", "s16le", url).wait(120)
        thread.join(30)
    assert result.rc == 0 and got[:len(samples)] == samples, f"{len(got)} bytes: {result}"
    return "1 MB of samples in datagrams of 1,000 bytes"
