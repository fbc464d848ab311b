/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether the server looks for work for a moment before it sleeps.  See spin.c.
 */
#ifndef SERVER_SPIN_H
#define SERVER_SPIN_H

#include <stdbool.h>
#include <stdint.h>

#define SPIN_TIME ((uint64_t)RS_CLOCK_PER_MS / 20)

struct spin {
    bool allowed;
    unsigned score;  /* how often of late it would have paid, or did */
    uint64_t resume; /* rs clock: not before */
};

void spin_init(struct spin *spin, bool allowed);
bool spin_is_worth_it(const struct spin *spin, uint64_t now);
/* A spin is over: whether something came, and the longest time between two looks. */
void spin_over(struct spin *spin, bool paid, uint64_t longest_gap, uint64_t now);
/* Slept for so long, in rs clock, until something came. */
void spin_slept(struct spin *spin, uint64_t time);

#endif
