# SPDX-License-Identifier: LGPL-2.1-or-later
"""node's jobs (scripts/node.js): libuv's completion port, AcceptEx, ConnectEx, zero-byte reads."""
import hashlib
from pathlib import Path

from .job import JOBS, Job, blob, connect, expect_ok

SCRIPT = Path(__file__).parent / "scripts/node.js"
NAMES = """http bulk connections keepalive ipv6 dualstack refused inuse timeout backpressure udp
    multicast dns interfaces pipe handoff cluster reset""".split()
SHORT = ("http", "bulk")


def alone(package, name):
    def run(given):
        return expect_ok(given.wine(given.fetch(package), SCRIPT, name, timeout=90))
    return run


def with_host(package):
    """Its client to a server of the host, and a client of the host to its server."""
    def run(given):
        wanted = blob(given.tmp / "blob")
        port = given.serve(given.tmp)
        result = given.wine(given.fetch(package), SCRIPT, "download", port, 20, wanted)
        said = expect_ok(result)
        server = given.start(given.fetch(package), SCRIPT, "serve")
        connection = connect(int(server.wait_for(r"port (\d+)", timeout=30)[1]))
        for i in range(200):
            connection.request("POST", "/", body=str(i).encode() * 1000)
            answer = connection.getresponse().read().decode()
            assert answer == hashlib.sha256(str(i).encode() * 1000).hexdigest(), f"answer {i}"
        connection.close()
        server.kill()
        return f"{said}; 200 requests of the host's"
    return run


for program, package, names in (("node 20", "node20-x64", [*NAMES, "fetch"]),
                                ("node 12", "node12-x64", NAMES)):
    for name in names:
        JOBS.append(Job(program, name, alone(package, name), program == "node 20" and name in SHORT))
    JOBS.append(Job(program, "host", with_host(package)))
