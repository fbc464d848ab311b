/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A value of each thread, in a TLS slot that is made when the first value is set.
 */
#ifndef RINGSOCK_THREAD_SLOT_H
#define RINGSOCK_THREAD_SLOT_H

#include "winsock.h"

struct thread_slot {
    LONG volatile plus_one; /* 0: none yet */
};

/* NULL: never set.  Neither changes the last error; without a slot left NULL is what everybody
 * finds. */
void *thread_slot_get(const struct thread_slot *slot);
void thread_slot_set(struct thread_slot *slot, void *value);

#endif
