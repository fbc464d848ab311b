# SPDX-License-Identifier: LGPL-2.1-or-later
"""The result codes of WSARecv's page that take a network, each provoked for real, and what the other
calls make of the same failures.

The client's Wine, wineserver and ringsock-server run in a network namespace of their own (netns.py);
remote_winsock makes the calls there (remote.py).  Where a code was found is quoted; what Wine's own
DLL gives instead of what Windows gives stands as `wine=`.
"""
import contextlib
import os
import shutil
import socket
import struct
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

import netns
from conftest import Running
from remote import (EXCEPTIONAL, FD_CLOSE_BIT, FD_CONNECT_BIT, FD_READ_BIT, IP_DONTFRAGMENT,
                    IP_RECVERR, IP_TTL, IPPROTO_IP, IPPROTO_IPV6, IPPROTO_TCP, IPV6_UNICAST_HOPS, POLLERR, POLLHUP,
                    POLLRDNORM, READABLE, SO_ERROR, SOCK_DGRAM, SOL_SOCKET,
                    TCP_FAIL_CONNECT_ON_ICMP_ERROR, TCP_FASTOPEN, TCP_KEEPCNT, TCP_MAXRT, TCP_MAXRTMS, WRITABLE, Remote)

WSAEACCES, WSAEMSGSIZE, WSAENOPROTOOPT = 10013, 10040, 10042
WSAENETUNREACH, WSAENETRESET, WSAECONNABORTED, WSAECONNRESET = 10051, 10052, 10053, 10054
WSAENOTCONN, WSAETIMEDOUT, WSAECONNREFUSED, WSAEHOSTUNREACH = 10057, 10060, 10061, 10065
WSANO_DATA = 11004
WSAEWOULDBLOCK = 10035
# What GetQueuedCompletionStatus makes of the same statuses.
ERROR_ACCESS_DENIED, ERROR_NETNAME_DELETED, ERROR_SEM_TIMEOUT, ERROR_MORE_DATA = 5, 64, 121, 234
ERROR_CONNECTION_REFUSED, ERROR_HOST_UNREACHABLE = 1225, 1232
ERROR_NETWORK_UNREACHABLE, ERROR_PORT_UNREACHABLE, ERROR_CONNECTION_ABORTED = 1231, 1234, 1236

V4, V6 = socket.AF_INET, socket.AF_INET6
RECEIVES = ("recv", "recvfrom", "wsarecv", "wsarecvfrom", "event", "apc", "port")
SENDS = ("send", "wsasend", "event", "apc", "port")


# ---- the network and the program in it ----
@pytest.fixture(scope="module")
def network():
    reason = netns.missing()
    if reason:
        pytest.skip(reason)
    made = netns.Network()
    yield made
    made.end()


@pytest.fixture(scope="module")
def get_remote(build, network, get_prefix_inside):
    """One program for each DLL and width, in a prefix whose wineserver is inside too."""
    logs = Path(os.environ.get("RINGSOCK_TEST_LOGS") or build.dir / "tests/logs") / "test_netcodes"
    shutil.rmtree(logs, ignore_errors=True)
    remotes = {}

    def get(target, width):
        key = f"{target}-{width}"
        if key not in remotes or not remotes[key].alive:
            prefix = get_prefix_inside("netcodes", target, network.client.inside)
            directory = logs / f"{key}-{len(remotes)}"
            env = prefix.env(RINGSOCK_LOG="info", RINGSOCK_LOG_PATH=str(directory))
            argv = [*prefix.inside, build.wine, str(build.exe("remote_winsock", width))]
            remotes[key] = Remote(Running(prefix, argv, env, directory, subprocess.PIPE, None))
            remotes[key].target = target
        return remotes[key]

    yield get
    for each in remotes.values():
        each.end()


@contextlib.contextmanager
def cleared(made):
    yield made
    if made.alive:
        made.close_all()


@pytest.fixture
def remote(get_remote, target, width, record_property):
    with cleared(get_remote(target, width)) as made:
        made.record_property = record_property
        yield made


@pytest.fixture
def remote_ours(get_remote, width):
    """For what Wine's own DLL cannot do at all."""
    with cleared(get_remote("ours", width)) as made:
        yield made


@contextlib.contextmanager
def sysctl(namespace, name, value):
    was = namespace.sysctl(name, value)
    try:
        yield
    finally:
        namespace.sysctl(name, was)


def expect(remote, got, want, *, wine=(), about=""):
    """wine: what Wine's own DLL is known to give instead (8.0 or 10.0)."""
    known = (want, *wine) if remote.target == "builtin" else (want,)
    assert got in known, f"got {got}, expected {known} {about}"
    if got != want:
        remote.record_property("differs", f"{got} {about}")


