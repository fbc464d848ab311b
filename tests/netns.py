# SPDX-License-Identifier: LGPL-2.1-or-later
"""A small network of the test's own: client, router and peer, each a network namespace.

    client 10.77.1.2, fd77:1::2 --- router --- peer 10.77.2.2, fd77:2::2

Owns: one sleeping process per namespace.  A namespace has no name and lives as long as its process,
which the kernel ends with the process that made it: however a run ends, nothing stays behind.  All
traffic stays inside.  Needs root and Debian's iproute2 and iptables, but no /run/netns, so it works in
a chroot too.
"""
import contextlib
import ctypes
import os
import shutil
import signal
import socket
import struct
import subprocess
import time

CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None, use_errno=True)


def missing():
    """Why there can be no such network here, or ''."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    for tool, package in (("ip", "iproute2"), ("ss", "iproute2"), ("iptables", "iptables"),
                          ("ip6tables", "iptables"), ("nsenter", "util-linux")):
        if not shutil.which(tool):
            return f"{tool} not found (Debian package: {package})"
    return ""


def _unshare():
    """In the child: a namespace of its own, and an end with its parent."""
    if libc.unshare(CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare")
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Namespace:
    def __init__(self):
        self.proc = subprocess.Popen(["sleep", "infinity"], preexec_fn=_unshare,
                                     stdin=subprocess.DEVNULL)
        self.pid = self.proc.pid
        self.inside = ["nsenter", f"--net=/proc/{self.pid}/ns/net", "--"]  # in front of a command
        self._fd = os.open(f"/proc/{self.pid}/ns/net", os.O_RDONLY)
        self.run("ip", "link", "set", "lo", "up")

    def run(self, *words):
        done = subprocess.run([*self.inside, *map(str, words)], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=30)
        assert done.returncode == 0, f"{' '.join(map(str, words))}: {done.stdout}"
        return done.stdout

    @contextlib.contextmanager
    def entered(self):
        """The calling thread is inside: sockets made there stay there."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        try:
            if libc.setns(self._fd, CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
            yield
        finally:
            back = libc.setns(home, CLONE_NEWNET)
            os.close(home)
            if back:
                raise SystemExit("cannot leave a network namespace")

    def sysctl(self, name, value):
        """Sets it, e.g. ipv4/tcp_retries2, and returns what it was."""
        with self.entered(), open(f"/proc/sys/net/{name}", "r+", encoding="ascii") as file:
            was = file.read().strip()
            file.seek(0)
            file.write(str(value))
        return was

    def socket(self, family=socket.AF_INET, kind=socket.SOCK_STREAM, protocol=0):
        with self.entered():
            made = socket.socket(family, kind, protocol)
        made.settimeout(30)
        return made

    def end(self):
        self.proc.kill()
        self.proc.wait()
        os.close(self._fd)


class Network:
    CLIENT = {socket.AF_INET: "10.77.1.2", socket.AF_INET6: "fd77:1::2"}
    PEER = {socket.AF_INET: "10.77.2.2", socket.AF_INET6: "fd77:2::2"}
    ROUTER = {socket.AF_INET: "10.77.1.1", socket.AF_INET6: "fd77:1::1"}  # on the client's side
    MTU = 1500

    def __init__(self):
        self.client, self.router, self.peer = Namespace(), Namespace(), Namespace()
        self._link(self.client, "1")
        self._link(self.peer, "2")
        self.router.sysctl("ipv4/ip_forward", 1)
        self.router.sysctl("ipv6/conf/all/forwarding", 1)
        for each in (self.client, self.router, self.peer):
            # A host sends few ICMP errors a second; the tests want each of them.
            each.sysctl("ipv4/icmp_ratelimit", 0)
            each.sysctl("ipv6/icmp/ratelimit", 0)

    def _link(self, host, net):
        self.router.run("ip", "link", "add", f"to{net}", "type", "veth",
                        "peer", "name", "eth0", "netns", host.pid)
        for end, name, last in ((self.router, f"to{net}", 1), (host, "eth0", 2)):
            end.sysctl(f"ipv6/conf/{name}/accept_dad", 0)
            end.run("ip", "address", "add", f"10.77.{net}.{last}/24", "dev", name)
            end.run("ip", "address", "add", f"fd77:{net}::{last}/64", "dev", name, "nodad")
            end.run("ip", "link", "set", name, "up")
        self._default_routes(host, net)

    @staticmethod
    def _default_routes(host, net):
        host.run("ip", "route", "replace", "default", "via", f"10.77.{net}.1")
        host.run("ip", "-6", "route", "replace", "default", "via", f"fd77:{net}::1")

    @contextlib.contextmanager
    def obstructed(self, answer="", family=socket.AF_INET):
        """While it is held the router passes nothing on to the peer, and answers with that ICMP
        message: host, net, prohibited, or nothing.  (A route of type unreachable would do as much,
        but its messages are few: ip_error() has a limit of its own for them.)"""
        v6 = family == socket.AF_INET6
        words = {"host": "icmp6-addr-unreachable" if v6 else "icmp-host-unreachable",
                 "net": "icmp6-no-route" if v6 else "icmp-net-unreachable",
                 "prohibited": "icmp6-adm-prohibited" if v6 else "icmp-admin-prohibited"}
        target = ["-j", "REJECT", "--reject-with", words[answer]] if answer else ["-j", "DROP"]
        tool, rule = "ip6tables" if v6 else "iptables", ["FORWARD", "-d", self.PEER[family], *target]
        self.router.run(tool, "-w", "-A", *rule)
        try:
            yield
        finally:
            self.router.run(tool, "-w", "-D", *rule)

    @contextlib.contextmanager
    def narrow(self, mtu):
        """While it is held the link between router and peer takes smaller packets only."""
        ends = ((self.router, "to2"), (self.peer, "eth0"))
        for end, name in ends:
            end.run("ip", "link", "set", name, "mtu", mtu)
        try:
            yield
        finally:
            for end, name in ends:
                end.run("ip", "link", "set", name, "mtu", self.MTU)
            self.client.run("ip", "route", "flush", "cache")

    @contextlib.contextmanager
    def link_down(self):
        """While it is held the client's only link is taken down."""
        self.client.run("ip", "link", "set", "eth0", "down")
        try:
            yield
        finally:
            self.client.run("ip", "link", "set", "eth0", "up")
            self.client.run("ip", "address", "replace", "fd77:1::2/64", "dev", "eth0", "nodad")
            self._default_routes(self.client, "1")

    def listener(self, family=socket.AF_INET):
        made = self.peer.socket(family)
        made.bind((self.PEER[family], 0))
        made.listen(64)
        return made

    def datagram(self, family=socket.AF_INET):
        made = self.peer.socket(family, socket.SOCK_DGRAM)
        made.bind((self.PEER[family], 0))
        return made

    def unused_port(self, kind=socket.SOCK_DGRAM, family=socket.AF_INET):
        """One of the peer's where nobody listens."""
        with self.peer.socket(family, kind) as made:
            made.bind((self.PEER[family], 0))
            return made.getsockname()[1]

    def end(self):
        for each in (self.client, self.router, self.peer):
            each.end()


def reset(connection):
    """Closes the peer's end with a RST, which is what no time to linger means to Linux."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


# ---- packets by hand ----
TCP_REPAIR, TCP_REPAIR_QUEUE, TCP_QUEUE_SEQ = 19, 20, 21  # linux/tcp.h
SEND_QUEUE = 2


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def send_raw_reset(network, connection):
    """A RST written by hand into a raw socket, with the sequence number that the client expects; the
    peer's socket, whose number it is, knows nothing of it."""
    connection.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    connection.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR_QUEUE, SEND_QUEUE)
    sequence = connection.getsockopt(socket.IPPROTO_TCP, TCP_QUEUE_SEQ) & 0xffffffff
    connection.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 0)
    source, target = connection.getsockname(), connection.getpeername()
    tcp = struct.pack("!HHIIBBHHH", source[1], target[1], sequence, 0, 5 << 4, 4, 0, 0, 0)
    pseudo = socket.inet_aton(source[0]) + socket.inet_aton(target[0]) + \
        struct.pack("!BBH", 0, socket.IPPROTO_TCP, len(tcp))
    tcp = tcp[:16] + struct.pack("!H", checksum(pseudo + tcp)) + tcp[18:]
    with network.peer.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP) as raw:
        raw.bind((source[0], 0))
        raw.sendto(tcp, (target[0], 0))


class Capture:
    """What the client's IPv4 TCP port sends, as seen by the router: (time, flags, payload bytes)."""

    def __init__(self, network, port):
        self.port, self.packets = port, []
        with network.router.entered():
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
        self.socket.bind(("to1", 0x0800))
        self.socket.setblocking(False)

    def read(self):
        while True:
            try:
                packet, address = self.socket.recvfrom(65536)
            except BlockingIOError:
                return self.packets
            header = (packet[0] & 15) * 4
            if packet[9] != socket.IPPROTO_TCP or address[2] == socket.PACKET_OUTGOING:
                continue
            source, = struct.unpack_from("!H", packet, header)
            if source == self.port:
                length, = struct.unpack_from("!H", packet, 2)
                payload = length - header - (packet[header + 12] >> 4) * 4
                self.packets.append((time.monotonic(), packet[header + 13], payload))

    def close(self):
        self.socket.close()
