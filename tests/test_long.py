# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tests that run for minutes, on ours only: `make check-long`.  The suite leaves them out.

The model of tests/conformance/order_model.c with at least a million receives from each seed.
"""
import random
import re

import pytest

pytestmark = pytest.mark.long

OPERATIONS = 1_000_000
HOUR = 3600


@pytest.mark.parametrize("seed", [0x600D5EED, 0xDECADE, "new"])
def test_order_model(seed, width, ours, build, run_wine, capsys):
    if seed == "new":
        seed = random.randrange(1 << 64)
    result = run_wine(build.exe("order_model", width), prefix=ours, timeout=HOUR + 60, check=False,
                      env={"RINGSOCK_TEST_SEED": hex(seed), "RINGSOCK_TEST_OPERATIONS": OPERATIONS,
                           "RINGSOCK_TEST_TIMEOUT": HOUR})
    done = re.search(r"^order_model: (\d+) receives, .* in \d+ ms$", result.out, re.MULTILINE)
    assert result.rc == 0 and done and int(done[1]) >= OPERATIONS, str(result)
    with capsys.disabled():
        print(f"\nfrom seed {seed:#x}: {done[0]}")