def expect_error(remote, outcome, want, *, wine=()):
    expect(remote, outcome.error, want, wine=wine, about=f"of {outcome}")


# ---- streams: one connection for each way to wait ----
def connected(remote, listener):
    family = listener.family
    s = remote.socket(6 if family == V6 else 4)
    outcome = remote.connect(s, "call", *listener.getsockname()[:2])
    assert outcome.error == 0, outcome
    return s, listener.accept()[0]


class Waits:
    """Connections on each of which one call or operation waits."""

    def __init__(self, remote, listener, sends=False):
        self.remote, self.listener = remote, listener
        self.receives = {style: self._open("recv", style, 100) for style in RECEIVES}
        self.looks = {"select": self._open("select"), "poll": self._open("poll"),
                      "close": self._open("network_event", FD_CLOSE_BIT)}
        self.sends = {}
        for style in SENDS if sends else ():
            self.sends[style] = self._open("send", style, 1 << 20, fill=True)

    def _open(self, command, *words, fill=False):
        s, peer = connected(self.remote, self.listener)
        if fill:
            expect_error(self.remote, self.remote.fill(s), WSAEWOULDBLOCK)
        call = self.remote.begin(command, s, *words).waiting()
        return SimpleNamespace(socket=s, peer=peer, call=call)

    @property
    def all(self):
        return [*self.receives.values(), *self.looks.values(), *self.sends.values()]

    def end(self):
        for each in self.all:
            each.peer.close()


@contextlib.contextmanager
def waits_of(remote, network, family=V4, sends=False):
    with network.listener(family) as listener:
        waits = Waits(remote, listener, sends)
        time.sleep(0.3)  # until what is about to block blocks
        yield waits
        waits.end()


def check_ends(waits, code, system, *, wine=(), wine_system=(), later=None, later_wine=()):
    """Each call ends with the code, as a completion port says with `system`; every call after it
    fails with `later`; those who look see it too."""
    remote = waits.remote
    for style, each in (*waits.receives.items(), *waits.sends.items()):
        outcome = each.call.result()
        expect_error(remote, outcome, code, wine=(WSAECONNRESET, *wine))
        if style == "port":
            expect(remote, outcome.system, system, wine=(ERROR_NETNAME_DELETED, *wine_system))
    expect(remote, waits.looks["select"].call.result().events, READABLE | WRITABLE)
    expect(remote, waits.looks["poll"].call.result().events & (POLLERR | POLLHUP),
           POLLERR | POLLHUP)
    # WSAEventSelect's page: WSAECONNABORTED is "a time-out or other failure"; a reset is the same to
    # it (Wine's test_close_events, run on Windows).
    expect_error(remote, waits.looks["close"].call.result(), WSAECONNABORTED,
                 wine=(0, code, *wine))
    for each in waits.all:
        expect_error(remote, remote.recv(each.socket, "recv", 10), later or code, wine=later_wine)
        expect_error(remote, remote.recv(each.socket, "wsarecv", 10), later or code,
                     wine=later_wine)
        expect_error(remote, remote.send(each.socket, "send", 10), later or code,
                     wine=(WSAECONNRESET, *later_wine))
    # Wine's test_tcp_reset, run on Windows: SO_ERROR stays 0, an overlapped call fails at once
    one = waits.receives["event"].socket
    expect(remote, remote.getopt(one, SOL_SOCKET, SO_ERROR).events, 0, wine=(code, *wine))
    outcome = remote.begin("recv", one, "event", 10)
    expect_error(remote, outcome.result(), later or code, wine=later_wine)


@pytest.mark.parametrize("family", [V4, V6], ids=["v4", "v6"])
def test_reset(remote, network, family):
    """WSAECONNRESET: "the virtual circuit was reset by the remote side"; pending receives and sends
    of each style, and all that come after."""
    with waits_of(remote, network, family, sends=family == V4) as waits:
        for each in waits.all:
            netns.reset(each.peer)
        check_ends(waits, WSAECONNRESET, ERROR_NETNAME_DELETED, later_wine=(0,))


def test_reset_by_hand(remote, network):
    """The same by a segment that a raw socket sent: no program on the other side closed anything."""
    with network.listener() as listener:
        s, peer = connected(remote, listener)
        with peer:
            waits = remote.begin("recv", s, "event", 10).waiting()
            netns.send_raw_reset(network, peer)
            expect_error(remote, waits.result(), WSAECONNRESET)


