# SPDX-License-Identifier: LGPL-2.1-or-later
"""configure and what it builds: missing tools are named, and the DLL needs nothing unexpected.

Runs no Windows program."""
import os
import re
import subprocess

import pytest

from conftest import SRC

pytestmark = pytest.mark.host
# What the DLL may need from a prefix: nothing that could itself need ws2_32.
ALLOWED_IMPORTS = {"kernel32.dll", "ntdll.dll", "advapi32.dll", "msvcrt.dll"}


@pytest.mark.parametrize("bits", ["64", "32"])
def test_imports(bits, build):
    text = subprocess.run([build.config[f"objdump{bits}"], "-p", str(build.dll(f"x{bits}"))],
                          check=True, text=True, stdout=subprocess.PIPE).stdout
    imported = {name.lower() for name in re.findall(r"DLL Name: (\S+)", text)}
    assert imported and imported <= ALLOWED_IMPORTS, imported


def test_configure_names_what_is_missing(tmp_path):
    """All at once, each with its Debian package: a PATH without three of the tools."""
    hidden = {"x86_64-w64-mingw32-gcc": "gcc-mingw-w64-x86-64", "winebuild": "wine64-tools",
              "i686-w64-mingw32-windres": "binutils-mingw-w64-i686"}
    tools = tmp_path / "bin"
    tools.mkdir()
    for directory in ("/usr/bin", "/bin"):
        for name in os.listdir(directory):
            if name.removesuffix("-stable") not in hidden and not (tools / name).is_symlink():
                (tools / name).symlink_to(os.path.join(directory, name))
    done = subprocess.run([str(SRC / "configure")], cwd=tmp_path, env={"PATH": str(tools)},
                          timeout=120, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    assert done.returncode != 0
    error = done.stdout.split("error: missing tools:")[1]
    for name, package in hidden.items():
        assert name in error and f"Debian package: {package}\n" in error, error
    assert len(error.strip().splitlines()) == len(hidden), error
    assert not (tmp_path / "Makefile").exists()
