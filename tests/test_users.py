# SPDX-License-Identifier: LGPL-2.1-or-later
"""Several users and prefixes at once, apart from each other: each has a server of its own, in a directory
that nobody else can enter; and programs of both widths on one server.  Foreign users need root."""
import os
import re
import shutil
import socket
import stat
import subprocess
from pathlib import Path

import pytest

from conftest import Prefix
from processes import servers_of
from remote import Remote

FIRST, SECOND = 61001, 61002  # uids that no account need have
WSASYSNOTREADY = 10091


def as_user(uid):
    return ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]


class UserPrefix(Prefix):
    """A prefix that belongs to a user, who runs what is in it."""

    def __init__(self, build, path, uid):
        super().__init__(build, path, "ours", as_user(uid))
        self.uid, self.logs = uid, path.with_name(path.name + "-logs")
        self.create()
        (self.path / "wineserver").unlink(missing_ok=True)  # Debian's: where root's one lies
        self.logs.mkdir()
        subprocess.run(["chown", "-R", f"{uid}:{uid}", self.path, self.logs], check=True)
        self.keep_alive()
        self.install()

    def env(self, **more):
        return super().env(**{"HOME": str(self.path), "XDG_RUNTIME_DIR": "/tmp", **more,
                              "RINGSOCK_LOG_PATH": str(self.logs)})

    def stop(self):
        super().stop()
        for path in (self.path, self.logs):
            shutil.rmtree(path, ignore_errors=True)


def can_run(uid, program):
    return subprocess.run([*as_user(uid), "test", "-x", program], check=False).returncode == 0


@pytest.fixture(scope="module")
def prefixes(build, get_prefix):
    """Two of the first user, one of the second."""
    if os.geteuid() or not shutil.which("setpriv"):
        pytest.skip("programs of other users need root and setpriv (util-linux)")
    if not can_run(FIRST, build.server):
        pytest.skip(f"other users cannot reach {build.server}")
    root = get_prefix("builtin").path.parent
    made = []
    for name, uid in (("one", FIRST), ("two", FIRST), ("other", SECOND)):
        made.append(UserPrefix(build, root / f"user-{name}-{os.getpid()}", uid))
    yield made
    for each in made:
        each.stop()


@pytest.fixture
def bases():
    """For RINGSOCK_RUNTIME_DIR: one directory of each user's, in one like /dev/shm."""
    parent = Path("/dev/shm") / f"ringsock-users-{os.getpid()}"
    parent.mkdir(mode=0o755)
    parent.chmod(0o1777)
    yield {uid: parent / f"ringsock-{uid}" for uid in (FIRST, SECOND)}
    for pid in servers_of(parent):
        os.kill(pid, 9)
    shutil.rmtree(parent)


def echoes(port):
    with socket.create_connection(("127.0.0.1", port), 20) as s:
        s.sendall(b"hello" * 100)
        got = b""
        while len(got) < 500 and (piece := s.recv(1000)):
            got += piece
    return got == b"hello" * 100


def owner_and_mode(path):
    found = path.lstat()
    return found.st_uid, stat.S_IMODE(found.st_mode)


def uid_of(pid):
    return int(re.search(r"^Uid:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(), re.M)[1])


def test_users_apart(prefixes, bases, build, start_wine):
    """Three servers for three prefixes, each its user's; what lies in the runtime directories is the
    user's alone, so that a foreign user can open neither segments nor FIFOs."""
    programs = [start_wine(build.exe("soak_server", "x64"), prefix=prefix,
                           env={"RINGSOCK_RUNTIME_DIR": bases[prefix.uid]}) for prefix in prefixes]
    ports = [int(program.wait_for(r"port (\d+)", 60)[1]) for program in programs]
    assert all(echoes(port) for port in ports)
    for uid, servers in ((FIRST, 2), (SECOND, 1)):
        assert [uid_of(pid) for pid in servers_of(bases[uid])] == [uid] * servers
        directories = list(bases[uid].iterdir())
        assert len(directories) == servers
        for path in (bases[uid], *directories):
            assert owner_and_mode(path) == (uid, 0o700), path
        inside = [path for directory in directories for path in directory.rglob("*")]
        assert inside
        for path in inside:
            owner, mode = owner_and_mode(path)
            assert owner == uid and not mode & 0o077, f"{path}: {owner}, {mode:o}"
        stranger = SECOND if uid == FIRST else FIRST
        for path in inside:
            seen = subprocess.run([*as_user(stranger), "test", "-e", path], check=False)
            assert seen.returncode == 1, path
    programs[0].kill()
    assert echoes(ports[1]) and echoes(ports[2]), "the end of one program was another's"


@pytest.mark.parametrize("mode", [0o700, 0o777])
def test_foreign_directory(mode, prefixes, bases, build, run_wine):
    """A directory that is another user's, closed or open to all, is not used: whoever can write there
    could speak for the programs."""
    base = bases[FIRST]
    base.mkdir()
    base.chmod(mode)
    os.chown(base, SECOND, SECOND)
    result = run_wine(build.exe("winsock_up", "x64"), prefix=prefixes[0],
                      env={"RINGSOCK_RUNTIME_DIR": base})
    assert result.out.split() == ["WSAStartup", str(WSASYSNOTREADY)], str(result)
    assert not servers_of(base)


@pytest.mark.parametrize("serving, asking", [("x64", "x32"), ("x32", "x64")])
def test_both_widths(serving, asking, ours, wine_widths, build, start_wine, runtime):
    """A 32-bit and a 64-bit program at once on one server, connected with each other."""
    for reason in wine_widths.values():
        if reason:
            pytest.skip(reason)
    env = {"RINGSOCK_RUNTIME_DIR": str(runtime)}
    port = start_wine(build.exe("soak_server", serving), prefix=ours,
                      env=env).wait_for(r"port (\d+)", 60)[1]
    remote = Remote(start_wine(build.exe("remote_winsock", asking), prefix=ours, env=env,
                               stdin=subprocess.PIPE))
    s = remote.socket()
    assert remote.connect(s, "call", "127.0.0.1", port).error == 0
    assert remote.send(s, "send", 20000).bytes == 20000
    got = b""
    while len(got) < 20000:
        got += (piece := remote.recv(s, "event", 32)).data  # the first 32 bytes are all that is told
        assert piece.data, piece
    assert got == b"d" * 20000 and len(servers_of(runtime)) == 1
    remote.end()
