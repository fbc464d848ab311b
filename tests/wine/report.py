# SPDX-License-Identifier: LGPL-2.1-or-later
"""What several runs of Wine's tests say about ours.  Owns no files but those it is told to write.

A *line* is file:line of a check in Wine's source; a check in a loop or in a function that several
tests call is one line.

  fails on ours only    it failed in at least one run on ours and in no run on the built-in
  succeeded in todo     marked todo_wine, and held on ours in at least one run
  still todo            marked todo_wine, and did not hold on ours in at least one run
  mended                succeeded in todo, and never still todo

A run that did not come to its closing line (crash, hang) is a failure of its own; the lines behind
that point are in no list."""

import json

JUDGED = ("sock", "protocol")  # afd sends control codes to socket handles: told, not judged


def merge(runs, name):
    """{place: [times, message]} over several runs."""
    merged = {}
    for run in runs:
        for place, times, message in run[name]:
            entry = merged.setdefault(place, [0, message])
            entry[0] += times
    return merged


def by_line(place):
    file, line = place.split(":")
    return file, int(line)


def compare(runs):
    """One row for each test and width."""
    rows = []
    for key in sorted({(run["test"], run["width"]) for run in runs}, key=lambda k: (k[1], k[0])):
        mine = [run for run in runs if (run["test"], run["width"]) == key]
        sides = {target: [run for run in mine if run["target"] == target]
                 for target in ("builtin", "ours")}
        row = {"test": key[0], "width": key[1]}
        for target, side in sides.items():
            row[target] = {
                "runs": len(side), "checks": [run["checks"] for run in side],
                "failed_checks": [sum(entry[1] for entry in run["failed"]) for run in side],
                "ends": [run["end"] for run in side if run["end"] != "done"],
                "seconds": [run["seconds"] for run in side],
            }
        theirs, ours = merge(sides["builtin"], "failed"), merge(sides["ours"], "failed")
        held, todo = merge(sides["ours"], "succeeded_in_todo"), merge(sides["ours"], "marked_todo")
        row["only_ours"] = {place: ours[place] for place in sorted(ours, key=by_line)
                            if place not in theirs}
        row["both"] = sorted(set(ours) & set(theirs), key=by_line)
        row["only_builtin"] = sorted(set(theirs) - set(ours), key=by_line)
        row["succeeded_in_todo"] = sorted(held, key=by_line)
        row["still_todo"] = sorted(todo, key=by_line)
        row["mended"] = sorted(set(held) - set(todo), key=by_line)
        rows.append(row)
    return rows


def passed(row):
    return not row["only_ours"] and not row["ours"]["ends"]


def numbers(values):
    return "/".join(map(str, values)) or "-"


def text(rows):
    out = []
    for row in rows:
        judged = "" if row["test"] in JUDGED else " (told, not judged)"
        out.append(f"{row['test']} {row['width']}{judged}")
        for target in ("builtin", "ours"):
            side = row[target]
            out.append(f"  {target:8} checks {numbers(side['checks'])}, failed "
                       f"{numbers(side['failed_checks'])}" +
                       "".join(f"; {end}" for end in side["ends"]))
        out.append(f"  marked todo: {len(row['succeeded_in_todo'])} lines succeeded on ours "
                   f"({len(row['mended'])} wholly), {len(row['still_todo'])} did not")
        out.append(f"  fail on both: {len(row['both'])} lines; on the built-in only: "
                   f"{len(row['only_builtin'])}; on ours only: {len(row['only_ours'])}")
        out += [f"    {place} ({times} times): {message}"
                for place, (times, message) in row["only_ours"].items()]
    return "\n".join(out) + "\n"


def write(runs, directory):
    """Writes and prints the report; whether everything judged is well."""
    rows = compare(runs)
    (directory / "report.json").write_text(json.dumps(rows, indent=1) + "\n")
    (directory / "report.txt").write_text(text(rows))
    print("\n" + text(rows), end="")
    return all(passed(row) for row in rows if row["test"] in JUDGED)
