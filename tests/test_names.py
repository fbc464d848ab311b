# SPDX-License-Identifier: LGPL-2.1-or-later
"""Names that a DNS server and a hosts file of the test's own know, asked for in each way that Winsock
has (tests/programs/names.c), on Wine's own DLL and on ours.

The prefix's Wine, wineserver and ringsock-server run in a network namespace, with /etc/resolv.conf and
/etc/hosts of the test's own mounted over the machine's.  Codes and addresses are those of the pages of
getaddrinfo, GetAddrInfoExW, gethostbyname, gethostbyaddr and getnameinfo.  What Wine's DLL gives instead
stands as `wine=`; ANY: it depends on its version.
"""
import ipaddress
import shutil
import socket
import time
from types import SimpleNamespace

import pytest

import dns
import netns
from conftest import Running
from dns import A, AAAA, CNAME, PTR

WSAHOST_NOT_FOUND, WSATRY_AGAIN, WSANO_RECOVERY, WSANO_DATA = 11001, 11002, 11003, 11004
ANY = object()
UNSPEC, INET, INET6 = 0, 2, 23  # Windows'
AI_CANONNAME, AI_NUMERICHOST, AI_ALL, AI_ADDRCONFIG, AI_V4MAPPED = 2, 4, 0x100, 0x400, 0x800
AI_NON_AUTHORITATIVE, AI_SECURE, AI_RETURN_PREFERRED_NAMES = 0x4000, 0x8000, 0x10000
AI_FQDN, AI_FILESERVER, AI_DISABLE_IDN_ENCODING, AI_DNS_ONLY = 0x20000, 0x40000, 0x80000, 0x10
NI_NOFQDN, NI_NUMERICHOST, NI_NAMEREQD = 1, 2, 4

HOME4, HOME6 = "10.77.9.1", "2001:db8:9::1"
MANY = [f"192.0.2.{number}" for number in range(1, 101)]  # does not fit into a datagram
NAMES = {
    "both.test": {A: "192.0.2.1", AAAA: "2001:db8::1"},
    "four.test": {A: ["192.0.2.4", "192.0.2.5"]},
    "six.test": {AAAA: "2001:db8::6"},
    "empty.test": {},
    "alias.test": {CNAME: "other.test"},
    "other.test": {CNAME: "four.test"},
    "many.test": {A: MANY},
    "broken.test": dns.SERVFAIL,
    "silent.test": dns.SILENT,
    "slow.test": dns.Late(1, {A: "192.0.2.7"}),
    "xn--bcher-kva.test": {A: "192.0.2.8"},
    "malformed.test": dns.FORMERR,
    # this machine's own name, which no server is asked for
    socket.gethostname().split(".")[0].lower(): dns.SILENT,
    f"{socket.gethostname().split('.')[0].lower()}.test": dns.SILENT,
    ipaddress.ip_address("192.0.2.4").reverse_pointer: {PTR: "four.test"},
    ipaddress.ip_address("2001:db8::6").reverse_pointer: {PTR: "six.test"},
}
HOSTS = """127.0.0.1 localhost
192.0.2.40 hosts.test alias.hosts.test
2001:db8::40 hosts.test
"""
# No attempt after the first: what is silent is given up after 3 seconds.
RESOLV = f"nameserver {HOME4}\nsearch none.test test\noptions timeout:3 attempts:1\n"


