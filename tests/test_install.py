# SPDX-License-Identifier: LGPL-2.1-or-later
"""tools/ringsock and make install: what they put where, and that nothing of it stays behind."""
import hashlib
import os
import re
import shutil
import subprocess
import tarfile

import pytest

OVERRIDES = r"HKCU\Software\Wine\DllOverrides"
OWN = r"HKCU\Software\Ringsock"


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def windows_files(prefix):
    """{path: content} of everything below C:\\windows."""
    root = prefix.path / "drive_c/windows"
    return {str(p.relative_to(root)): digest(p) for p in sorted(root.rglob("*")) if p.is_file()}


def user_registry(prefix):
    """{key: [values]} of HKCU as wineserver writes it, without time stamps.  Ends the wineserver."""
    prefix.stop()
    keys, key = {}, None
    for line in (prefix.path / "user.reg").read_text(errors="replace").splitlines():
        if line.startswith("["):
            key = re.sub(r"\] \d+$", "]", line)
            keys[key] = []
        elif key and line and not line.startswith("#time="):
            keys[key].append(line)
    return keys


def value(prefix, key, name):
    try:
        text = prefix.wine("reg", "query", key, "/v", name)
    except AssertionError:
        return None
    return re.search(r"REG_SZ\s+(.*)", text).group(1).strip()


def tool(prefix, *args, ok=True):
    done = prefix.tool(*args)
    assert (done.returncode == 0) == ok, done.stdout
    return done.stdout


def test_install_and_uninstall(build, fresh_prefix):
    prefix = fresh_prefix("roundtrip")
    tool(prefix, "status", ok=False)  # Wine writes a few keys of its own at its first start
    files, registry = windows_files(prefix), user_registry(prefix)
    tool(prefix, "install", "--from", build.dir)
    for width in ("x64", "x32"):
        assert digest(prefix.directory(width) / "ws2_32.dll") == digest(build.dll(width))
    assert value(prefix, OVERRIDES, "ws2_32") == "native,builtin"
    assert value(prefix, OWN, "Server") == str(build.server)
    tool(prefix, "uninstall")
    assert windows_files(prefix) == files
    assert user_registry(prefix) == registry


def test_install_twice_keeps_the_first_backup(build, fresh_prefix):
    prefix = fresh_prefix("twice")
    before = digest(prefix.system32 / "ws2_32.dll")
    tool(prefix, "install", "--from", build.dir)
    tool(prefix, "install", "--from", build.dir)
    assert digest(prefix.system32 / "ws2_32.dll.ringsock-old") == before
    tool(prefix, "uninstall")
    assert digest(prefix.system32 / "ws2_32.dll") == before
    assert value(prefix, OVERRIDES, "ws2_32") is None


def test_newer_builtin_becomes_the_backup(build, fresh_prefix):
    """wineboot -u may put Wine's own file over ours."""
    prefix = fresh_prefix("update")
    dll = prefix.system32 / "ws2_32.dll"
    old = dll.read_bytes()
    tool(prefix, "install", "--from", build.dir)
    dll.write_bytes(old + b"newer")
    tool(prefix, "install", "--from", build.dir)
    assert digest(dll) == digest(build.dll("x64"))
    tool(prefix, "uninstall")
    assert dll.read_bytes() == old + b"newer"


def test_own_override_comes_back(build, fresh_prefix):
    prefix = fresh_prefix("override")
    prefix.wine("reg", "add", OVERRIDES, "/v", "ws2_32", "/d", "builtin", "/f")
    tool(prefix, "install", "--from", build.dir)
    tool(prefix, "install", "--from", build.dir)
    assert value(prefix, OVERRIDES, "ws2_32") == "native,builtin"
    tool(prefix, "uninstall")
    assert value(prefix, OVERRIDES, "ws2_32") == "builtin"
    assert value(prefix, OWN, "Server") is None


def test_uninstall_without_install_changes_nothing(fresh_prefix):
    prefix = fresh_prefix("never")
    prefix.wine("reg", "add", OVERRIDES, "/v", "ws2_32", "/d", "builtin", "/f")
    files = windows_files(prefix)
    tool(prefix, "uninstall")
    assert windows_files(prefix) == files
    assert value(prefix, OVERRIDES, "ws2_32") == "builtin"