def test_reset_comes_behind_the_data(remote, network):
    """"Any data that has already been received and buffered by the transport will be copied into the
    specified user buffers": a reset does not take it away."""
    with network.listener() as listener:
        s, peer = connected(remote, listener)
        peer.sendall(b"before")
        expect(remote, remote.select(s).events & READABLE, READABLE)
        netns.reset(peer)
        time.sleep(0.3)
        first, second = remote.recv(s, "recv", 4), remote.recv(s, "event", 10)
        got = (first.error, first.data, second.error, second.data)
        expect(remote, got, (0, b"befo", 0, b"re"),
               wine=((WSAECONNRESET, b"", WSAECONNRESET, b""),))  # 10.0
        expect_error(remote, remote.recv(s, "recv", 10), WSAECONNRESET, wine=(0,))


def test_aborted(remote, network):
    """WSAECONNABORTED: "The virtual circuit was terminated due to a time-out or other failure": the
    system itself kills the connections."""
    with waits_of(remote, network, sends=True) as waits:
        network.client.run("ss", "--kill", "dst", network.PEER[V4])
        check_ends(waits, WSAECONNABORTED, ERROR_CONNECTION_ABORTED, later_wine=(0,))


def keep_alive(remote, s, probes):
    remote.setopt(s, IPPROTO_TCP, TCP_KEEPCNT, probes)  # Wine 8.0 has none: see the sysctl
    expect_error(remote, remote.keepalive(s, 1000, 1000), 0)


def check_probes(packets, probes):
    """One second without traffic, then so many empty segments a second from each other, then the
    end.  A busy machine makes them late, never early: one that stood still had both at 4.03 s.  With
    the system's own times the first would come after two hours."""
    start = packets[0][0]
    sent = [when - start for when, flags, payload in packets[1:] if not flags & 4]  # no RST
    assert len(sent) == probes, f"probes at {sent}"
    for number, when in enumerate(sent):
        assert number + 0.8 < when < number + 30, f"probes at {sent}"


def test_keep_alive_fails(remote, network):
    """WSAENETRESET: "the connection has been broken due to keep-alive activity that detected a
    failure while the operation was in progress"; setsockopt's page: "any subsequent calls will fail
    with WSAENOTCONN"."""
    probes = 2
    with waits_of(remote, network) as waits, \
            sysctl(network.client, "ipv4/tcp_keepalive_probes", probes), \
            network.obstructed():
        watched = waits.receives["event"]
        capture = netns.Capture(network, watched.peer.getpeername()[1])
        begin = time.monotonic()
        for each in waits.all:
            keep_alive(remote, each.socket, probes)
        capture.packets.append((begin, 0, 0))
        check_ends(waits, WSAENETRESET, WSAENETRESET, wine=(WSAETIMEDOUT,),
                   wine_system=(ERROR_SEM_TIMEOUT,), later=WSAENOTCONN,
                   later_wine=(0, WSAETIMEDOUT))
        check_probes(capture.read(), probes)
        capture.close()


def test_keep_alive_holds(remote, network):
    """As long as the peer answers nothing ends."""
    with network.listener() as listener:
        s, peer = connected(remote, listener)
        keep_alive(remote, s, 1)
        waits = remote.begin("recv", s, "event", 10).waiting()
        time.sleep(2.5)
        assert not waits.done
        peer.sendall(b"still here")
        outcome = waits.result()
        assert (outcome.error, outcome.data) == (0, b"still here")


def test_peer_lost(remote, network):
    """WSAETIMEDOUT: "The connection has been dropped because of a network failure or because the peer
    system failed to respond"; a port says ERROR_SEM_TIMEOUT (Raymond Chen, "What does it mean when
    GetQueuedCompletionStatus return ERROR_SEM_TIMEOUT?")."""
    with waits_of(remote, network, sends=True) as waits, network.obstructed(), \
            sysctl(network.client, "ipv4/tcp_retries2", 1):
        for each in waits.all:
            if each not in waits.sends.values():
                expect_error(remote, remote.send(each.socket, "send", 10), 0)
        for each in waits.sends.values():
            each.peer.recv(1 << 20)  # opens the window: now it is not the peer that makes them wait
        check_ends(waits, WSAETIMEDOUT, ERROR_SEM_TIMEOUT, later_wine=(0,))


def test_peer_unreachable_for_good(remote, network):
    """The same where a router said meanwhile that the host is unreachable: WSARecv's page has no such
    code, it is a connection "dropped because of a network failure"."""
    with network.listener() as listener:
        s, peer = connected(remote, listener)
        waits = remote.begin("recv", s, "event", 10).waiting()
        with peer, network.obstructed("host"), sysctl(network.client, "ipv4/tcp_retries2", 1):
            expect_error(remote, remote.send(s, "send", 10), 0)
            expect_error(remote, waits.result(), WSAETIMEDOUT, wine=(WSAEHOSTUNREACH,))


