# SPDX-License-Identifier: LGPL-2.1-or-later
"""Wine's source as Debian's source package, and its Winsock tests as Windows programs.  Owns
CACHE/wine-source: a private apt configuration and one directory a version with the few files that
are needed.  The machine's own apt configuration stays as it is; apt verifies the signature of the
suite and, by it, each file."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
MIRROR = os.environ.get("RINGSOCK_MIRROR", "http://deb.debian.org/debian")
KEEP = ("dlls/ws2_32/tests", "include/wine")
TESTS = ("sock", "protocol", "afd")
FLAGS = ("-std=gnu11", "-O1", "-g", "-w", "-static", "-DSTANDALONE", "-D__WINESRC__",
         "-D_WIN32_WINNT=0x0A00")
LIBS = ("-lws2_32", "-liphlpapi", "-luser32", "-lntdll", "-luuid")


class Failure(Exception):
    """The text says what cannot be had."""


def run(command, what, **options):
    done = subprocess.run(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode:
        raise Failure(f"{what}: exit code {done.returncode}\n{done.stdout[-4000:]}")
    return done.stdout


def installed(root):
    """(suite, version of the source package) of the Wine installed below root."""
    release = dict(line.split("=", 1) for line in (root / "etc/os-release").read_text().splitlines()
                   if "=" in line)
    version = run(["dpkg-query", f"--admindir={root}/var/lib/dpkg", "-W", "-f",
                   "${source:Version}", "wine"], "no Debian package wine is installed")
    return release["VERSION_CODENAME"].strip('"'), version


def apt(directory, suite):
    """apt-get with sources, lists and cache of its own."""
    for each in ("lists/partial", "cache/archives/partial"):
        (directory / each).mkdir(parents=True, exist_ok=True)
    (directory / "sources.list").write_text(
        f"deb-src [signed-by={KEYRING}] {MIRROR} {suite} main\n")
    settings = {
        "Dir::Etc::SourceList": directory / "sources.list", "Dir::Etc::SourceParts": "-",
        "Dir::Etc::Preferences": "-", "Dir::Etc::PreferencesParts": "-",
        "Dir::State::Lists": directory / "lists", "Dir::Cache": directory / "cache",
        "Acquire::Languages": "none", "APT::Sandbox::User": "root",
    }
    return ["apt-get", "-q"] + [word for key, value in settings.items()
                                for word in ("-o", f"{key}={value}")]


def fetch(cache, suite, version):
    """The directory with the files of KEEP of that version."""
    wanted = cache / "wine-source" / version
    if wanted.is_dir():
        return wanted
    print(f"fetching the source package wine {version} of {suite}", flush=True)
    command = apt(cache / "wine-source/apt" / suite, suite)
    run([*command, "update"], "apt-get update")
    with tempfile.TemporaryDirectory(dir=cache / "wine-source", prefix="new-") as directory:
        run([*command, "source", f"wine={version}"], "apt-get source", cwd=directory)
        tree, = [each for each in Path(directory).iterdir() if each.is_dir()]
        part = Path(directory) / "part"
        for each in KEEP:
            shutil.copytree(tree / each, part / each)
        part.rename(wanted)
    return wanted


def build(source, compilers, directory):
    """Each test as DIRECTORY/WIDTH/TEST.exe, by mingw-w64's headers plus include/wine."""
    include = source / "only-wine"  # a search path with include/wine and not the rest of include
    include.mkdir(exist_ok=True)
    if not (include / "wine").exists():
        (include / "wine").symlink_to("../include/wine")
    for width, compiler in compilers.items():
        (directory / width).mkdir(parents=True, exist_ok=True)
        for test in TESTS:
            files = [source / "dlls/ws2_32/tests" / f"{test}.c", HERE / "compat.c"]
            exe = directory / width / f"{test}.exe"
            newest = max(path.stat().st_mtime for path in [*files, HERE / "compat.h"])
            if not exe.exists() or exe.stat().st_mtime < newest:
                run([compiler, *FLAGS, "-I", include, "-include", HERE / "compat.h", "-o", exe,
                     *files, *LIBS], f"building {test} for {width}")
    return directory
