# SPDX-License-Identifier: LGPL-2.1-or-later
"""RINGSOCK_LOG and RINGSOCK_LOG_PATH, and what is said where no server can be found."""
import re
import subprocess

import pytest

WSASYSNOTREADY = 10091
INFO = re.compile(r"ringsock: (\S+) in (\S+), Wine (\S+), server pid (\d+) \((.*)\)")


@pytest.fixture
def winsock_up(build, run_wine, width):
    """Runs the shortest Winsock program with these settings; its log goes to stderr unless told."""
    def run(**env):
        env.setdefault("RINGSOCK_LOG_PATH", "")
        return run_wine(build.exe("winsock_up", width), env=env)

    return run


def test_info_line(winsock_up, build):
    result = winsock_up(RINGSOCK_LOG="info")
    lines = INFO.findall(result.err)
    assert len(lines) == 1, str(result)
    version, program, wine, pid, _ = lines[0]
    assert program == "winsock_up.exe"
    assert version == build.config.get("version", version)
    installed = subprocess.run([build.wine, "--version"], stdout=subprocess.PIPE, text=True,
                               check=True).stdout
    assert f"wine-{wine}" in installed.split(), installed
    with open(f"/proc/{pid}/comm", encoding="ascii") as comm:
        assert comm.read().strip() == "ringsock-server"
    assert "socket OK" in result.out


@pytest.mark.parametrize("level", ["error", "warn"])
def test_quiet_levels(winsock_up, level):
    result = winsock_up(RINGSOCK_LOG=level)
    assert "ringsock" not in result.err, str(result)


def test_trace(winsock_up):
    """Each call with its arguments and result, as Wine's relay has them."""
    result = winsock_up(RINGSOCK_LOG="trace")
    for call in ("WSAStartup", "socket", "closesocket", "WSACleanup"):
        assert re.search(rf"Call ws2_32\.{call}\([^)]*\) ret=[0-9a-f]+", result.err), str(result)
        assert re.search(rf"Ret  ws2_32\.{call}\(\) retval=[0-9a-f]+.* ret=[0-9a-f]+",
                         result.err), str(result)
    # socket(AF_INET, SOCK_STREAM, 0)
    assert re.search(r"Call ws2_32\.socket\(0*2,0*1,0*0\)", result.err), str(result)
    assert result.err.index("Call ws2_32.socket") < result.err.index("Ret  ws2_32.socket")
    assert INFO.search(result.err), "trace includes info"


def test_trace_shows_errors(build, run_wine, width):
    result = run_wine(build.exe("badargs", width), env={"RINGSOCK_LOG": "trace"}, check=False,
                      timeout=120)
    assert re.search(r"Ret  ws2_32\.recv\(\) retval=ffffffff error=10038", result.log), \
        str(result)[-3000:]


def test_trace_keeps_the_caller(build, run_wine, width):
    """Only Wine's own DLLs may look names up before WSAStartup, also where the relay stands in
    between: the program finds WSANOTINITIALISED, WinHTTP the name (test_company.py)."""
    result = run_wine(build.exe("addrinfo", width), env={"RINGSOCK_LOG": "trace"}, check=False,
                      timeout=120)
    assert result.rc == 0, str(result)[-3000:]
    assert "Call ws2_32.getaddrinfo" in result.log


def test_log_path(winsock_up, tmp_path):
    result = winsock_up(RINGSOCK_LOG="info", RINGSOCK_LOG_PATH=str(tmp_path))
    assert "ringsock" not in result.err, str(result)
    files = list(tmp_path.iterdir())
    assert [f.name for f in files] == ["winsock_up_ws2_32.log"], files
    assert INFO.search(files[0].read_text())
    # a second run adds to it
    winsock_up(RINGSOCK_LOG="info", RINGSOCK_LOG_PATH=str(tmp_path))
    assert len(INFO.findall(files[0].read_text())) == 2


def test_log_path_none(winsock_up):
    result = winsock_up(RINGSOCK_LOG="trace", RINGSOCK_LOG_PATH="none")
    assert "ringsock" not in result.err and "socket OK" in result.out, str(result)


def test_unwritable_path(winsock_up):
    """A log that cannot be written must not stop the program."""
    result = winsock_up(RINGSOCK_LOG="info", RINGSOCK_LOG_PATH="/proc/no/such/directory")
    assert "socket OK" in result.out, str(result)


def test_no_server(winsock_up, tmp_path):
    """WSAStartup's WSASYSNOTREADY, "the underlying network subsystem is not ready", and advice."""
    result = winsock_up(RINGSOCK_LOG="error", RINGSOCK_SERVER=str(tmp_path / "no-such-server"),
                        RINGSOCK_RUNTIME_DIR=str(tmp_path))
    assert result.out.strip() == f"WSAStartup {WSASYSNOTREADY}", str(result)
    assert "RINGSOCK_SERVER" in result.err and "ringsock-server" in result.err, str(result)


def test_server_that_is_none(winsock_up, tmp_path):
    """A program that is not ours: no hang, the same error."""
    fake = tmp_path / "fake-server"
    fake.write_text("#!/bin/sh\nexit 0\n")
    fake.chmod(0o755)
    result = winsock_up(RINGSOCK_LOG="error", RINGSOCK_SERVER=str(fake),
                        RINGSOCK_RUNTIME_DIR=str(tmp_path))
    assert result.out.strip() == f"WSAStartup {WSASYSNOTREADY}", str(result)
    assert "ringsock" in result.err, str(result)


def test_unsupported_arguments(build, run_wine, width):
    """What a program asked for and did not get: which call, which argument, each once."""
    log = run_wine(build.exe("sockopt", width), env={"RINGSOCK_LOG": "warn"}, check=False,
                   timeout=120).log
    said = re.findall(r"option (\S+) at level (\S+) is not supported", log)
    assert said and len(said) == len(set(said)), log[-3000:]