def test_peer_unreachable_for_a_while(remote, network):
    """A router's word does not end a connection: what was sent meanwhile arrives in the end."""
    with network.listener() as listener:
        s, peer = connected(remote, listener)
        waits = remote.begin("recv", s, "event", 10).waiting()
        with peer:
            with network.obstructed("host"):
                expect_error(remote, remote.send(s, "send", 10), 0)
                time.sleep(0.5)
            assert peer.recv(100) == b"d" * 10
            peer.sendall(b"well")
            outcome = waits.result()
            assert (outcome.error, outcome.data) == (0, b"well")


@pytest.mark.parametrize("option,value", [(TCP_MAXRT, 1), (TCP_MAXRTMS, 1000)])
def test_time_limit_of_the_program(remote, network, option, value):
    """TCP_MAXRT "represents the desired connection timeout in seconds"; TCP_MAXRTMS the same in milliseconds, as
    Cygwin takes it for TCP_USER_TIMEOUT."""
    with network.listener() as listener:
        s, peer = connected(remote, listener)
        outcome = remote.setopt(s, IPPROTO_TCP, option, value)
        expect_error(remote, outcome, 0, wine=(WSAENOPROTOOPT,))
        if outcome.error:
            return
        expect(remote, remote.getopt(s, IPPROTO_TCP, option).events, value)
        waits = remote.begin("recv", s, "event", 10).waiting()
        with peer, network.obstructed():
            begin = time.monotonic()
            expect_error(remote, remote.send(s, "send", 10), 0)
            expect_error(remote, waits.result(), WSAETIMEDOUT)
            assert time.monotonic() - begin > 0.8


def test_link_down_for_a_while(remote, network):
    """A link taken down: what it cannot reach is refused at once, a connection waits for it."""
    with network.listener() as listener, network.datagram() as friend:
        s, peer = connected(remote, listener)
        udp = remote.socket(4, SOCK_DGRAM)
        where = friend.getsockname()
        expect_error(remote, remote.send(udp, "send", 4, *where), 0)
        waits = remote.begin("recv", s, "event", 10).waiting()
        with peer:
            with network.link_down():
                expect_error(remote, remote.send(s, "send", 10), 0)
                expect_error(remote, remote.connect(remote.socket(), "call", *where), WSAENETUNREACH)
                # The first datagram of these may be on its way before its failure is known.
                outcomes = [remote.send(udp, style, 4, *where) for style in SENDS]
                for outcome in outcomes[1:]:
                    expect_error(remote, outcome, WSAENETUNREACH)
                expect_error(remote, remote.send(remote.socket(4, SOCK_DGRAM), "send", 4, *where),
                             WSAENETUNREACH)
                assert not waits.done
            assert peer.recv(100) == b"d" * 10
            peer.sendall(b"again")
            outcome = waits.result()
            assert (outcome.error, outcome.data) == (0, b"again")
        expect_error(remote, remote.send(udp, "send", 5, *where), 0)
        assert [friend.recv(100) for _ in range(2)] == [b"dddd", b"ddddd"]


# ---- connecting ----
def check_connects(remote, host, port, code, system, *, wine=(), wine_system=(), option=None):
    """Blocking, nonblocking as select and as WSAEventSelect tell, ConnectEx by event and by port."""
    def opened():
        s = remote.socket(6 if ":" in host else 4)
        if option:
            expect_error(remote, remote.setopt(s, *option), 0)
        return s

    calls = {style: remote.begin("connect", opened(), style, host, port)
             for style in ("call", "event", "port")}
    polled, told = opened(), opened()
    for s in (polled, told):
        outcome = remote.connect(s, "begin", host, port)
        # An answer may have come before the call returned.
        assert outcome.error in (WSAEWOULDBLOCK, code, *wine), outcome
        if outcome.error != WSAEWOULDBLOCK:
            polled = told = None
    selected = remote.begin("select", polled) if polled else None
    event = remote.begin("network_event", told, FD_CONNECT_BIT) if told else None
    for style, call in calls.items():
        outcome = call.result()
        expect_error(remote, outcome, code, wine=wine)
        if style == "port" and outcome.system:
            expect(remote, outcome.system, system, wine=wine_system)
    if selected:
        # connect's page: "check the status ... by checking ... exceptfds"
        expect(remote, selected.result().events & EXCEPTIONAL, EXCEPTIONAL)
        expect(remote, remote.getopt(polled, SOL_SOCKET, SO_ERROR).events, code, wine=wine)
        expect_error(remote, event.result(), code, wine=wine)


@pytest.mark.parametrize("family", [V4, V6], ids=["v4", "v6"])
def test_connect_refused(remote, network, family):
    """connect's page, WSAECONNREFUSED: "The attempt to connect was forcefully rejected"."""
    port = network.unused_port(socket.SOCK_STREAM, family)
    check_connects(remote, network.PEER[family], port, WSAECONNREFUSED, ERROR_CONNECTION_REFUSED)


