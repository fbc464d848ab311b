# SPDX-License-Identifier: LGPL-2.1-or-later
"""docs/windows-not-wine.md: each row says what its state is, names tests that are run, and the summary
counts the rows that there are."""
import re

from test_wsarecv_table import Row, TESTS, is_run

PAGE = TESTS.parent / "docs/windows-not-wine.md"
STATES = ("fixed", "explained", "left")
KINDS = {"U": "U, S, U/S", "S": "U, S, U/S", "U/S": "U, S, U/S", "K": "K", "-": "-",
         "afd": "AFD's control codes"}


def cells(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def rows():
    """(number, kind, state, the tests as a Row) of each."""
    for number, line in enumerate(PAGE.read_text().splitlines(), 1):
        if re.match(r"\| \d", line):
            _, kind, what, state, tests = cells(line)
            yield number, KINDS[kind], state.split(":")[0], Row(number, f"| {what} | {tests} |")


def test_rows_name_tests():
    bad = [f"{number}: no such state: {state}" for number, _, state, _ in rows()
           if state not in STATES]
    bad += [f"{number}: {program}: {test}" for number, _, _, row in rows()
            for program, test in row.tests if not is_run(program, test)]
    bad += [f"{number}: names no test and does not say why" for number, _, _, row in rows()
            if not row.tests and not row.cells[1].startswith("none: ")]
    assert not bad, "\n".join(bad)


def test_summary():
    found = {}
    for _, kind, state, _ in rows():
        found.setdefault(kind, []).append(state)
    told = {cells(line)[0]: [int(cell) for cell in cells(line)[1:]]
            for line in PAGE.read_text().splitlines() if line.startswith("| ") and
            cells(line)[0] in found and len(cells(line)) == 5 and cells(line)[1].isdigit()}
    assert told == {kind: [len(states), *(states.count(state) for state in STATES)]
                    for kind, states in found.items()}
