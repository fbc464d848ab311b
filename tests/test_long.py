# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tests that run for minutes, on ours only: `make check-long`.  The suite leaves them out.

The model of tests/conformance/order_model.c and the stress of tests/conformance/cancel_stress.c,
with at least a million receives from each seed; random records to the server; as many sockets as
there can be.
"""
import random
import re
import resource
import subprocess

import pytest

from pressure import Run
from test_host import host_environment

pytestmark = pytest.mark.long

OPERATIONS = 1_000_000
HOUR = 3600
SEEDS = pytest.mark.parametrize("seed", [0x600D5EED, 0xDECADE, "new"])


def run_long(program, done_line, seed, width, ours, build, run_wine, capsys):
    """Runs the program from a seed; its line that matches says how much was done."""
    if seed == "new":
        seed = random.randrange(1 << 64)
    result = run_wine(build.exe(program, width), prefix=ours, timeout=HOUR + 60, check=False,
                      env={"RINGSOCK_TEST_SEED": hex(seed), "RINGSOCK_TEST_OPERATIONS": OPERATIONS,
                           "RINGSOCK_TEST_TIMEOUT": HOUR})
    done = re.search(rf"^{program}: {done_line} in \d+ ms$", result.out, re.MULTILINE)
    assert result.rc == 0 and done and int(done[1]) >= OPERATIONS, str(result)
    with capsys.disabled():
        print(f"\nfrom seed {seed:#x}, {width}: {done[0]}")


@SEEDS
def test_order_model(seed, width, ours, build, run_wine, capsys):
    run_long("order_model", r"(\d+) receives, .*", seed, width, ours, build, run_wine, capsys)


@SEEDS
def test_cancel_stress(seed, width, ours, build, run_wine, capsys):
    run_long("cancel_stress", r"(\d+) operations, .*", seed, width, ours, build, run_wine, capsys)


@pytest.mark.parametrize("seed", [10_000, "new"])
def test_fuzz(seed, build, tmp_path, capsys):
    """tests/host/test_server_fuzz.c: 20,000 sessions that do what they like."""
    program = build.dir / "tests/host/test_server_fuzz.asan"
    if not program.exists():
        pytest.skip("not built: make host-tests")
    if seed == "new":
        seed = random.randrange(1 << 32)
    env = {**host_environment(tmp_path), "RINGSOCK_TEST_SEED": str(seed),
           "RINGSOCK_TEST_OPERATIONS": "20000"}
    done = subprocess.run([str(program)], env=env, cwd=tmp_path, timeout=HOUR, check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace")
    assert done.returncode == 0, f"exit code {done.returncode}\n{done.stdout[-8000:]}"
    with capsys.disabled():
        print(f"\n{done.stdout}")


ALL_SOCKETS = 65535  # RS_MAX_SOCKETS - 1
MODE_HOLDS = 5  # mode sockets: a listener, a client, a pair; the connection that waits


def test_as_many_sockets_as_there_can_be(width, start_wine, build, ours, runtime):
    """The limit of a session, or that of the descriptors where it comes first (one for each socket):
    WSAEMFILE, one line that says which, what is there goes on, and what is closed can be had again.
    That all 65,535 can be in use on any machine is shown by tests/host/test_server_limits.c."""
    started = Run(start_wine, build, width, ours, runtime, "under_pressure", "sockets")
    started.program.wait_for("READY")
    started.go_on()
    result = started.done(HOUR)
    refused = re.findall(r"^REFUSED (\d+) (\d+)$", result.out, re.M)
    assert len(refused) == 3 and all(error == "10024" for _, error in refused), str(result)
    descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    descriptors -= descriptors // 32  # which the server leaves to wineserver
    most, said = ALL_SOCKETS - MODE_HOLDS, "all of its 65535 sockets are in use"
    if descriptors < ALL_SOCKETS + 200:
        most, said = descriptors, f"of the {descriptors} descriptors that this server may have"
    for count, _ in refused:
        assert most - 100 <= int(count) <= most + MODE_HOLDS, str(result)
    assert len(re.findall(said, result.log)) <= 1 + int(result.seconds) // 10, result.log
    assert said in result.log, result.log