@pytest.mark.parametrize("family", [V4, V6], ids=["v4", "v6"])
def test_connect_unreachable(remote, network, family):
    """connect's page, WSAEHOSTUNREACH: "A socket operation was attempted to an unreachable host",
    WSAENETUNREACH: "The network cannot be reached from this host at this time"."""
    with network.listener(family) as listener:
        where = listener.getsockname()[:2]
        with network.obstructed("host", family):
            check_connects(remote, *where, WSAEHOSTUNREACH, ERROR_HOST_UNREACHABLE)
        with network.obstructed("net", family):
            check_connects(remote, *where, WSAENETUNREACH, ERROR_NETWORK_UNREACHABLE)
        with network.obstructed("prohibited", family):
            check_connects(remote, *where, WSAEHOSTUNREACH, ERROR_HOST_UNREACHABLE,
                           wine=(WSAEACCES,), wine_system=(ERROR_ACCESS_DENIED,))


@pytest.mark.parametrize("family", [V4, V6], ids=["v4", "v6"])
def test_connect_fails_on_icmp_error(remote_ours, network, family):
    """TCP_FAIL_CONNECT_ON_ICMP_ERROR: "a connect API call will return upon reception of an ICMP error
    with value WSAEHOSTUNREACH.  The source address of the error will then be available via the
    TCP_ICMP_ERROR_INFO socket option."  WSAGetIcmpErrorInfo: "If no ICMP error has been received
    since the last connect call, then WSANO_DATA is returned"."""
    remote, kind = remote_ours, 4 if family == V4 else 6
    protocol, kinds = (1, (3 << 8 | 1, 3 << 8 | 0)) if family == V4 else (58, (1 << 8 | 3, 1 << 8 | 0))
    with network.listener(family) as listener:
        where = listener.getsockname()[:2]
        s = remote.socket(kind)
        assert remote.setopt(s, IPPROTO_TCP, TCP_FAIL_CONNECT_ON_ICMP_ERROR, 1).error == 0
        assert remote.getopt(s, IPPROTO_TCP, TCP_FAIL_CONNECT_ON_ICMP_ERROR).events == 1
        assert remote.icmp_error(s).error == WSANO_DATA
        for answer, code in zip(("host", "net"), kinds):
            with network.obstructed(answer, family):
                assert remote.connect(s, "call", *where).error == WSAEHOSTUNREACH
            told = remote.icmp_error(s)
            assert (told.error, told.events) == (0, protocol << 16 | code)
            at = slice(4, 8) if family == V4 else slice(8, 24)
            assert told.data[at] == socket.inet_pton(family, network.ROUTER[family])
        assert remote.connect(s, "call", *where).error == 0
        assert remote.icmp_error(s).error == WSANO_DATA
        peer, _ = listener.accept()
        with peer, network.obstructed("host", family):  # a connection is not ended by it
            assert remote.send(s, "send", 10).error == 0
            time.sleep(0.3)
            assert remote.getopt(s, SOL_SOCKET, SO_ERROR).events == 0


def fast_opens(namespace, which):
    """How many connections of that kind there were, by the kernel's own count."""
    names, values = (line.split()[1:] for line in
                     namespace.run("cat", "/proc/net/netstat").splitlines()[:2])
    return int(values[names.index(f"TCPFastOpen{which}")])


@pytest.mark.parametrize("family", [V4, V6], ids=["v4", "v6"])
def test_fast_open(remote_ours, network, family):
    """TCP_FASTOPEN: "to make use of fast opens, you should use ConnectEx ..., and specify data in that
    function's lpSendBuffer parameter to be transferred during the handshake process.  Some of the data
    in lpSendBuffer will be transferred under the Fast Open protocol"."""
    remote, kind = remote_ours, 4 if family == V4 else 6
    with network.listener(family) as listener, sysctl(network.peer, "ipv4/tcp_fastopen", 3), \
            sysctl(network.client, "ipv4/tcp_fastopen", 1):
        network.client.run("ip", "tcp_metrics", "flush")  # the peer's cookie, for one
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 5)
        for wanted, size, opens in ((1, 100, 0), (1, 100, 1), (1, 4000, 1), (0, 100, 0)):
            before = fast_opens(network.client, "Active"), fast_opens(network.peer, "Passive")
            s = remote.socket(kind)
            assert remote.setopt(s, IPPROTO_TCP, TCP_FASTOPEN, wanted).error == 0
            outcome = remote.connect(s, "event", *listener.getsockname()[:2], size)
            assert (outcome.error, outcome.bytes) == (0, size), outcome
            peer, _ = listener.accept()
            with peer:
                assert peer.recv(size, socket.MSG_WAITALL) == b"d" * size
                assert remote.send(s, "send", 3).error == 0
                assert peer.recv(4) == b"ddd"
            assert fast_opens(network.client, "Active") - before[0] == opens, size
            assert fast_opens(network.peer, "Passive") - before[1] == opens, size


