# SPDX-License-Identifier: LGPL-2.1-or-later
"""docs/wsarecv.md against the tests that it names: each exists and is run, and what the table says of
Wine's DLL and of ours is what they found in this session.

RINGSOCK_UPDATE_DOCS=1 writes what was found into the table instead of comparing.
"""
import os
import re
import subprocess
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
PAGE = TESTS.parent / "docs/wsarecv.md"
CODES = """WSAECONNABORTED WSAECONNRESET WSAEDISCON WSAEFAULT WSAEINPROGRESS WSAEINTR WSAEINVAL WSAEMSGSIZE
    WSAENETDOWN WSAENETRESET WSAENOTCONN WSAENOTSOCK WSAEOPNOTSUPP WSAESHUTDOWN WSAETIMEDOUT
    WSAEWOULDBLOCK WSANOTINITIALISED WSA_IO_PENDING WSA_OPERATION_ABORTED""".split()
UPDATE = os.environ.get("RINGSOCK_UPDATE_DOCS") == "1"


class Row:
    """| sentence | tests | built-in 8.0 | built-in 10.0 | ours |"""

    def __init__(self, number, line):
        self.number = number
        self.cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        self.sentence, tests = self.cells[:2]
        # "program: test_a, test_b; other: test_c"
        self.tests = [] if tests.startswith("none: ") else [
            (part.split(":")[0].strip(), name.strip()) for part in tests.split(";") if ":" in part
            for name in part.split(":", 1)[1].split(",")]

    def __str__(self):
        return f"{PAGE.name}:{self.number}: {self.sentence[:60]}"


def rows():
    found = []
    for number, line in enumerate(PAGE.read_text().splitlines(), 1):
        if line.startswith("| ") and line.count("|") == 6 and not re.match(r"\| (sentence|---) ", line):
            found.append(Row(number, line))
    return found


def is_run(program, test):
    """A conformance program runs it by name; a driver defines it."""
    if program.endswith(".py"):
        return re.search(rf"^def {test}\(", (TESTS / program).read_text(), re.M)
    return re.search(rf"RUN\({test}\b", (TESTS / "conformance" / f"{program}.c").read_text())


def test_rows_name_tests():
    bad = [f"{row}: {program}: {test}" for row in rows() for program, test in row.tests
           if not is_run(program, test)]
    bad += [f"{row}: names no test and does not say why" for row in rows()
            if not row.tests and not row.cells[1].startswith("none: ")]
    assert not bad, "\n".join(bad)


def test_rows_have_each_code():
    text = " ".join(row.sentence for row in rows())
    assert [code for code in CODES if not re.search(rf"\b{code}\b", text)] == []


def verdict(row, target, test_counts):
    """What this session found: yes, no, or None where a test of the row was not run."""
    holds = True
    for program, test in row.tests:
        runs = [counts.get(test) for (name, _, where), counts in test_counts.items()
                if (name, where) == (program, target)]
        if not runs or None in runs:
            return None
        for counts in runs:
            if not counts["checks"] and not counts["left_out"]:
                return None
            if counts["todo"] or counts["failed"] or counts["left_out"]:
                holds = False
    return "yes" if holds else "no"


@pytest.mark.parametrize("target", ("builtin", "ours"))
def test_rows_tell_what_was_found(target, build, test_counts):
    if not any(where == target for _, _, where in test_counts):
        pytest.skip("no conformance program was run on it in this session")
    version = subprocess.run([build.wine, "--version"], stdout=subprocess.PIPE, text=True,
                             timeout=60).stdout
    major = re.search(r"wine-(\d+)", version)
    column = 4 if target == "ours" else {"8": 2, "10": 3}.get(major and major[1])
    if column is None:
        pytest.skip(f"the table has no column for {version}")
    lines = PAGE.read_text().splitlines()
    bad = []
    for row in rows():
        found = verdict(row, target, test_counts) if row.tests else None
        known = (found, "varies") if target == "builtin" else (found,)
        if found and row.cells[column] not in known:
            bad.append(f"{row}: says {row.cells[column]!r}, found {found!r}")
            row.cells[column] = found
            lines[row.number - 1] = "| " + " | ".join(row.cells) + " |"
    if UPDATE:
        PAGE.write_text("\n".join(lines) + "\n")
        return
    assert not bad, "\n".join(bad)
