/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The inside of an event that is handed over, shared by handoff_event.c (state and waiting) and
 * handoff_event_table.c (handles and lives).  The rules are in handoff_event.c's header comment.
 */
#ifndef RINGSOCK_HANDOFF_EVENT_INTERNAL_H
#define RINGSOCK_HANDOFF_EVENT_INTERNAL_H

#include "handle_pages.h"
#include "handoff_event.h"

enum { EMPTY = 0, SET = 1, MOVING = 2, BELOW = 3, LENT = 5, NATIVE = 6 }; /* threads: fours */

struct handoff_event {
    SLIST_ENTRY next_free;
    HANDLE handle;
    HANDLE copy;              /* with which the evicted thread goes on: the handle may be closed */
    LONG volatile references; /* the handle, and each call under way; 0: free */
    LONG volatile state;
    LONG volatile changers;  /* calls that change what is below, under way */
    LONG volatile unclaimed; /* at least as many signals are below: sets whose end was not seen */
    DWORD evicted;           /* the thread that waited when it became NATIVE */
    LONG proofs;             /* who has it LENT writes it, and `fit` */
    bool fit;
};

/* ---- handoff_event_table.c ---- */

/* The handle is an event's: it is kept from here on, BELOW, and may be set. */
void handoff_event_add(HANDLE handle);
/* It is not kept any more: the handle's reference is the caller's.  NULL: it was not kept. */
struct handoff_event *handoff_event_remove(HANDLE handle);
struct handoff_event *handoff_event_hold_entry(void *volatile *entry);
void handoff_event_put(struct handoff_event *event);

/* With a reference.  NULL: the handle is not kept, which costs two loads and no call. */
static inline struct handoff_event *handoff_event_hold(HANDLE handle)
{
    void *volatile *entry = handle_find(HANDLE_HANDOFF, handle);

    return entry && *entry ? handoff_event_hold_entry(entry) : NULL;
}

#endif
