/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * When to look for work for a moment before falling asleep: both halves decide it alike.
 *
 * To fall asleep and be woken costs more than a short message does: on a virtual machine with two
 * processors some 20 us, and more where the processor itself has gone to sleep
 * (docs/performance.md).  So where the last sleeps were shorter than two spins, or the last spins
 * found something, it is worth it to look for RS_SPIN_TIME first.  Who is idle, or has always
 * something to do, never spins, and nobody spins at the expense of others: who stood still while it
 * spun, which says that somebody else needed its processor, does not for a while.
 *
 * No locks: a struct rs_spin belongs to one thread.  All times are in rs clock.
 */
#ifndef RINGSOCK_SPIN_H
#define RINGSOCK_SPIN_H

#include <stdbool.h>
#include <stdint.h>

#include "ringsock/abi.h"

#define RS_SPIN_TIME        ((uint64_t)RS_CLOCK_PER_MS / 20)
#define RS_SPIN_WORTH       4u
#define RS_SPIN_MAX         8u
#define RS_SPIN_STOOD_STILL ((uint64_t)RS_CLOCK_PER_MS / 2)
#define RS_SPIN_REST        (100 * (uint64_t)RS_CLOCK_PER_MS)

struct rs_spin {
    unsigned score;  /* how often of late it would have paid, or did */
    uint64_t resume; /* not before */
};

static inline bool rs_spin_is_worth_it(const struct rs_spin *spin, uint64_t now)
{
    return spin->score >= RS_SPIN_WORTH && now >= spin->resume;
}

static inline void rs_spin_count(struct rs_spin *spin, bool paid)
{
    if (paid && spin->score < RS_SPIN_MAX)
        spin->score++;
    else if (!paid && spin->score)
        spin->score--;
}

/* A spin is over: whether something came, and the longest time between two looks. */
static inline void rs_spin_over(struct rs_spin *spin, bool paid, uint64_t longest_gap, uint64_t now)
{
    rs_spin_count(spin, paid);
    if (longest_gap > RS_SPIN_STOOD_STILL)
        spin->resume = now + RS_SPIN_REST;
}

/* Slept for so long until something came. */
static inline void rs_spin_slept(struct rs_spin *spin, uint64_t time)
{
    rs_spin_count(spin, time < 2 * RS_SPIN_TIME);
}

#endif
