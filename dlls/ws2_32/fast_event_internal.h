/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The inside of a fast event, shared by fast_event.c (state), fast_event_wait.c (waiting) and
 * fast_event_table.c (handles and lives).  The rules are in fast_event.c's header comment.
 */
#ifndef RINGSOCK_FAST_EVENT_INTERNAL_H
#define RINGSOCK_FAST_EVENT_INTERNAL_H

#include "fast_event.h"
#include "waiter.h"

enum event_mode { EVENT_PLAIN, EVENT_FAST, EVENT_NATIVE };

struct event_handle {
    struct event_handle *next;
    HANDLE handle;
    unsigned lacks;
};

/* One event in one thread's parked wait. */
struct event_link {
    struct event_link *next, **previous;
    struct parked_wait *wait;
};

/* What one wait waits for. */
struct event_set {
    ULONG count;
    bool any;
    LONG volatile satisfied; /* the index, or NOT_SATISFIED */
    struct event *events[MAXIMUM_WAIT_OBJECTS];
};

/* A thread in the FIFO phase.  On the heap, its waiter's: the thread may be terminated there. */
struct parked_wait {
    struct waiter *waiter;
    bool linked;
    struct event_set set;
    struct event_link links[MAXIMUM_WAIT_OBJECTS];
};
#define NOT_SATISFIED (-1)

struct event {
    LONG volatile mode;     /* written under the lock */
    LONG volatile changers; /* interlocked: real calls that change a plain event, under way */

    /* guarded by events_lock */
    bool manual;
    bool set;            /* fast only */
    LONG in_kernel;      /* manual: the kernel's copy is set.  Auto-reset: see fast_event.c */
    LONG kernel_waiters; /* threads in, or on the way into, a wait in the kernel */
    LONG references;     /* handles, operations, waits */
    HANDLE handle;       /* for real calls */
    bool private;        /* it is a duplicate of our own */
    struct event_handle *handles;
    struct event_handle own;                 /* one of them, if its handle is not NULL */
    struct event_link *parked, **parked_end; /* first come, first served */
    struct event *next_free;
};

extern SRWLOCK events_lock;

/* For the time when the process ends: then the lock's owner may be gone, and nobody else is there.
 */
bool events_enter(void);
void events_leave(bool entered);

/* ---- fast_event_table.c ---- */

/* What the table says of a handle, without a lock: the memory is recycled, never freed. */
struct event *event_of(HANDLE handle, unsigned *lacks);
/* Marks all its handles with HANDLE_FAST; caller holds the lock. */
void event_mark_fast(struct event *event);
/* Caller holds the lock. */
void event_hold_locked(struct event *event);
void event_put_locked(struct event *event);

/* ---- fast_event.c; caller holds the lock ---- */

/* The last real call before `event` needs a handle of its own, since its last one goes. */
void event_keep_handle(struct event *event);
void event_adopt(struct event *event);
void event_demote(struct event *event);
/* Signaled, for a wait; looks into the kernel where it must.  `take` then resets an auto-reset one.
 */
bool event_ready(struct event *event);
void event_take(struct event *event);
/* After event_ready, where nothing was taken: back to the kernel, if a thread waits there. */
void event_push(struct event *event);
void event_enter_kernel(struct event *event);
/* `consumed`: the wait returned this one. */
void event_leave_kernel(struct event *event, bool consumed);
/* All that this event's state satisfies now. */
void event_satisfy(struct event *event);

/* ---- fast_event_wait.c; caller holds the lock ---- */

/* Takes what the wait takes, if it can end now: true, and `satisfied` says the index. */
bool event_set_try(struct event_set *set);
void parked_wait_unlink(struct parked_wait *wait);

#endif
