#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs Wine's Winsock tests, each several times on the built-in and on ours, and writes what they
said as JSON.  Owns the two prefixes below the output directory.  Started by tools/check-wine inside
the network of network.py, and, for another Debian's Wine, inside its tree.

The output file is a list of runs: {"test", "width", "target", "round", "end", "seconds", "checks",
"todo", "skipped", "failed", "succeeded_in_todo", "marked_todo"}.  The last three are lists of
[file:line, times, the first message].  "end" is "done", or how the program ended without its closing
line: "crash (exit code N)", "hang (S s)"."""

import argparse
import json
import re
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from conftest import Build, Prefix, Running  # noqa: E402

# "sock.c:569:0.123 Test failed: text"; lines of two threads may share one line of output.
LINE = re.compile(r"\b(\w+\.c:\d+):[\d.]* Test (failed|succeeded inside (?:flaky )?todo block|"
                  r"marked todo)(?:: ([^\n]*))?")
CLOSING = re.compile(r"^[0-9a-f]{4}:(\w+):[\d.]* (\d+) tests executed \((\d+) marked as todo, "
                     r".*?(\d+) failures?\), (\d+) skipped", re.M)
LISTS = {"failed": "failed", "succeeded inside todo block": "succeeded_in_todo",
         "succeeded inside flaky todo block": "succeeded_in_todo", "marked todo": "marked_todo"}


def read_output(test, text):
    """What one program said: the lists, and the closing line's numbers if it is there."""
    found = {name: {} for name in set(LISTS.values())}
    for place, what, message in LINE.findall(text):
        entry = found[LISTS[what]].setdefault(place, [place, 0, message.strip()])
        entry[1] += 1
    said = {name: list(entries.values()) for name, entries in found.items()}
    # The last one: programs that the test starts have closing lines of their own.
    closing = [match for match in CLOSING.findall(text) if match[0] == test]
    said["checks"], said["todo"], said["skipped"] = (
        (int(closing[-1][1]), int(closing[-1][2]), int(closing[-1][4])) if closing else (0, 0, 0))
    return said, bool(closing)


def run_once(prefix, build, exe, test, directory, limit, interactive):
    env = prefix.env(WINETEST_DEBUG="1", WINETEST_INTERACTIVE="01"[interactive], RINGSOCK_LOG="warn", RINGSOCK_LOG_PATH=str(directory))
    started = time.monotonic()
    running = Running(prefix, [build.wine, str(exe), test], env, directory, None, None)
    try:
        code = running.proc.wait(limit)
        end = "done"
    except Exception:  # subprocess.TimeoutExpired
        running.kill()
        code, end = None, f"hang ({limit:.0f} s)"
    said, closed = read_output(test, running.out)
    if code is not None and not closed:
        end = f"crash (exit code {code})"
    return {"end": end, "seconds": round(time.monotonic() - started, 1), **said}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--programs", type=Path, required=True, help="holds x64/ and x32/")
    parser.add_argument("--out", type=Path, required=True, help="a directory")
    parser.add_argument("--widths", default="x64,x32")
    parser.add_argument("--tests", default="sock,protocol,afd")
    parser.add_argument("--targets", default="builtin,ours")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--limit", type=float, default=300)
    parser.add_argument("--interactive", action="store_true")
    args = parser.parse_args()
    build, args.out = Build(args.build), args.out.resolve()
    args.out.mkdir(parents=True, exist_ok=True)
    prefixes = {}
    results = []
    try:
        for target in args.targets.split(","):
            prefixes[target] = Prefix(build, args.out / "prefix" / target, target).create().keep_alive()
            if target == "ours":
                prefixes[target].install()
        for turn in range(1, args.runs + 1):
            for width in args.widths.split(","):
                for test in args.tests.split(","):
                    for target, prefix in prefixes.items():
                        directory = args.out / "logs" / f"{width}-{test}-{target}-{turn}"
                        result = run_once(prefix, build, args.programs / width / f"{test}.exe", test,
                                          directory, args.limit, args.interactive)
                        results.append({"test": test, "width": width, "target": target,
                                        "round": turn, **result})
                        failures = sum(entry[1] for entry in result["failed"])
                        print(f"run {turn} {width} {test} on {target}: {result['checks']} checks, "
                              f"{failures} failures, {result['end']}, {result['seconds']} s",
                              flush=True)
                        (args.out / "runs.json").write_text(json.dumps(results, indent=1) + "\n")
    finally:
        for prefix in prefixes.values():
            prefix.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
