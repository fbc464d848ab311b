# SPDX-License-Identifier: LGPL-2.1-or-later
"""Several programs on one server: what a ping-pong takes beside programs that move as much as they
can, and whether two programs together get more done than one. Starts the systems' programs, keeps
nothing."""

import os
import re
import signal
import statistics
import subprocess
import tempfile
import time

from systems import GRACE, RESULT, Failure

LATENCY = re.compile(r"^LATENCY median=([\d.]+) p99=([\d.]+) max=([\d.]+)", re.M)
BESIDE = (0, 1, 4)  # bulk programs
LEAD = 1.5  # seconds that those are given to begin
PAIRS = (("ping-pong 64 B, blocking, 1 conn", "1/s", "blocking", ("--size", "64")),
         ("ping-pong 64 B, completion port, 100 conn", "1/s", "port", ("--conns", "100", "--size", "64")),
         ("bulk, 64 KiB sends, 1 conn", "MB/s", "bulk", ("--size", "65536")))


class Program:
    """One that runs beside others."""

    def __init__(self, system, program, args, seconds, warmup):
        self.name, self.patience = f"{program} on {system.name}", 2 * (seconds + warmup) + 12 + GRACE
        command = system.command(program) + ["--row", program, *args, "--seconds", str(seconds),
                                             "--warmup", str(warmup), "--limit", str(self.patience)]
        self.out = tempfile.TemporaryFile()
        self.process = subprocess.Popen(command, env=system.environment(), stdin=subprocess.DEVNULL,
                                        stdout=self.out, stderr=self.out, start_new_session=True)

    def kill(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.out.close()

    def result(self):
        """(operations, or megabytes, per second; the latencies in microseconds, if any)"""
        try:
            status = self.process.wait(self.patience)
        except subprocess.TimeoutExpired:
            status = "killed"
        self.out.seek(0)
        text = self.out.read().decode(errors="replace").replace("\r", "")
        match = RESULT.search(text)
        if status != 0 or not match:
            raise Failure(f"{self.name}: status {status}: {text[-300:]}")
        rate = int(match[2]) / float(match[3])
        if match[1] == "bulk":
            rate *= int(match[4]) / 1e6
        latency = LATENCY.search(text)
        return rate, [float(number) for number in latency.groups()] if latency else []


def _together(programs):
    try:
        return [program.result() for program in programs]
    finally:
        for program in programs:
            program.kill()


def _beside(system, count, seconds):
    """The ping-pong's (rate, latencies) and the sum of the bulk programs' rates."""
    bulk = [Program(system, "bulk", ("--size", "65536"), seconds + LEAD, LEAD / 2)
            for _ in range(count)]
    try:
        time.sleep(LEAD if count else 0)
        ping = _together([Program(system, "blocking", ("--size", "64", "--latency", "1"), seconds, 0.3)])
    except Failure:
        for program in bulk:
            program.kill()
        raise
    return ping[0], sum(rate for rate, _ in _together(bulk))


def _median(rows):
    return [statistics.median(column) for column in zip(*rows)]


def _latency_lines(systems, rounds, seconds):
    found = {}
    for turn in range(rounds):
        for count in BESIDE:
            shift = (turn + count) % len(systems)
            for system in systems[shift:] + systems[:shift]:
                (rate, latency), moved = _beside(system, count, seconds)
                found.setdefault((count, system.name), []).append([*latency, rate, moved])
                print(f"round {turn + 1}/{rounds} beside {count}, {system.name}: {latency} us, "
                      f"{rate:,.0f} 1/s, bulk {moved:,.0f} MB/s", flush=True)
    yield "| beside | system | median, us | p99, us | longest, us | round trips, 1/s | bulk programs together, MB/s |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for (count, name), rows in found.items():
        median, p99, longest, rate, moved = _median(rows)
        yield (f"| {count} bulk | {name} | {median:,.0f} | {p99:,.0f} | {longest:,.0f} | {rate:,.0f} | "
               f"{f'{moved:,.0f}' if count else '-'} |")


def _pair_lines(systems, rounds, seconds):
    yield "| program | unit | system | one | two together | two / one |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for title, unit, program, args in PAIRS:
        found = {system.name: [] for system in systems}
        for _ in range(rounds):
            for system in systems:
                one, two = (sum(rate for rate, _ in _together(
                    [Program(system, program, args, seconds, 0.5) for _ in range(count)]))
                    for count in (1, 2))
                found[system.name].append((one, two, two / one))
        for name, rows in found.items():
            one, two, ratio = _median(rows)
            yield f"| {title} | {unit} | {name} | {one:,.0f} | {two:,.0f} | {ratio:.2f} |"


def run(args, head):
    lines = [*head, f"medians over {args.rounds} rounds", ""]
    lines += [*_latency_lines(args.systems, args.rounds, args.seconds), ""]
    lines += _pair_lines(args.systems, args.rounds, args.seconds)
    lines.append(f"load after it {os.getloadavg()[0]:.2f}")
    text = "\n".join(lines) + "\n"
    (args.out / "fairness.txt").write_text(text)
    print(text, flush=True)
    return 0
