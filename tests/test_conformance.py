# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs each program of tests/conformance on the built-in and on ours, in both widths.

The program's exit code is its number of failures; its last line says how many checks it made.  What
Wine's own DLL gets wrong stands as todo_wine in the program, so that a failure is a failure on
either.
"""
import re
from pathlib import Path

import pytest

PROGRAMS = sorted(p.stem for p in (Path(__file__).parent / "conformance").glob("*.c"))
SUMMARY = re.compile(r"^(?P<name>\w+): (?P<tests>\d+) tests executed \((?P<todo>\d+) marked as todo,"
                     r" (?P<failures>\d+) (?:as )?failures?\), (?P<skipped>\d+) skipped\.$")

# RUN() of ringsock_test.h
COUNTED = re.compile(r"^\w+: (?P<test>test_\w+): (?P<checks>\d+) checks, (?P<todo>\d+) todo, "
                     r"(?P<failed>\d+) failed, (?P<skipped>\d+) skipped, (?P<left_out>\d+) left out$")


def count_tests(result):
    """{test function: {what: how many}}, of all its runs together."""
    counts = {}
    for line in result.out.splitlines():
        if found := COUNTED.match(line):
            of_test = counts.setdefault(found["test"], {})
            for what, number in found.groupdict().items():
                if what != "test":
                    of_test[what] = of_test.get(what, 0) + int(number)
    return counts


def summary(result):
    lines = [line for line in result.out.splitlines() if line.strip()]
    found = SUMMARY.match(lines[-1]) if lines else None
    assert found, f"no summary line: {result}"
    return found


@pytest.mark.parametrize("program", PROGRAMS)
def test_conformance(program, width, target, prefix, build, run_wine, test_counts):
    result = run_wine(build.exe(program, width), prefix=prefix, timeout=180, check=False,
                      env={"RINGSOCK_TEST_TIMEOUT": "150"})
    test_counts[program, width, target] = count_tests(result)
    found = summary(result)
    assert int(found["failures"]) == 0 and result.rc == 0, str(result)
    assert int(found["tests"]) > 0, f"nothing was checked: {result}"
    if target == "ours":
        assert "ringsock: " in result.log, f"ours was not in use: {result}"


@pytest.mark.parametrize("program", ("duplicate_socket", "standard_handle"))
def test_child_of_the_other_width(program, width, target, prefix, build, run_wine, wine_widths):
    """Programs of both widths at once on one server, which hand each other their sockets."""
    other = "x32" if width == "x64" else "x64"
    if wine_widths[other]:
        pytest.skip(wine_widths[other])
    child = "Z:" + str(build.exe(program, other)).replace("/", "\\")
    result = run_wine(build.exe(program, width), prefix=prefix, timeout=180, check=False,
                      env={"RINGSOCK_TEST_TIMEOUT": "150", "RINGSOCK_TEST_CHILD": child})
    assert int(summary(result)["failures"]) == 0 and result.rc == 0, str(result)
