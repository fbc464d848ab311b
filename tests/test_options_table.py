# SPDX-License-Identifier: LGPL-2.1-or-later
"""docs/options.md names every option and control of the DLL, and only tests that exist."""
import re


def rows(build):
    """The names of a row, and its test."""
    table = (build.src / "docs/options.md").read_text()
    for line in re.findall(r"^\| (.*) \|$", table, re.M):
        cells = [cell.strip() for cell in line.split("|")]
        names = re.findall(r"\b[A-Z][A-Z0-9_]+[A-Z0-9a-z]\b", cells[0])
        if names:
            yield names, cells[-1]


def plain(name):
    """As a header has it: this project's own names for what mingw-w64 lacks are OPTION_, IOCTL_."""
    return re.sub(r"^(OPTION|IOCTL)_", "", name)


def test_named(build):
    documented = {name for names, _ in rows(build) for name in names}
    code = {path: (build.src / "dlls/ws2_32" / path).read_text()
            for path in ("option_table.c", "ioctl.c")}
    used = re.findall(r"^    \{(?:SOL_SOCKET|LEVEL_\w+), (\w+),", code["option_table.c"], re.M)
    used += re.findall(r"^    \{((?:IOCTL|SIO|FIO)\w+), \w+\},", code["ioctl.c"], re.M)
    assert len(used) > 100
    for name in map(plain, used):
        assert any(name == known or known.endswith("_" + name) for known in documented), name


def test_shown(build):
    for names, shown in rows(build):
        if ":" not in shown:
            continue
        program, function = shown.split(":")
        python = program.endswith(".py")
        where, begin = ("", "def") if python else ("conformance/", "static (?:void|BOOL)")
        source = (build.src / f"tests/{where}{program}{'' if python else '.c'}").read_text()
        assert re.search(rf"^{begin} {function}\(", source, re.M), f"{names[0]}: {shown}"