def test_status(build, fresh_prefix, run_wine):
    prefix = fresh_prefix("status")
    done = prefix.tool("status")
    assert done.returncode == 3 and "x64: not Ringsock's" in done.stdout, done.stdout
    tool(prefix, "install", "--from", build.dir)
    shown = tool(prefix, "status")
    for width in ("x64", "x32"):
        assert f"{width}: Ringsock {build.config['version']} in {prefix.directory(width)}" in shown
    assert f"server: {build.server}" in shown
    assert "server process: not running" in shown
    run_wine(build.exe("receive_file", "x64"), "127.0.0.1", "1", "copy", prefix=prefix, check=False,
             cwd=prefix.path, env={"RINGSOCK_SERVER_LINGER": "20"})
    pids = prefix.server_pids()
    shown = tool(prefix, "status")
    assert len(pids) == 1 and f"server process: {pids[0]}" in shown, (pids, shown)
    os.kill(pids[0], 15)


def test_refuses_what_is_no_prefix(build, fresh_prefix, tmp_path):
    prefix = fresh_prefix("refuse")
    for bad in (tmp_path, tmp_path / "none"):
        prefix.path = bad
        for action in ("install", "uninstall", "status"):
            assert "no Wine prefix" in tool(prefix, action, ok=False)
    assert not list(tmp_path.iterdir())


def test_refuses_files_that_are_not_ours(build, fresh_prefix, tmp_path):
    prefix = fresh_prefix("foreign")
    for width in ("x64", "x32"):
        (tmp_path / width).mkdir()
        shutil.copy(prefix.system32 / "ws2_32.dll", tmp_path / width)
    shutil.copy(build.server, tmp_path)
    files = windows_files(prefix)
    assert "not Ringsock's" in tool(prefix, "install", "--from", tmp_path, ok=False)
    assert windows_files(prefix) == files


def test_pure_32_bit_prefix(build, wine_widths, fresh_prefix):
    """system32 of such a prefix is for the 32-bit DLL."""
    if wine_widths["x32"]:
        pytest.skip(wine_widths["x32"])
    prefix = fresh_prefix("win32")
    shutil.rmtree(prefix.path)
    done = subprocess.run([build.wine, "wineboot", "-i"], env=prefix.env(WINEARCH="win32"),
                          timeout=180, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL)
    prefix.stop()  # and the registry is written
    registry = prefix.path / "system.reg"
    if done.returncode != 0 or "#arch=win32" not in registry.read_text(errors="replace")[:500]:
        pytest.skip("this Wine makes no pure 32-bit prefix")
    tool(prefix, "install", "--from", build.dir)
    assert digest(prefix.system32 / "ws2_32.dll") == digest(build.dll("x32"))
    tool(prefix, "uninstall")


# ---- make install, make dist ----
def make(build, *args):
    done = subprocess.run(["make", "-j2", "-C", str(build.dir), *args], timeout=300, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
    return done.stdout


def files_below(directory):
    return sorted(str(p.relative_to(directory)) for p in directory.rglob("*") if not p.is_dir())


def assert_program_uses(server, prefix, run_wine, build):
    """A refused connection is enough to see which server the DLL found."""
    result = run_wine(build.exe("receive_file", "x64"), "127.0.0.1", "1", "copy", prefix=prefix,
                      check=False, cwd=prefix.path)
    assert result.rc == 1 and "connect failed with error 10061" in result.err, str(result)
    unix_names = result.log.replace("\\\\?\\unix", "").replace("\\", "/")
    assert f"({server})" in unix_names, str(result)


@pytest.mark.host
def test_make_install(build, fresh_prefix, run_wine, tmp_path):
    make(build, "install", f"prefix={tmp_path}")
    assert files_below(tmp_path) == ["bin/ringsock", "lib/ringsock/x32/ws2_32.dll",
                                     "lib/ringsock/x64/ws2_32.dll", "libexec/ringsock-server"]
    prefix = fresh_prefix("installed")
    done = subprocess.run([str(tmp_path / "bin/ringsock"), "install", "--prefix", str(prefix.path)],
                          env=prefix.env(), timeout=120, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout
    assert_program_uses(tmp_path / "libexec/ringsock-server", prefix, run_wine, build)
    make(build, "uninstall", f"prefix={tmp_path}")
    assert not files_below(tmp_path)


@pytest.mark.host
def test_make_dist(build, fresh_prefix, run_wine, tmp_path):
    make(build, "dist")
    name = f"ringsock-{build.config['version']}"
    with tarfile.open(build.dir / f"{name}.tar.gz") as tar:
        tar.extractall(tmp_path)
    assert files_below(tmp_path) == sorted(f"{name}/{each}" for each in (
        "LICENSE", "README.md", "bin/ringsock", "bin/ringsock-server", "x32/ws2_32.dll",
        "x64/ws2_32.dll"))
    prefix = fresh_prefix("dist")
    done = subprocess.run([str(tmp_path / name / "bin/ringsock"), "install", "--prefix",
                           str(prefix.path)], env=prefix.env(), timeout=120,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout
    assert_program_uses(tmp_path / name / "bin/ringsock-server", prefix, run_wine, build)
