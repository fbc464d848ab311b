# SPDX-License-Identifier: LGPL-2.1-or-later
"""Conformance programs on ours with one fast way, or the server's threads, switched off: every test has the same result.

The server reads RINGSOCK_SHORTCUT and RINGSOCK_WORKERS when it starts, so these runs have a server of their own.
"""
import pytest

from test_conformance import count_tests, summary

# Not among them is what only the fast way does: on Wine 8.0 the kernel's port does not tell who waits
# that it was closed (port_stress), and an operation knows the kernel's event by its handle, not by
# its object (event_objects).
STREAMS = ("tcp", "order", "order_model", "cancel_stress", "socket_reuse", "linger", "oob", "nonblocking",
           "transmit_file", "acceptex", "connectex", "select", "udp")
PORTS = ("iocp", "iocp_mixed", "port_handles", "acceptex", "completion", "order_model")
EVENTS = ("event_stress", "eventselect", "apc", "completion_routines", "overlapped",
          "order_model", "handoff_event", "handoff_stress")
SEVERAL = ("duplicate_socket", "pause_accept", "unix_socket")  # with a child
SWITCHES = (("RINGSOCK_SHORTCUT", STREAMS), ("RINGSOCK_FASTPORT", PORTS), ("RINGSOCK_FASTEVENT", EVENTS),
            ("RINGSOCK_FASTTIMER", ("sleep_timer",)), ("RINGSOCK_WORKERS", SEVERAL))
RUNS = [(switch, program) for switch, programs in SWITCHES for program in programs]


def results(counts):
    """What each test came to.  Not how many checks it made: how often one tries until a buffer is full,
    or how much comes at once, is chance."""
    return {test: {what: of_test[what] for what in ("todo", "failed", "skipped", "left_out")}
            for test, of_test in counts.items()}


@pytest.mark.parametrize("switch,program", RUNS, ids=[f"{s.split('_')[1].lower()}-{p}" for s, p in RUNS])
def test_switched_off(switch, program, width, ours, build, run_wine, runtime, test_counts):
    result = run_wine(build.exe(program, width), prefix=ours, timeout=180, check=False,
                      env={switch: "0", "RINGSOCK_RUNTIME_DIR": runtime, "RINGSOCK_TEST_TIMEOUT": "150",
                           "RINGSOCK_TEST_OPERATIONS": "1000"})
    assert int(summary(result)["failures"]) == 0 and result.rc == 0, str(result)
    assert "ringsock: " in result.log, f"ours was not in use: {result}"
    counts = count_tests(result)
    assert counts, f"no test counted: {result}"
    whole = test_counts.get((program, width, "ours"))
    assert not whole or results(counts) == results(whole)
