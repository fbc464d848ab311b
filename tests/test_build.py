# SPDX-License-Identifier: LGPL-2.1-or-later
"""The built DLL files themselves: exports, imports, version, and no mark of a Wine built-in.

Reads them with objdump; runs no Windows program."""
import re
import subprocess

import pytest

from conftest import SRC

pytestmark = pytest.mark.host
WIDTHS = ("x64", "x32")
# What the DLL may need from a prefix: nothing that could itself need ws2_32.
ALLOWED_IMPORTS = {"kernel32.dll", "ntdll.dll", "advapi32.dll", "msvcrt.dll"}


@pytest.fixture(params=WIDTHS)
def each_width(request):
    return request.param


def objdump(build, width, option):
    tool = build.config["objdump64" if width == "x64" else "objdump32"]
    return subprocess.run([tool, option, str(build.dll(width))], check=True, text=True,
                          stdout=subprocess.PIPE).stdout


def exports(text):
    """{name: ordinal} from objdump -p."""
    base = int(re.search(r"Ordinal Base\s+(\d+)", text).group(1))
    table = text.split("[Ordinal/Name Pointer] Table")[1]
    return {name: base + int(index)
            for index, name in re.findall(r"^\s*\[\s*(\d+)\](?: \+base\[\s*\d+\]\s+\w+)? (\S+)$",
                                          table, re.M)}


def spec(width):
    """{name: ordinal or '@'}; a name can be of one width only."""
    found, other = {}, "-arch=win32" if width == "x64" else "-arch=win64"
    for line in (SRC / "dlls/ws2_32/ws2_32.spec").read_text().splitlines():
        match = re.match(r"(\d+|@)\s+stdcall\s+((?:-\S+\s+)*)(\w+)\s*\(", line)
        if match and other not in match.group(2):
            found[match.group(3)] = match.group(1)
    return found


def test_exports(build, each_width):
    wanted, built = spec(each_width), exports(objdump(build, each_width, "-p"))
    assert len(spec("x64")) == 197
    assert set(built) == set(wanted)
    wrong = {name: (built[name], number) for name, number in wanted.items()
             if number != "@" and built[name] != int(number)}
    assert not wrong, f"ordinals (built, wanted): {wrong}"


def test_imports(build, each_width):
    imported = set(name.lower() for name in
                   re.findall(r"DLL Name: (\S+)", objdump(build, each_width, "-p")))
    assert imported and imported <= ALLOWED_IMPORTS, imported


def test_is_no_builtin_of_wine(build, each_width):
    data = build.dll(each_width).read_bytes()
    assert data[0x40:0x45] != b"Wine "
    assert b"Wine builtin DLL" not in data and b"Wine placeholder DLL" not in data


def test_version_resource(build, each_width):
    data = build.dll(each_width).read_bytes()
    for text in ("ProductName", "Ringsock", build.config["version"], "10.0."):
        assert text.encode("utf-16-le") in data, text
