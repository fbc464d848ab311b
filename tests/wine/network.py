#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs a command in a network name space of its own, with one neighbour, who is the default route,
the DNS server and a host that accepts connections:

    network.py [--root TREE] [--restless] [--ipv4] -- COMMAND...

Owns the name spaces (network, mounts, processes), which end with the command, whatever it left
running.  Needs root and the command ip.  --root: a tree whose /etc gets the same names (chroot).

The command sees lo and wire0 with IPv4 and global IPv6 addresses, the neighbour's resolver in
/etc/resolv.conf, and its own host name in /etc/hosts.  What is sent to an address that is not the
neighbour's is answered by nobody, as behind a default route.  --restless: an address comes and goes
every few seconds, for tests that ask somebody to change one.  --ipv4: no global IPv6 address."""

import argparse
import ipaddress
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import dns  # noqa: E402
from dns import A, AAAA, CNAME, PTR  # noqa: E402

US4, PEER4 = "198.51.100.2", "198.51.100.1"  # TEST-NET-2; Wine's tests use TEST-NET-1 as unreachable
COMING_AND_GOING, PERIOD = "198.51.100.77/32", 2
US6, PEER6 = "2001:db8:77::2", "2001:db8:77::1"
PORTS = (80, 443)
NAMES = {  # that Wine's tests ask for
    "winehq.org": {A: PEER4},
    "www.winehq.org": {A: PEER4},
    # as late as from elsewhere: they look at what a query does before its answer
    "test.winehq.org": dns.Late(0.01, {A: PEER4}),
    "source.winehq.org": {CNAME: "www.winehq.org"},
    "xn--zckzah.winehq.org": {A: PEER4},
    "www.kernel.org": {A: PEER4, AAAA: PEER6},
    ipaddress.ip_address(PEER4).reverse_pointer: {PTR: "www.winehq.org"},
    ipaddress.ip_address(PEER6).reverse_pointer: {PTR: "www.kernel.org"},
}


def ip(*words):
    subprocess.run(["ip", *words], check=True)


def set_up_wire(address4, address6):
    ip("link", "set", "lo", "up")
    ip("addr", "add", f"{address4}/24", "dev", "wire0")
    # An address whose uniqueness is still being checked cannot be bound.
    Path("/proc/sys/net/ipv6/conf/wire0/accept_dad").write_text("0")
    ip("-6", "addr", "add", f"{address6}/64", "dev", "wire0")
    ip("link", "set", "wire0", "up")


def accept_for_ever(listener):
    """Each connection is kept until the other side closes it."""
    def serve(connection):
        with connection:
            try:
                while connection.recv(65536):
                    pass
            except OSError:
                pass

    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection,), daemon=True).start()


def peer():
    """The neighbour, until its standard input ends."""
    print("there", flush=True)
    sys.stdin.readline()  # the wire is laid
    set_up_wire(PEER4, PEER6)
    serving = []
    for address in (PEER4, PEER6):
        serving += dns.serve(address, NAMES)
    for port in PORTS:
        listener = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True,
                                        backlog=64)
        serving.append(threading.Thread(target=accept_for_ever, args=(listener,), daemon=True))
        serving[-1].start()
    print("ready", flush=True)
    sys.stdin.read()


def start_peer():
    process = subprocess.Popen(["unshare", "--net", "--", sys.executable, __file__, "--peer"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    if process.stdout.readline() != "there\n":
        raise SystemExit("network: the neighbour does not start")
    ip("link", "add", "wire0", "type", "veth", "peer", "name", "wire0", "netns", str(process.pid))
    process.stdin.write("laid\n")
    process.stdin.flush()
    set_up_wire(US4, US6)
    ip("route", "add", "default", "via", PEER4)
    ip("-6", "route", "add", "default", "via", PEER6)
    if process.stdout.readline() != "ready\n":
        raise SystemExit("network: the neighbour does not get ready")
    return process


def mount_names(directory, roots):
    """Our resolver and host names over the files of each root, in this mount name space only."""
    name = socket.gethostname()
    texts = {
        "resolv.conf": f"nameserver {PEER4}\noptions timeout:2 attempts:2\n",
        "hosts": f"127.0.0.1 localhost\n::1 localhost ip6-localhost\n{US4} {name}\n{US6} {name}\n",
    }
    for file, text in texts.items():
        (directory / file).write_text(text)
        for root in roots:
            there = root / "etc" / file
            if not there.exists():
                there.touch()
            subprocess.run(["mount", "--bind", directory / file, there.resolve()], check=True)


def change_addresses():
    while True:
        for what in ("add", "del"):
            ip("addr", what, COMING_AND_GOING, "dev", "wire0")
            time.sleep(PERIOD)


def inside(roots, restless, ipv4, command):
    """Process 1 of the new name spaces."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=1777", "tmpfs", "/dev/shm"], check=True)
    neighbour = start_peer()
    directory = Path(tempfile.mkdtemp(prefix="ringsock-net-"))
    try:
        mount_names(directory, [Path("/"), *roots])
        if ipv4:
            ip("-6", "addr", "flush", "dev", "wire0", "scope", "global")
        if restless:
            threading.Thread(target=change_addresses, daemon=True).start()
        return subprocess.run(command).returncode
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        neighbour.kill()


def main():
    if sys.argv[1:] == ["--peer"]:
        return peer()
    parser = argparse.ArgumentParser(prog="network.py", description=__doc__.split("\n\n")[0])
    parser.add_argument("--root", type=Path, action="append", default=[])
    parser.add_argument("--restless", action="store_true")
    parser.add_argument("--ipv4", action="store_true")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("command", nargs="+")
    args = parser.parse_args()
    if args.inside:
        return inside(args.root, args.restless, args.ipv4, args.command)
    roots = [word for root in args.root for word in ("--root", str(root))]
    roots += ["--restless"] * args.restless + ["--ipv4"] * args.ipv4
    return subprocess.run(["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child",
                           "--mount-proc", "--", sys.executable, __file__, "--inside", *roots, "--",
                           *args.command]).returncode


if __name__ == "__main__":
    sys.exit(main())
