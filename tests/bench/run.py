#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""make bench: runs the benchmark programs against Wine's built-in ws2_32, ours and native Linux,
interleaved in rounds, and writes the table, the samples and the plot.

Owns the output directory (default BUILD/tests/bench/results) and, through systems.py, two Wine
prefixes below the build directory."""

import argparse
import os
import platform
import re
import resource
import sys
import time
from datetime import datetime, timezone
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import fairness  # noqa: E402
import handle_cost  # noqa: E402
import memory  # noqa: E402
import programs  # noqa: E402
import report  # noqa: E402
import request_count  # noqa: E402
from rows import ROWS  # noqa: E402
from systems import SYSTEMS, Failure, wine_version  # noqa: E402


def arguments():
    parser = argparse.ArgumentParser(prog="run.py", description=__doc__.split("\n\n")[0])
    parser.add_argument("--build", type=Path, required=True, help="the build directory")
    parser.add_argument("--out", type=Path, help="where the results go")
    parser.add_argument("--arch", choices=("x64", "x32"), default="x64")
    parser.add_argument("--systems", default="builtin,ours,native", help="comma separated")
    parser.add_argument("--rows", default="", help="only rows whose name matches this expression")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.5, help="measured time per sample")
    parser.add_argument("--quick", action="store_true", help="2 short rounds, under three minutes")
    parser.add_argument("--limit", type=float, default=12.0, help="longest life of one program, s")
    parser.add_argument("--check", action="store_true", help="fail if a target is not reached")
    parser.add_argument("--requests", action="store_true",
                        help="count wineserver requests per operation instead")
    parser.add_argument("--handles", action="store_true",
                        help="what the calls that are taken over cost on handles of other things")
    parser.add_argument("--memory", type=int, metavar="N", nargs="?", const=8000,
                        help="what an idle socket costs, from so many of them")
    parser.add_argument("--programs", action="store_true",
                        help="requests per second of unmodified HTTP servers instead")
    parser.add_argument("--fairness", action="store_true",
                        help="what programs take from each other on one server")
    parser.add_argument("--kernel", action="store_true",
                        help="ours with RINGSOCK_SHORTCUT=0: as with peers that are not Ringsock's")
    parser.add_argument("--one-worker", action="store_true",
                        help="ours with RINGSOCK_WORKERS=0: one thread of the server for all programs")
    parser.add_argument("--list", action="store_true", help="list the rows")
    args = parser.parse_args()
    args.build = args.build.resolve()
    args.out = (args.out or args.build / "tests/bench/results").resolve()
    args.warmup = 0.3
    if args.handles:
        args.systems = "builtin,ours"
    if args.quick:
        args.rounds, args.seconds, args.warmup = 2, 0.5, 0.1
    args.pattern = args.rows
    args.calls = [call for call in handle_cost.CALLS if re.search(args.rows, call)]
    args.rows = [row for row in ROWS if re.search(args.rows, row.name)]
    names = args.systems.split(",")
    if unknown := set(names) - set(SYSTEMS):
        parser.error(f"no such system: {', '.join(unknown)}")
    chosen = args.calls if args.handles else args.programs or args.rows
    if not chosen or args.rounds < 1:
        parser.error("nothing to do")
    args.systems = [SYSTEMS[name](args.build, args.arch) for name in SYSTEMS if name in names]
    for system in args.systems:
        if args.kernel:
            system.settings["RINGSOCK_SHORTCUT"] = "0"
        if args.one_worker:
            system.settings["RINGSOCK_WORKERS"] = "0"
    return args


def affordable(rows):
    """The rows for which there are descriptors enough. wineserver and all others that are started from
    here inherit the limit: it is raised as far as needed, beyond the hard one where that is allowed."""
    needed = max(row.files for row in rows)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < needed:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (needed, needed))
            return rows
        except (ValueError, PermissionError):
            pass
    soft = min(hard, max(soft, needed))
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    for row in rows:
        if row.files > soft:
            print(f"left out, {row.files} descriptors are needed and {soft} allowed: {row.title}")
    return [row for row in rows if row.files <= soft]


def machine(args):
    model = re.search(r"^model name\s*:\s*(.*)$", Path("/proc/cpuinfo").read_text(), re.M)
    return [
        f"machine: {os.cpu_count()} x {model[1] if model else platform.machine()}, "
        f"Linux {platform.release()}, {wine_version()}, programs {args.arch}",
        f"method: {args.rounds} rounds, {args.seconds:g} s per sample after {args.warmup:g} s "
        f"warm-up, systems interleaved, {datetime.now(timezone.utc):%Y-%m-%d %H:%M} UTC, "
        f"load before the first round {os.getloadavg()[0]:.2f}",
    ]


def measure(args):
    """({row: {system: [value or None per round]}}, [sample lines], [failures])"""
    options = ["--seconds", str(args.seconds), "--warmup", str(args.warmup)]
    values = {row.name: {system.name: [] for system in args.systems} for row in args.rows}
    samples, failures = [], []
    for turn in range(args.rounds):
        for index, row in enumerate(args.rows):
            shift = (turn + index) % len(args.systems)  # nobody always comes first
            for system in args.systems[shift:] + args.systems[:shift]:
                if not row.runs_on(system.name):
                    values[row.name][system.name].append(None)
                    continue
                try:
                    result = system.measure(row, options, args.limit)
                except Failure as failure:
                    values[row.name][system.name].append(None)
                    failures.append(str(failure))
                    print(failure, file=sys.stderr, flush=True)
                    continue
                value = row.value(result)
                values[row.name][system.name].append(value)
                samples.append([turn + 1, row.name, system.name, result["ops"],
                                result["seconds"], value, row.unit])
            print(f"round {turn + 1}/{args.rounds} {row.title}: " + ", ".join(
                f"{name} {report.number(v[-1])}"
                for name, v in values[row.name].items()) + f" {row.unit}", flush=True)
    return values, samples, failures


def bench(args):
    head = machine(args)
    print("\n".join(head), flush=True)
    started = time.monotonic()
    values, samples, failures = measure(args)
    names = [system.name for system in args.systems]
    summaries = [report.Summary(row, values[row.name]) for row in args.rows]
    head.append(f"took {time.monotonic() - started:.0f} s; load after it {os.getloadavg()[0]:.2f}")
    table = report.text_table(summaries, names)
    text = "\n".join(head) + "\n\n" + table
    if failures:
        text += "\nfailures:\n" + "\n".join(failures) + "\n"
    (args.out / "table.txt").write_text(text)
    (args.out / "table.md").write_text(report.markdown_table(summaries, names))
    report.write_csv(args.out / "table.csv", summaries, names)
    report.write_samples(args.out / "samples.csv", samples)
    images = [plot(args.out, summaries, names, head[0].replace("'", ""))
              for plot in (report.plot, report.plot_connections)]
    print("\n" + text + f"\nwritten: {args.out}/table.txt, table.md, table.csv, samples.csv"
          + "".join(f", {image.name}" for image in images if image), flush=True)
    missed = [s.row.title for s in summaries if s.row.target and s.verdict != "yes"]
    if missed and "ours" in names:
        print("targets not reached: " + "; ".join(missed), flush=True)
    return 1 if failures or (args.check and missed) else 0


def count_requests(args):
    wine = [system for system in args.systems if system.name != "native"]
    table = request_count.count(wine, args.rows, 5 * args.limit)  # tracing is slow
    text = request_count.text(table, args.rows, wine)
    (args.out / "requests.txt").write_text(text)
    print(text + f"\nwritten: {args.out}/requests.txt", flush=True)
    wanted = sum(row.runs_on(system.name) for row in args.rows for system in wine)
    return 0 if len(table) == wanted else 1


def main():
    args = arguments()
    if args.list:
        print("\n".join(f"{row.name:12} {row.title}" for row in args.rows))
        return 0
    args.out.mkdir(parents=True, exist_ok=True)
    if args.rows and not args.programs:
        args.rows = affordable(args.rows)
    try:
        for system in args.systems:
            system.prepare()
        if args.handles:
            return handle_cost.run(args, args.systems, machine(args))
        if args.programs:
            return programs.run(args, machine(args))
        if args.fairness:
            return fairness.run(args, machine(args))
        if args.memory:
            return memory.run(args.systems, args.memory, args.out)
        return count_requests(args) if args.requests else bench(args)
    except Failure as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return 1
    finally:
        for system in args.systems:
            system.close()


if __name__ == "__main__":
    sys.exit(main())
