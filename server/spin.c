/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * When to spin.
 *
 * Owns: struct spin.  Loop thread only, no locks.
 *
 * To fall asleep and be woken costs more than a short message does: on a virtual machine with two
 * processors some 20 us, during which the program waits too (docs/performance.md).  So where the
 * last sleeps were shorter than a spin, or the last spins found something, the server looks at its
 * rings for SPIN_TIME before it sleeps.  Who is idle, or has always something to do, never spins,
 * and nobody spins at the expense of others: with one processor not at all, and for a while not
 * after this thread has stood still while it spun, which says that somebody else needed its
 * processor.
 */
#include <sched.h>

#include "ringsock/abi.h"

#include "clock.h"
#include "spin.h"

#define SCORE_WORTH 4u
#define SCORE_MAX   8u
#define STOOD_STILL (RS_CLOCK_PER_MS / 2)
#define REST        (100 * (uint64_t)RS_CLOCK_PER_MS)

static bool several_processors(void)
{
    cpu_set_t set;

    return !sched_getaffinity(0, sizeof(set), &set) && CPU_COUNT(&set) > 1;
}

void spin_init(struct spin *spin, bool allowed)
{
    *spin = (struct spin){.allowed = allowed && several_processors()};
}

bool spin_is_worth_it(const struct spin *spin, uint64_t now)
{
    return spin->score >= SCORE_WORTH && now >= spin->resume;
}

static void count(struct spin *spin, bool paid)
{
    if (!spin->allowed)
        return;
    if (paid && spin->score < SCORE_MAX)
        spin->score++;
    else if (!paid && spin->score)
        spin->score--;
}

void spin_over(struct spin *spin, bool paid, uint64_t longest_gap, uint64_t now)
{
    count(spin, paid);
    if (longest_gap > STOOD_STILL)
        spin->resume = now + REST;
}

void spin_slept(struct spin *spin, uint64_t time)
{
    count(spin, time < 2 * SPIN_TIME);
}
