# SPDX-License-Identifier: LGPL-2.1-or-later
"""The three systems a row is measured on: Wine with its built-in ws2_32, Wine with ours, and Linux
itself. Each Wine system owns a prefix below the build directory and its wineserver; nothing else of
the machine is touched. Output goes to files, because Wine's services inherit a pipe and keep it open.
"""

import os
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

RESULT = re.compile(r"^RESULT row=(\S+) ops=(\d+) seconds=([\d.]+) bytes_per_op=(\d+) "
                    r"checked=(\d+) tids=(\S+)(?: plain=([\d.]+))?\s*$", re.M)
PROOF = re.compile(r"ringsock: \S+ in .*, server pid \d+")
GRACE = 10.0  # seconds beyond the program's own watchdog: start and end of a Wine process
WINE = os.environ.get("WINE", "wine")
WINESERVER = os.environ.get("WINESERVER", "wineserver")


class Failure(Exception):
    """A program or a step failed; the text says which and why."""


def run(command, env, timeout, stderr=None):
    """Output and error text of a command, whatever its exit status; (text, text, status)."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=out,
                                   stderr=stderr or err, start_new_session=True)
        try:
            status = process.wait(timeout)
        except subprocess.TimeoutExpired:
            status = f"killed after {timeout:.0f} s"
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode(errors="replace").replace("\r", ""))
        return texts[0], texts[1], status


class Native:
    name, title = "native", "Linux itself"

    def __init__(self, build, arch):
        self.programs = build / "tests/bench/native"
        self.suffix = ""
        self.settings = {}  # environment variables of the programs

    def prepare(self):
        if not self.programs.is_dir():
            raise Failure(f"{self.programs} is missing; run make first")

    def close(self):
        pass

    def environment(self):
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("RINGSOCK")}
        return inherited | self.settings

    def command(self, program):
        return [str(self.programs / (program + self.suffix))]

    def measure(self, row, options, limit):
        """One run of one row: the result line as a dictionary."""
        limit += row.setup  # closing takes as long as setting up
        command = self.command(row.program) + ["--row", row.name, *row.args, *options, "--limit",
                                               str(limit), "--setup", str(row.setup)]
        out, err, status = run(command, self.environment(), row.setup + limit + GRACE)
        match = RESULT.search(out)
        if status != 0 or not match or match[1] != row.name:
            raise Failure(f"{row.name} on {self.name}: status {status}: "
                          f"{' / '.join((err or out).strip().splitlines()[-3:]) or 'no output'}")
        return {"ops": int(match[2]), "seconds": float(match[3]), "bytes_per_op": int(match[4]),
                "tids": match[6].split(","), "plain": float(match[7] or 0)}


class Builtin(Native):
    name, title = "builtin", "Wine's built-in ws2_32"
    overrides = "mscoree,mshtml=;ws2_32=b"

    def __init__(self, build, arch):
        super().__init__(build, arch)
        self.build, self.arch = build, arch
        self.programs = build / "tests/bench" / arch
        self.suffix = ".exe"
        self.prefix = build / "tests/bench" / f"prefix-{self.name}"
        self.server = None

    def environment(self):
        env = super().environment()
        env.update(WINEPREFIX=str(self.prefix), WINEDEBUG="-all", WINEDLLOVERRIDES=self.overrides)
        env.pop("DISPLAY", None)
        return env

    def command(self, program):
        return [WINE, *super().command(program)]

    def wineserver(self, *args):
        return run([WINESERVER, *args], self.environment(), 60)

    def prepare(self):
        super().prepare()
        self.prefix.parent.mkdir(parents=True, exist_ok=True)
        if not (self.prefix / "system.reg").exists():
            env = self.environment() | {"WINEDLLOVERRIDES": "mscoree,mshtml="}
            _, err, status = run(["wineboot", "-i"], env, 180)
            if status != 0:
                raise Failure(f"wineboot failed ({status}): {err[-400:]}")
            self.wineserver("-w")
        self.install()
        self.restart()
        self.prove()

    def install(self):
        pass

    def restart(self, trace=None):
        """A wineserver that stays; with `trace`, one that writes every request to that file."""
        self.wineserver("-k")
        self.wineserver("-w")
        command = [WINESERVER, "-f", "-p"] + (["-d"] if trace else [])
        self.server = subprocess.Popen(command, env=self.environment(), stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL,
                                       stderr=trace or subprocess.DEVNULL, start_new_session=True)
        # The first program in a prefix starts its services; that must not fall into a measurement.
        _, err, status = run([WINE, "cmd", "/c", "exit"],
                             self.environment(), 60)
        if status != 0:
            raise Failure(f"{self.name}: the prefix does not start ({status}): {err[-400:]}")

    def close(self):
        if self.server:
            self.wineserver("-k")
            self.server.wait(30)
            self.server = None

    def proof(self):
        """The lines by which our DLL says that it is in use."""
        env = self.environment() | {"RINGSOCK_LOG": "info", "RINGSOCK_LOG_PATH": ""}
        env.pop("RINGSOCK_LOG_PATH")
        out, err, status = run(self.command("setup") + ["--row", "proof", "--call", "socket",
                                                        "--ops", "1"], env, 30)
        if status != 0 or not RESULT.search(out):
            raise Failure(f"{self.name}: a first socket failed ({status}): {err[-400:]}")
        return [line for line in err.splitlines() if PROOF.search(line)]

    def prove(self):
        if self.proof():
            raise Failure("the prefix for the built-in runs Ringsock")


class Ours(Builtin):
    name, title = "ours", "Ringsock"
    overrides = "mscoree,mshtml=;ws2_32=n"  # no fallback: measuring the built-in here would be a lie

    def environment(self):
        env = super().environment()
        env["RINGSOCK_SERVER"] = str(self.build / "ringsock-server")
        return env

    def install(self):
        for file in (self.build / self.arch / "ws2_32.dll", self.build / "ringsock-server"):
            if not file.exists():
                raise Failure(f"{file} is missing; run make first")
        tool = Path(__file__).resolve().parents[2] / "tools/ringsock"
        _, err, status = run([str(tool), "install", "--prefix", str(self.prefix),
                              "--from", str(self.build)], super().environment(), 120)
        if status != 0:
            raise Failure(f"tools/ringsock install failed ({status}): {err[-400:]}")

    def prove(self):
        lines = self.proof()
        if not lines:
            raise Failure("Ringsock is installed, but a program does not report it")
        print(lines[0], flush=True)


def parts(system, process):
    """(part, directory below /proc) of the program and of what serves its prefix"""
    mark = f"WINEPREFIX={getattr(system, 'prefix', '')}".encode()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if entry.name == str(process.pid):
                yield "program", entry
            elif mark in (entry / "environ").read_bytes().split(b"\0"):
                name = (entry / "comm").read_text().strip()
                if name.startswith("wineserver") or name == "ringsock-server":
                    yield name.removesuffix("64").removesuffix("32"), entry
        except OSError:
            continue  # has ended, or is somebody else's


SYSTEMS = {system.name: system for system in (Builtin, Ours, Native)}


def wine_version():
    if not shutil.which(WINE):
        return "none"
    out, _, _ = run([WINE, "--version"], dict(os.environ), 30)
    return out.strip()