def test_connect_times_out(remote, network):
    """connect's page, WSAETIMEDOUT: "An attempt to connect timed out without establishing a
    connection"; the attempts are shortened."""
    with network.listener() as listener, network.obstructed(), \
            sysctl(network.client, "ipv4/tcp_syn_retries", 1):
        check_connects(remote, *listener.getsockname(), WSAETIMEDOUT, ERROR_SEM_TIMEOUT)


def test_initial_rto(remote_ours, network):
    """SIO_TCP_INITIAL_RTO: the time of the first attempt and "the number of retransmissions that will be
    attempted before the connection attempt fails"; each takes twice as long as the one before."""
    remote = remote_ours
    with network.listener() as listener, network.obstructed():
        for rtt, count, least in ((200, 1, 600), (300, 0xfe, 300)):
            s = remote.socket(4)
            expect_error(remote, remote.initial_rto(s, rtt, count), 0)
            outcome = remote.connect(s, "call", *listener.getsockname())
            expect_error(remote, outcome, WSAETIMEDOUT)
            assert least - 20 <= outcome.ms < least + 2000, outcome


# ---- datagrams ----
def bound(remote, family=V4):
    s = remote.socket(6 if family == V6 else 4, SOCK_DGRAM)
    outcome = remote.bind(s)
    assert outcome.error == 0, outcome
    return s, (netns.Network.CLIENT[family], outcome.events)


def check_datagram_error(remote, network, friend, target, code, system, *, limit=None, wine=(0,)):
    """A pending receive of each style ends with what became of an earlier datagram; the socket goes
    on.  `wine`: 0 stands for a receive that learns nothing of it."""
    family = friend.family
    calls = {}
    for style in RECEIVES:
        s, home = bound(remote, family)
        if limit:
            expect_error(remote, remote.setopt(s, *limit), 0)
        calls[style] = (s, home, remote.begin("recv", s, style, 100).waiting())
    for s, _, _ in calls.values():
        expect_error(remote, remote.send(s, "send", 4, *target), 0)
    if remote.target == "builtin":
        time.sleep(0.3)
    for style, (s, home, call) in calls.items():
        if remote.target == "builtin":  # who heard nothing is released by this one
            friend.sendto(b"later", home)
        outcome = call.result()
        expect_error(remote, outcome, code, wine=wine)
        if style == "port" and system:
            expect(remote, outcome.system, system, wine=(0, *wine))
        if remote.target == "ours":
            assert outcome.bytes == 0, outcome
            friend.sendto(b"later", home)
            outcome = remote.recv(s, "recvfrom", 100)
            assert (outcome.error, outcome.data) == (0, b"later"), outcome


@pytest.mark.parametrize("family", [V4, V6], ids=["v4", "v6"])
def test_port_unreachable(remote, network, family):
    """WSAECONNRESET: "For a UDP datagram socket, this error would indicate that a previous send
    operation resulted in an ICMP "Port Unreachable" message"; the socket is not connected.  A port
    says ERROR_PORT_UNREACHABLE (asio; Len Holgate)."""
    with network.datagram(family) as friend:
        check_datagram_error(remote, network, friend,
                             (network.PEER[family], network.unused_port(family=family)),
                             WSAECONNRESET, ERROR_PORT_UNREACHABLE)


@pytest.mark.parametrize("family", [V4, V6], ids=["v4", "v6"])
def test_port_unreachable_connected(remote_ours, network, family):
    """The same on a connected socket; sends never fail for it (Wine's test_UDP, on Windows).  In Wine's own DLL the send takes the error and drops it."""
    remote = remote_ours
    port = network.unused_port(family=family)
    s, home = bound(remote, family)
    expect_error(remote, remote.connect(s, "call", network.PEER[family], port), 0)
    for style in RECEIVES[:-1]:
        waits = remote.begin("recv", s, style, 100).waiting()
        expect_error(remote, remote.send(s, "send", 4), 0)
        expect_error(remote, waits.result(), WSAECONNRESET)
    with network.peer.socket(family, socket.SOCK_DGRAM) as friend:
        friend.bind((network.PEER[family], port))
        expect_error(remote, remote.send(s, "send", 5), 0)
        assert friend.recv(100) == b"ddddd"
        friend.sendto(b"found", home)
        outcome = remote.recv(s, "recv", 100)
        assert (outcome.error, outcome.data) == (0, b"found")


