# SPDX-License-Identifier: LGPL-2.1-or-later
"""Raw sockets of a server that has no right to them: ICMP through Linux's sockets for echo requests where
net.ipv4.ping_group_range allows it, WSAEACCES for the others and where it does not."""
import re
import shutil

import pytest

import netns

WITHOUT_RIGHT = ["setpriv", "--inh-caps=-net_raw", "--bounding-set=-net_raw"]


@pytest.fixture(scope="module")
def inside():
    reason = netns.missing() or ("" if shutil.which("setpriv") else "setpriv not found (util-linux)")
    if reason:
        pytest.skip(reason)
    made = netns.Namespace()
    yield made
    made.end()


@pytest.fixture
def weak_prefix(inside, get_prefix_inside):
    return get_prefix_inside("ping", "ours", [*inside.inside, *WITHOUT_RIGHT])


def skipped(out, test):
    return int(re.search(rf"raw: {test}: .* (\d+) skipped", out)[1])


@pytest.mark.parametrize("groups, allowed", [("0 2147483647", True), ("1 0", False)])
def test_ping(build, width, weak_prefix, inside, start_wine, groups, allowed):
    inside.sysctl("ipv4/ping_group_range", groups.replace(" ", "\t"))
    out = start_wine(build.exe("raw", width), prefix=weak_prefix).wait().out
    assert re.search(r"\(\d+ marked as todo, 0 as failures\)", out), out
    assert (skipped(out, "test_echo") == 0) == allowed, out
    assert skipped(out, "test_header_option") == 1, out  # protocol 255 is never allowed
