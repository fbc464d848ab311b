/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Auto-reset events by which threads wake one another, without wineserver.  See handoff_event.c.
 * It stands above fast_event.h: what is not kept here goes there, and then to the kernel.
 */
#ifndef RINGSOCK_HANDOFF_EVENT_H
#define RINGSOCK_HANDOFF_EVENT_H

#include "fast_event.h"

struct handoff_event;

/* Until this says so, and with RINGSOCK_FASTEVENT=0 in the environment, no event is ever kept. */
void handoff_events_init(bool in_user_mode);

/* NtSetEvent, NtResetEvent, NtClearEvent, NtPulseEvent. */
NTSTATUS handoff_event_change(HANDLE handle, enum event_change change, LONG *previous);
/* NtWaitForSingleObject of a handle that may be an event's.  False: to be done by event_wait. */
bool handoff_event_wait(HANDLE handle, bool alertable, const LARGE_INTEGER *timeout,
                        NTSTATUS *status);

/* A wait for this handle among others is about to be made by event_wait; NULL: there is nothing to
 * return.  `consumed`: the wait took this one's signal. */
struct handoff_event *handoff_event_lend(HANDLE handle);
void handoff_event_return(struct handoff_event *event, bool consumed);

/* Somebody is about to use the handle in another way: it is not kept here from here on.  Costs two
 * loads for handles of other things. */
void handoff_event_give_back(HANDLE handle);
/* NtClose is about to close it. */
void handoff_event_closing(HANDLE handle);
/* This thread was terminated by another one. */
void handoff_events_thread_gone(DWORD thread);

#endif