def test_one_error_for_each_datagram(remote_ours, network):
    """JDK-4431020 found that Windows keeps count: one WSAECONNRESET for each message, only from
    receives; peeking leaves it (libuv).  Wine's own DLL tells a socket that is not connected of
    none."""
    remote = remote_ours
    s, _ = bound(remote)
    target = (network.PEER[V4], network.unused_port())
    for _ in range(3):
        expect_error(remote, remote.send(s, "send", 4, *target), 0)
    peek = 2
    for _ in range(3):
        expect(remote, remote.poll(s).events, POLLRDNORM)
        expect(remote, remote.select(s).events, READABLE | WRITABLE)
        expect_error(remote, remote.recv(s, "recv", 10, peek), WSAECONNRESET)
        expect_error(remote, remote.recv(s, "recv", 10), WSAECONNRESET)
    expect(remote, remote.select(s, 200).events, WRITABLE)
    expect(remote, remote.getopt(s, SOL_SOCKET, SO_ERROR).events, 0)
    # "FD_READ: ... ready for reading": an error is something to be read too
    event = remote.begin("network_event", s, FD_READ_BIT).waiting()
    expect_error(remote, remote.send(s, "send", 4, *target), 0)
    expect(remote, event.result().events, 1 << FD_READ_BIT)


def test_errors_keep_their_place(remote_ours, network):
    """What had arrived before an error comes before it, what arrives later behind it."""
    remote = remote_ours
    with network.datagram() as friend:
        s, home = bound(remote)
        friend.sendto(b"first", home)
        expect(remote, remote.select(s).events & READABLE, READABLE)
        expect_error(remote, remote.send(s, "send", 4, network.PEER[V4], network.unused_port()), 0)
        time.sleep(0.5)
        friend.sendto(b"second", home)
        outcomes = [remote.recv(s, style, 100) for style in ("recv", "event", "wsarecvfrom")]
        assert [(o.error, o.data) for o in outcomes] == \
            [(0, b"first"), (WSAECONNRESET, b""), (0, b"second")]


@pytest.mark.parametrize("family", [V4, V6], ids=["v4", "v6"])
def test_time_to_live_expires(remote, network, family):
    """WSAENETRESET: "For a datagram socket, this error indicates that the time to live has
    expired": the router between does not pass it on."""
    limit = (IPPROTO_IPV6, IPV6_UNICAST_HOPS, 1) if family == V6 else (IPPROTO_IP, IP_TTL, 1)
    with network.datagram(family) as friend:
        check_datagram_error(remote, network, friend, friend.getsockname()[:2], WSAENETRESET,
                             None, limit=limit)




@pytest.mark.parametrize("family", [V4, V6], ids=["v4", "v6"])
@pytest.mark.parametrize("answer,code,system", [
    ("host", WSAEHOSTUNREACH, ERROR_HOST_UNREACHABLE),
    ("net", WSAENETUNREACH, ERROR_NETWORK_UNREACHABLE),
    ("prohibited", WSAEHOSTUNREACH, ERROR_HOST_UNREACHABLE)], ids=["host", "net", "prohibited"])
def test_datagram_unreachable(remote, network, family, answer, code, system):
    """A router says that host or network cannot be reached: msquic, a Windows program of Microsoft's,
    expects ERROR_HOST_UNREACHABLE and its like from the receives of its port, and WSAEHOSTUNREACH
    and its like elsewhere."""
    with network.datagram(family) as friend, network.obstructed(answer, family):
        check_datagram_error(remote, network, friend, friend.getsockname()[:2], code, system)


def test_errors_switched_off(remote, network):
    """SIO_UDP_CONNRESET: "Set to FALSE to disable reporting", and SIO_UDP_NETRESET; both are on in a
    new socket (tailscale 12927: "By default, Windows sets ...")."""
    with network.datagram() as friend:
        s, home = bound(remote)
        expect_error(remote, remote.quiet(s, "connreset"), 0)
        expect_error(remote, remote.send(s, "send", 4, network.PEER[V4], network.unused_port()), 0)
        with network.obstructed("host"):
            expect_error(remote, remote.send(s, "send", 4, *friend.getsockname()), 0)
            time.sleep(0.3)
        friend.sendto(b"all there is", home)
        assert remote.recv(s, "recv", 100).data == b"all there is"

        expect_error(remote, remote.setopt(s, IPPROTO_IP, IP_TTL, 1), 0)
        expect_error(remote, remote.send(s, "send", 4, *friend.getsockname()), 0)
        if remote.target == "ours":  # that was the other switch
            expect_error(remote, remote.recv(s, "recv", 100), WSAENETRESET)
        expect_error(remote, remote.quiet(s, "netreset"), 0, wine=(10045,))
        expect_error(remote, remote.send(s, "send", 4, *friend.getsockname()), 0)
        time.sleep(0.3)
        friend.sendto(b"again", home)
        assert remote.recv(s, "recv", 100).data == b"again"


