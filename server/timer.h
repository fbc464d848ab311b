/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Things to do later, on the loop thread.  See timer.c.
 */
#ifndef SERVER_TIMER_H
#define SERVER_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#include "list.h"

struct timer {
    struct link link;
    uint64_t when; /* rs clock */
    void (*fire)(struct timer *timer);
};

void timer_init(struct timer *timer, void (*fire)(struct timer *timer));
void timer_arm(struct link *timers, struct timer *timer, uint64_t when);
void timer_disarm(struct timer *timer);
bool timer_armed(const struct timer *timer);
uint64_t timers_next(const struct link *timers); /* CLOCK_NEVER if there is none */
void timers_run(struct link *timers, uint64_t now);

#endif
