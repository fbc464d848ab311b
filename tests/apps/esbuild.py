# SPDX-License-Identifier: LGPL-2.1-or-later
"""Drives `esbuild --serve` (a Go program) with a host-side HTTP client.

    python3 tests/apps/esbuild.py PORT DIRECTORY [KEEP_ALIVE FRESH]

expects esbuild to serve the files of DIRECTORY, which make_files() wrote.  Owns nothing.
"""
import http.client
import random
import sys
import threading
import time
from pathlib import Path

SIZES = (0, 1, 1000, 40_000, 300_000)
CONNECTIONS = 4


def make_files(directory):
    """{name: content}, the same in every run."""
    source = random.Random(2)
    files = {f"f{size}.bin": source.randbytes(size) for size in SIZES}
    for name, content in files.items():
        (Path(directory) / name).write_bytes(content)
    return files


def get(connection, name, content, close=False):
    connection.request("GET", f"/{name}", headers={"Connection": "close"} if close else {})
    response = connection.getresponse()
    body = response.read()
    if response.status != 200 or body != content:
        raise AssertionError(f"{name}: status {response.status}, {len(body)} bytes, "
                             f"{'equal' if body == content else 'not equal'}")
    if not close and response.will_close:
        raise AssertionError(f"{name}: the connection was not kept alive")
    return len(body)


def keep_alive(port, files, count, totals, errors):
    """One connection, many requests."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.connect()
        sock = connection.sock
        names = sorted(files)
        for i in range(count):
            totals.append(get(connection, names[i % len(names)], files[names[i % len(names)]]))
            if connection.sock is not sock:
                raise AssertionError("the client had to connect anew")
    except Exception as error:  # a thread's exception would be lost
        errors.append(error)
    finally:
        connection.close()


def drive(port, files, requests=1000, fresh=200):
    """Returns a line that says what was done; raises if anything was not equal."""
    start, totals, errors = time.monotonic(), [], []
    threads = [threading.Thread(target=keep_alive, args=(port, files, requests // CONNECTIONS,
                                                         totals, errors), daemon=True)
               for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    names = sorted(files)
    for i in range(fresh):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        totals.append(get(connection, names[i % len(names)], files[names[i % len(names)]], True))
        connection.close()
    seconds = time.monotonic() - start
    return (f"{len(totals) - fresh} keep-alive requests on {CONNECTIONS} connections and {fresh} "
            f"fresh connections, {sum(totals)} bytes, all equal, {seconds:.1f} s")


if __name__ == "__main__":
    here = Path(sys.argv[2])
    served = {f"f{size}.bin": (here / f"f{size}.bin").read_bytes() for size in SIZES}
    print(drive(int(sys.argv[1]), served, *map(int, sys.argv[3:5])))