def test_small_buffer(remote, network):
    """WSAEMSGSIZE: "The message was too large to fit into the specified buffer and (for unreliable
    protocols only) any trailing portion of the message that did not fit into the buffer has been
    discarded"."""
    with network.datagram() as friend:
        for style in RECEIVES:
            s, home = bound(remote)
            waits = remote.begin("recv", s, style, 4).waiting()
            friend.sendto(b"0123456789", home)
            outcome = waits.result()
            expect_error(remote, outcome, WSAEMSGSIZE)
            if style == "port":
                expect(remote, outcome.system, ERROR_MORE_DATA)
            if style not in ("recv", "recvfrom"):  # those do not tell
                expect(remote, outcome.data, b"0123", wine=(b"",))
            friend.sendto(b"next", home)
            outcome = remote.recv(s, "recv", 100)
            assert (outcome.error, outcome.data) == (0, b"next"), outcome


def send_until_refused(remote, s, style, size, *where):
    """Until the system knows the path: the first is on its way before that."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        outcome = remote.send(s, style, size, *where)
        if outcome.error:
            break
        time.sleep(0.05)
    return outcome


@pytest.mark.parametrize("is_connected", [False, True], ids=["unconnected", "connected"])
def test_path_too_narrow(remote, network, is_connected):
    """sendto's page, WSAEMSGSIZE: "a message sent to the socket was larger than the maximum supported
    by the underlying transport"; with IP_DONTFRAGMENT that is what link and path take."""
    with network.datagram() as friend, network.narrow(1000):
        where = friend.getsockname()
        s, _ = bound(remote)
        expect_error(remote, remote.setopt(s, IPPROTO_IP, IP_DONTFRAGMENT, 1), 0)
        if is_connected:
            expect_error(remote, remote.connect(s, "call", *where), 0)
            where = ()
        for style in SENDS[:-1]:
            expect_error(remote, remote.send(s, style, 1473, *where), WSAEMSGSIZE)
        expect_error(remote, remote.send(s, "send", 900, *where), 0)
        expect_error(remote, send_until_refused(remote, s, "send", 1300, *where), WSAEMSGSIZE)
        for style in SENDS:
            expect_error(remote, remote.send(s, style, 1300, *where), WSAEMSGSIZE)
        expect_error(remote, remote.send(s, "send", 901, *where), 0)
        assert [len(friend.recv(2000)) for _ in range(2)] == [900, 901]


def test_narrow_path_is_no_matter(remote, network):
    """Without IP_DONTFRAGMENT ("The default is FALSE") routers may cut datagrams: none is lost."""
    with network.datagram() as friend, network.narrow(1000):
        s, home = bound(remote)
        lost = []
        for size in (1300, 1472, 5000):
            expect_error(remote, remote.send(s, "send", size, *friend.getsockname()), 0)
            friend.settimeout(2)
            try:
                assert len(friend.recv(65536)) == size
            except socket.timeout:
                lost.append(size)
        expect(remote, lost, [], wine=([1300],))


def error_message(remote, s):
    """What the router says takes a moment to come."""
    deadline = time.monotonic() + 20
    while (outcome := remote.error_message(s)).error == WSAEWOULDBLOCK and time.monotonic() < deadline:
        time.sleep(0.05)
    assert outcome.error == 0, outcome
    return struct.unpack("=iIBB2x", outcome.data), outcome.events


def test_messages_about_the_path(remote_ours, network):
    """IP_RECVERR: ws2ipdef.h has in IN_RECVERR the "MTU if frag needed or pkt too big message", and the
    message's type and code (RFC 792: 3 and 4, fragmentation needed; 11 and 0, time to live exceeded)."""
    remote = remote_ours
    with network.datagram() as friend, network.narrow(1000):
        where = friend.getsockname()
        s, _ = bound(remote)
        assert remote.setopt(s, IPPROTO_IP, IP_RECVERR, 1).error == 0
        assert remote.error_message(s).error == WSAEWOULDBLOCK
        assert remote.setopt(s, IPPROTO_IP, IP_DONTFRAGMENT, 1).error == 0
        assert send_until_refused(remote, s, "send", 1300, *where).error == WSAEMSGSIZE
        (protocol, mtu, kind, code), quoted = error_message(remote, s)
        assert (protocol, mtu, kind, code) == (1, 1000, 3, 4)
        assert 0 < quoted <= 1300
        while remote.error_message(s).error == 0:  # of all that was on its way
            pass
        assert remote.setopt(s, IPPROTO_IP, IP_TTL, 1).error == 0
        assert remote.send(s, "send", 4, *where).error == 0
        assert error_message(remote, s) == ((1, 0, 11, 0), 4)
