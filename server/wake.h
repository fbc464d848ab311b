/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Waking the threads of a process.  See wake.c.
 */
#ifndef SERVER_WAKE_H
#define SERVER_WAKE_H

#include <stdbool.h>
#include <stdint.h>

struct session;

#define WAKES_REMEMBERED 16

/* Who is to be woken soon. */
struct wakes {
    uint32_t *words; /* RS_WAKE_*, or WAKE_SOCKET | index: "whoever is interested in that socket" */
    uint32_t count, size;
    bool pump; /* the list could not grow: the pump sorts it out */
    uint32_t woken[WAKES_REMEMBERED], woken_count; /* slots that this turn has woken already */
};

void wake_word(struct session *session, uint32_t word);
void wake_socket(struct session *session, uint32_t index);
/* Wakes those noted so far. */
void wake_all(struct session *session);
/* The end of a turn: whoever was woken in it may be woken again. */
void wake_turn_over(struct session *session);
/* Un-parks threads whose deadline is over; returns the next one, CLOCK_NEVER if there is none. */
uint64_t wake_deadlines(struct session *session, uint64_t now);
int wake_make_slot(struct session *session, uint32_t slot); /* 0 or -errno */
void wake_close(struct session *session);

#endif