class Home:
    """A network namespace with a DNS server in it."""

    def __init__(self, directory):
        self.namespace = netns.Namespace()
        run = self.namespace.run
        run("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "eth1")
        self.namespace.sysctl("ipv6/conf/eth0/accept_dad", 0)
        for link in ("eth0", "eth1"):
            run("ip", "link", "set", link, "up")
        run("ip", "address", "add", f"{HOME4}/24", "dev", "eth0")
        run("ip", "address", "add", f"{HOME6}/64", "dev", "eth0", "nodad")
        with self.namespace.entered():
            dns.serve(HOME4, NAMES)
        for name, text in (("resolv.conf", RESOLV), ("hosts", HOSTS)):
            (directory / name).write_text(text)
        mounts = "".join(f'mount --bind "{directory / name}" /etc/{name} && '
                         for name in ("resolv.conf", "hosts"))
        # in a chroot "/" is no mount, and cannot be made private; there it is already (tools/winetree)
        private = "if mountpoint -q /; then mount --make-rprivate / || exit; fi"
        self.inside = [*self.namespace.inside, "unshare", "--mount", "--propagation", "unchanged", "--",
                       "sh", "-c", f'{private}; {mounts} exec "$@"', "sh"]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    if reason := netns.missing():
        pytest.skip(reason)
    made = Home(tmp_path_factory.mktemp("names"))
    yield made
    made.namespace.end()


@pytest.fixture(scope="module")
def get_start(build, home, get_prefix_inside):
    """start(arguments) -> Running, in a prefix whose wineserver is inside too."""
    logs = build.dir / "tests/logs/test_names"
    shutil.rmtree(logs, ignore_errors=True)

    def get(target, width):
        prefix = get_prefix_inside("names", target, home.inside)

        def start(*words):
            directory = logs / f"{target}-{width}-{time.monotonic_ns()}"
            env = prefix.env(RINGSOCK_LOG="info", RINGSOCK_LOG_PATH=str(directory))
            argv = [*prefix.inside, build.wine, str(build.exe("names", width)), *map(str, words)]
            return Running(prefix, argv, env, directory, None, None)

        return start

    return get


def parse(line):
    fields = dict(word.split("=", 1) for word in line.split(" "))
    split = {name: [word for word in fields[name].split(",") if word]
             for name in ("aliases", "addresses")}
    return SimpleNamespace(error=int(fields["error"]), ms=int(fields["ms"]), name=fields["name"],
                           **split)


@pytest.fixture
def look_up(get_start, target, width, record_property):
    """look_up((call, name, family, flags), ...) -> what each has found."""
    start = get_start(target, width)

    def run(*lookups, before=()):
        words = [word for lookup in lookups for word in lookup]
        result = start(*before, *words).wait(90)
        lines = [parse(line) for line in result.out.splitlines() if line.startswith("error=")]
        assert result.rc == 0 and len(lines) == len(lookups), str(result)
        return lines

    run.target, run.record_property = target, record_property
    return run


def expect(look_up, found, wanted, wine=None):
    """Windows' answer; or Wine's own DLL's, if it is another."""
    if look_up.target == "builtin" and wine is ANY:
        return
    if look_up.target == "builtin" and wine is not None and found != wanted:
        look_up.record_property("differs", str(found))
        assert found in wine, found
    else:
        assert found == wanted


@pytest.mark.parametrize("call", ["addrinfo", "addrinfo_a", "ex"])
def test_addresses(look_up, call):
    """"AF_UNSPEC: The address family is unspecified", that is both; each family by itself."""
    both, four, six = look_up((call, "both.test", UNSPEC, 0), (call, "both.test", INET, 0),
                              (call, "both.test", INET6, 0))
    assert sorted(both.addresses) == ["192.0.2.1", "2001:db8::1"]
    assert four.addresses == ["192.0.2.1"] and six.addresses == ["2001:db8::1"]


def test_all_addresses(look_up):
    found, by_name = look_up(("addrinfo", "four.test", UNSPEC, 0), ("hostbyname", "four.test", 0, 0))
    assert sorted(found.addresses) == sorted(by_name.addresses) == ["192.0.2.4", "192.0.2.5"]


def test_an_answer_too_large_for_a_datagram(look_up):
    found, by_name = look_up(("addrinfo", "many.test", INET, 0), ("hostbyname", "many.test", 0, 0))
    assert sorted(found.addresses) == sorted(MANY)
    assert set(by_name.addresses) <= set(MANY) and len(by_name.addresses) > 30


@pytest.mark.parametrize("call", ["addrinfo", "addrinfo_a", "ex", "hostbyname"])
def test_no_such_name(look_up, call):
    """WSAHOST_NOT_FOUND: "The name does not resolve for the supplied parameters"."""
    found, = look_up((call, "nothing.test", UNSPEC, 0))
    assert found.error == WSAHOST_NOT_FOUND


@pytest.mark.parametrize("call", ["addrinfo", "addrinfo_a", "ex"])
def test_no_address_of_the_family(look_up, call):
    """WSANO_DATA, "Valid name, no data record of requested type", of Winsock's error codes."""
    six, four, none = look_up((call, "four.test", INET6, 0), (call, "six.test", INET, 0),
                              (call, "empty.test", UNSPEC, 0))
    for found in (six, four, none):
        expect(look_up, found.error, WSANO_DATA, wine=(WSAHOST_NOT_FOUND,))


def test_gethostbyname_has_no_address(look_up):
    six, empty = look_up(("hostbyname", "six.test", 0, 0), ("hostbyname", "empty.test", 0, 0))
    for found in (six, empty):
        expect(look_up, found.error, WSANO_DATA, wine=(WSAHOST_NOT_FOUND,))


@pytest.mark.parametrize("call", ["addrinfo", "addrinfo_a", "ex", "hostbyname"])
@pytest.mark.parametrize("name", ["broken.test", "silent.test"])
def test_the_server_fails(look_up, call, name):
    """WSATRY_AGAIN: "A temporary failure in name resolution occurred"; also where there are domains to
    search, which know no such name."""
    found, = look_up((call, name, INET, 0))
    expect(look_up, found.error, WSATRY_AGAIN, wine=(WSAHOST_NOT_FOUND,))
    assert found.ms < 15000


@pytest.mark.parametrize("call", ["addrinfo", "ex", "hostbyname"])
def test_the_server_fails_for_good(look_up, call):
    """WSANO_RECOVERY: "a DNS request was returned by the server with a severe error"."""
    found, = look_up((call, "malformed.test.", INET, 0))
    expect(look_up, found.error, WSANO_RECOVERY, wine=(WSAHOST_NOT_FOUND,))


@pytest.mark.parametrize("call", ["addrinfo", "ex", "hostbyname"])
def test_spelling(look_up, call):
    """Names are the same in large letters and with the dot of the root (RFC 4343, RFC 1034)."""
    found = look_up((call, "BOTH.Test", INET, 0), (call, "both.test.", INET, 0))
    assert [one.addresses for one in found] == [["192.0.2.1"]] * 2


def test_flat_names(look_up):
    """A name without a dot is looked for in the domains of this machine."""
    found, by_name = look_up(("addrinfo", "both", INET, 0), ("hostbyname", "both", 0, 0))
    assert found.addresses == by_name.addresses == ["192.0.2.1"]


def test_fully_qualified_names(look_up):
    """AI_FQDN: with a flat name, "return the fully qualified domain name that the name eventually
    resolved to. ... This is different than AI_CANONNAME bit flag that returns the canonical name
    registered in DNS"."""
    flat, alias, canonical, whole = look_up(("addrinfo", "both", INET, AI_FQDN),
                                            ("addrinfo", "alias", INET, AI_FQDN),
                                            ("addrinfo", "alias", INET, AI_CANONNAME),
                                            ("addrinfo", "both.test", INET, AI_FQDN))
    assert canonical.name == "four.test"
    assert sorted(alias.addresses) == ["192.0.2.4", "192.0.2.5"] and flat.addresses == ["192.0.2.1"]
    expect(look_up, (flat.name, alias.name, whole.name), ("both.test", "alias.test", "both.test"),
           wine=(("", "", ""), ("both.test", "four.test", "both.test")))


@pytest.mark.parametrize("flag", [AI_ADDRCONFIG, AI_NON_AUTHORITATIVE, AI_SECURE, AI_RETURN_PREFERRED_NAMES,
                                  AI_FILESERVER, AI_DNS_ONLY])
def test_flags_that_change_nothing(look_up, flag):
    """AI_ADDRCONFIG where both kinds of address are configured; three "apply only to the NS_EMAIL
    namespace"; AI_FILESERVER: "The namespace provider may ignore this hint"; AI_DNS_ONLY, "Restrict
    queries to unicast DNS only (no LLMNR, netbios, etc.)" (ws2def.h of the SDK), where there is no other."""
    calls = ("addrinfo", "addrinfo_a", "ex")
    for found in look_up(*((call, "both.test", UNSPEC, flag) for call in calls)):
        assert sorted(found.addresses) == ["192.0.2.1", "2001:db8::1"]
    for found in look_up(*((call, "nothing.test", UNSPEC, flag) for call in calls)):
        assert found.error == WSAHOST_NOT_FOUND


def test_own_names_ask_nobody(look_up):
    """"If the pNodeName parameter points to a computer name, all permanent addresses for the computer
    ... are returned"; "an empty string", "..localmachine": "all registered addresses on the local
    computer"; "localhost": "all loopback addresses".  The server says nothing to the own name."""
    name = socket.gethostname().split(".")[0]
    own, large, machine, by_name, loopback = look_up(
        ("addrinfo", name, INET, 0), ("addrinfo_a", name.upper(), INET, 0),
        ("addrinfo", "..localmachine", INET, 0), ("hostbyname", name, 0, 0),
        ("addrinfo", "LocalHost", INET, 0))
    assert loopback.addresses == ["127.0.0.1"] and loopback.ms < 2500
    for found in (own, large, machine, by_name):
        expect(look_up, found.addresses, [HOME4], wine=ANY)
        assert look_up.target == "builtin" or found.ms < 2500


def test_canonical_names(look_up):
    """AI_CANONNAME: the name that the alias stands for."""
    found, plain, by_name = look_up(("addrinfo", "alias.test", INET, AI_CANONNAME),
                                    ("addrinfo", "alias.test", INET, 0),
                                    ("hostbyname", "alias.test", 0, 0))
    assert found.name == by_name.name == "four.test" and plain.name == ""
    assert sorted(found.addresses) == sorted(by_name.addresses) == ["192.0.2.4", "192.0.2.5"]
    expect(look_up, "alias.test" in by_name.aliases, True, wine=(False,))


def test_mapped_addresses(look_up):
    """AI_V4MAPPED: "If the AI_V4MAPPED bit is set and a request for IPv6 addresses fails, a name
    service request is made for IPv4 addresses"; AI_ALL: both."""
    mapped, unused, both = look_up(("addrinfo", "four.test", INET6, AI_V4MAPPED),
                                   ("addrinfo", "both.test", INET6, AI_V4MAPPED),
                                   ("addrinfo", "both.test", INET6, AI_V4MAPPED | AI_ALL))
    expect(look_up, sorted(mapped.addresses), ["::ffff:192.0.2.4", "::ffff:192.0.2.5"], wine=([],))
    assert unused.addresses == ["2001:db8::1"]
    expect(look_up, sorted(both.addresses), ["2001:db8::1", "::ffff:192.0.2.1"],
           wine=(["2001:db8::1"],))


def test_numeric_only(look_up):
    """AI_NUMERICHOST: "a non-NULL string passed in the pNodeName parameter must be a numeric host
    address"; no server is asked."""
    name, slow, number = look_up(("addrinfo", "both.test", UNSPEC, AI_NUMERICHOST),
                                 ("addrinfo", "silent.test", UNSPEC, AI_NUMERICHOST),
                                 ("addrinfo", "192.0.2.9", UNSPEC, AI_NUMERICHOST))
    assert (name.error, slow.error, number.error) == (WSAHOST_NOT_FOUND, WSAHOST_NOT_FOUND, 0)
    assert slow.ms < 2500 and number.addresses == ["192.0.2.9"]


def test_hosts_file(look_up):
    found, alias, by_name = look_up(("addrinfo", "hosts.test", UNSPEC, 0),
                                    ("addrinfo", "alias.hosts.test", INET, AI_CANONNAME),
                                    ("hostbyname", "alias.hosts.test", 0, 0))
    assert sorted(found.addresses) == ["192.0.2.40", "2001:db8::40"]
    assert alias.addresses == by_name.addresses == ["192.0.2.40"]
    assert alias.name == by_name.name == "hosts.test"


@pytest.mark.parametrize("call", ["addrinfo", "addrinfo_a", "ex"])
def test_international_names(look_up, call):
    """"Support for IDN parsing applied to the name", unless it is in that form already."""
    written, large, encoded = look_up((call, "b\u00fccher.test", INET, 0),
                                      (call, "B\u00dcCHER.test", INET, 0),
                                      (call, "xn--bcher-kva.test", INET, 0))
    assert encoded.addresses == ["192.0.2.8"]
    for found in (written, large):
        expect(look_up, found.addresses, ["192.0.2.8"], wine=([],))


def test_international_names_as_they_are(look_up):
    """"Winsock performs Punycode/IDN encoding and conversion. This behavior can be disabled using the
    AI_DISABLE_IDN_ENCODING flag"."""
    found, = look_up(("addrinfo", "b\u00fccher.test", INET, AI_DISABLE_IDN_ENCODING))
    assert found.error and not found.addresses


def test_reverse(look_up):
    named4, named6, by_addr = look_up(("nameinfo", "192.0.2.4", INET, 0),
                                      ("nameinfo", "2001:db8::6", INET6, 0),
                                      ("hostbyaddr", "192.0.2.4", INET, 0))
    assert (named4.name, named6.name, by_addr.name) == ("four.test", "six.test", "four.test")


def test_reverse_forms(look_up):
    """NI_NOFQDN: "only their Relative Distinguished Name (RDN) returned"; the Unicode form, and what
    the hosts file names."""
    short, wide, wide_number, of_file, by_addr = look_up(
        ("nameinfo", "192.0.2.4", INET, NI_NOFQDN), ("nameinfo_w", "192.0.2.4", INET, 0),
        ("nameinfo_w", "2001:db8::6", INET6, NI_NUMERICHOST), ("nameinfo", "192.0.2.40", INET, 0),
        ("hostbyaddr", "192.0.2.40", INET, 0))
    assert (wide.name, wide_number.name) == ("four.test", "2001:db8::6")
    assert of_file.name == by_addr.name == "hosts.test"
    expect(look_up, short.name, "four", wine=("four.test",))


def test_reverse_without_a_name(look_up):
    """getnameinfo: "If the ... host name cannot be determined, the numeric form is returned instead";
    NI_NAMEREQD: "an error is returned"."""
    number, error, by_addr, asked = look_up(("nameinfo", "192.0.2.99", INET, 0),
                                            ("nameinfo", "192.0.2.99", INET, NI_NAMEREQD),
                                            ("hostbyaddr", "192.0.2.99", INET, 0),
                                            ("nameinfo", "192.0.2.4", INET, NI_NUMERICHOST))
    assert number.name == "192.0.2.99" and asked.name == "192.0.2.4"
    assert error.error == WSAHOST_NOT_FOUND
    expect(look_up, by_addr.error, WSANO_DATA, wine=(WSAHOST_NOT_FOUND,))


def test_slow_names_delay_their_callers_only(look_up):
    """60 threads wait for a server that says nothing; others are answered meanwhile."""
    found = look_up(("addrinfo", "both.test", INET, 0), ("hostbyname", "four.test", 0, 0),
                    ("nameinfo", "192.0.2.4", INET, 0), ("addrinfo", "slow.test", INET, 0),
                    before=("-silent", 60, "silent.test"))
    assert [one.error for one in found] == [0, 0, 0, 0]
    assert max(one.ms for one in found[:3]) < 2500 and 900 < found[3].ms < 3000


def test_slow_names_do_not_delay_other_programs(get_start, width):
    """Though one asks for more than the server looks up at once."""
    start = get_start("ours", width)
    greedy = start("-silent", 400, "silent.test", "addrinfo", "silent.test", INET, 0)
    time.sleep(1.5)
    other = start("addrinfo", "both.test", INET, 0).wait(60)
    found = parse(other.out.strip())
    greedy.wait(90)
    assert found.error == 0 and found.addresses == ["192.0.2.1"], str(other)
    assert found.ms < 1500, str(other)
