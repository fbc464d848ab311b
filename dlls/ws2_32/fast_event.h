/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Event objects whose state lives in user mode, so that an overlapped operation which tells by its
 * event needs no wineserver: setting, resetting and waiting cost a lock and a few stores.
 *
 * Every event without a name that is made after this DLL was loaded is known from its birth (as
 * completion ports are, port_table.h), for a thread may wait for it before its first operation:
 *
 *   EVENT_PLAIN   the kernel's; only the threads that wait for it are counted
 *   EVENT_FAST    ours: it was given to an overlapped operation or made by WSACreateEvent
 *   EVENT_NATIVE  the kernel's for good: something that we do not see may set it or wait for it
 *
 * The rules are in fast_event.c's header comment.  events_lock guards everything here; order: after
 * socket.lock and session.reap_lock; under it only waiter_signal, the heap, and real calls on
 * events.
 */
#ifndef RINGSOCK_FAST_EVENT_H
#define RINGSOCK_FAST_EVENT_H

#include "ntcalls.h"

struct event;

/* In the low bits of an event's entries in the handle pages. */
#define HANDLE_NO_WAIT   1u /* the handle may lack that right: the kernel is to say so */
#define HANDLE_NO_CHANGE 2u
#define HANDLE_FAST      4u /* the event is, or was: without it nothing is but the kernel's state */
#define HANDLE_TAGS      ((ULONG_PTR)(HANDLE_NO_WAIT | HANDLE_NO_CHANGE | HANDLE_FAST))

/* Until this says so, and with RINGSOCK_FASTEVENT=0 in the environment, no event is ever known. */
void event_table_init(bool in_user_mode);

/* ---- fast_event_table.c: handles ---- */

/* A new handle of an event that nobody else can have; or of one that must stay unknown. */
void event_born(HANDLE handle, bool manual);
void event_unknown(HANDLE handle);
/* NtClose is about to close / could not close this handle; closed must follow where closing did not
 * return NULL. */
struct event *event_closing(HANDLE handle);
void event_closed(struct event *event, HANDLE handle, NTSTATUS status);
/* With a reference, or NULL; and which rights the handle lacks. */
struct event *event_find(HANDLE handle, unsigned *lacks);
/* A further handle of this process. */
void event_add_handle_like(struct event *event, HANDLE handle, unsigned lacks);
void event_add_handle(struct event *event, HANDLE handle, ACCESS_MASK access);
/* One more handle, for our own use, of what may be an event; NULL: there is none. */
HANDLE event_duplicate(HANDLE handle);
/* Costs a load for handles of other things. */
bool event_is_known(HANDLE handle);

/* ---- fast_event.c: state ---- */

/* The event of an overlapped operation, fast from now on where possible, and reset; with a
 * reference, for event_set and event_put.  NULL: not known, nothing was done. */
struct event *event_begin(HANDLE handle);
void event_set(struct event *event);
void event_put(struct event *event);

/* Fast from now on where possible. */
void event_make_fast(HANDLE handle);
bool event_is_fast(HANDLE handle); /* at this moment, as the next */
bool event_is_plain_auto_reset(HANDLE handle);
/* Native from now on: somebody whom we do not see gets it. */
void event_make_native(HANDLE handle);

enum event_change { EVENT_SET, EVENT_RESET, EVENT_CLEAR, EVENT_PULSE };
/* NtSetEvent and its like.  False: to be done by the real call. */
bool event_change(HANDLE handle, enum event_change change, LONG *previous, NTSTATUS *status);
/* The same, and the real call where that is to do it. */
NTSTATUS event_change_any(HANDLE handle, enum event_change change, LONG *previous);
bool event_query(HANDLE handle, bool *manual, bool *set);

/* ---- event_handover.c ---- */

/* The kernel is about to get this event, which may be NULL, to set it: native from now on. */
void event_hand_over(HANDLE event);

/* ---- fast_event_wait.c ---- */

/* NtWaitFor*; `handles` may be any. */
NTSTATUS event_wait(ULONG count, const HANDLE *handles, bool any, bool alertable,
                    const LARGE_INTEGER *timeout);
/* For a wait that another call of the kernel makes: counts the caller as one that waits there. */
struct kernel_wait {
    ULONG count;
    struct event *events[MAXIMUM_WAIT_OBJECTS];
};
void kernel_wait_begin(struct kernel_wait *wait, ULONG count, const HANDLE *handles);
void kernel_wait_end(struct kernel_wait *wait, bool any, NTSTATUS status);

/* Whether a wait that returned `status` took the signal of its object of this index. */
bool wait_has_taken(ULONG index, bool any, ULONG count, NTSTATUS status);

/* The thread that has this waiter was terminated. */
struct waiter;
void event_wait_abandon(struct waiter *waiter);

#endif
