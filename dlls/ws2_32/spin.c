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
 * for it.  But giving it away is a system call, which is slower to see something, and takes from
 * the server if its processor shares a core with this one.  So where that came back at once, nobody
 * else wants this processor, and PAUSES looks follow with only a pause between them: that makes 7 %
 * more connections and nothing slower (docs/performance.md).
 */
#include "spin.h"
#include "switches.h"

#define LOOKS  4 /* for each at the clock */
#define PAUSES 64
#define ALONE  ((uint64_t)RS_CLOCK_PER_MS / 250) /* for LOOKS system calls, if nothing else ran */

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

static bool look_without_yielding(const struct waiter *waiter)
{
    bool found = false;

    for (int i = 0; i < PAUSES && !(found = waiter_has_something(waiter)); i++)
        YieldProcessor();
    return found;
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
        if (!found && now - last < ALONE) {
            found = look_without_yielding(waiter);
            now = rs_clock();
        }
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
