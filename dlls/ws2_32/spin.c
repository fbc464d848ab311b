/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Looking before parking (include/ringsock/spin.h says when).
 *
 * Owns: how many threads of this process spin, and may.  No locks; the slot's state says LOOKING
 * meanwhile, so the server neither writes to its FIFO nor wakes the pump in its place
 * (docs/concurrency.md).
 *
 * Between two looks the thread gives its processor away: with as many threads that spin as there
 * are processors, and a server that spins too, each of them gets on as soon as there is something
 * for it.
 */
#include "spin.h"
#include "switches.h"

#define LOOKS 4 /* for each at the clock */

static LONG volatile spinners;

/* How many may spin: as many as there are processors, nobody on only one. */
static LONG most_spinners;

void spin_prepare(void)
{
    DWORD_PTR own, all;
    LONG count = 0;

    if (!switched_off(L"RINGSOCK_SPIN") && GetProcessAffinityMask(GetCurrentProcess(), &own, &all))
        for (; own; own &= own - 1)
            count++;
    most_spinners = count > 1 ? count : 0;
}

static bool look(struct waiter *waiter, uint64_t deadline, uint64_t begin)
{
    uint64_t last = begin, longest_gap = 0;
    bool found = false;

    while (!found && last - begin < RS_SPIN_TIME && last < deadline) {
        uint64_t now;

        for (int i = 0; i < LOOKS && !(found = waiter_has_something(waiter)); i++)
            SwitchToThread();
        now = rs_clock();
        longest_gap = now - last > longest_gap ? now - last : longest_gap;
        last = now;
    }
    rs_spin_over(&waiter->spin, found, longest_gap, last);
    return found;
}

bool spin(struct waiter *waiter, uint64_t deadline)
{
    uint64_t now = rs_clock();
    bool found = false;

    if (!rs_spin_is_worth_it(&waiter->spin, now))
        return false;
    if (InterlockedIncrement(&spinners) <= most_spinners) {
        /* a promise to look again after whatever state comes next, as who parks does */
        __atomic_store_n(&waiter->shared->state, RS_SLOT_LOOKING, __ATOMIC_SEQ_CST);
        found = look(waiter, deadline, now);
        if (found)
            __atomic_store_n(&waiter->shared->state, RS_SLOT_RUNNING, __ATOMIC_SEQ_CST);
    }
    InterlockedDecrement(&spinners);
    return found;
}
