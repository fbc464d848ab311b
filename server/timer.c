/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Timers in one sorted list.
 *
 * Owns: the order.  Loop thread only, no locks.  A list and not a heap because arming must not fail
 * and because nearly all timers have one of two lengths, so the search from the end stops at once.
 */
#include "clock.h"
#include "timer.h"

void timer_init(struct timer *timer, void (*fire)(struct timer *timer))
{
    list_init(&timer->link);
    timer->when = 0;
    timer->fire = fire;
}

void timer_arm(struct link *timers, struct timer *timer, uint64_t when)
{
    struct link *place;

    timer_disarm(timer);
    timer->when = when;
    for (place = timers->prev; place != timers; place = place->prev) {
        if (container_of(place, struct timer, link)->when <= when)
            break;
    }
    list_insert_after(place, &timer->link);
}

void timer_disarm(struct timer *timer)
{
    list_remove(&timer->link);
}

bool timer_armed(const struct timer *timer)
{
    return !list_empty(&timer->link);
}

uint64_t timers_next(const struct link *timers)
{
    return list_empty(timers) ? CLOCK_NEVER : container_of(timers->next, struct timer, link)->when;
}

void timers_run(struct link *timers, uint64_t now)
{
    while (timers_next(timers) <= now) {
        struct timer *timer = container_of(timers->next, struct timer, link);

        timer_disarm(timer);
        timer->fire(timer);
    }
}
