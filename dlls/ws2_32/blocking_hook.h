/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Blocking as Winsock 1.1 has it: a thread's hook runs while its call blocks.
 */
#ifndef RINGSOCK_BLOCKING_HOOK_H
#define RINGSOCK_BLOCKING_HOOK_H

#include "waiter.h"

/* How many threads have a hook: none in a program that never negotiated version 1. */
extern LONG volatile blocking_hooks;

/* waiter_wait with the thread's hook called before it, and again every few milliseconds while
 * nothing comes; WAITER_CANCELLED if the hook called WSACancelBlockingCall.  The caller has asked
 * for its condition before, and does so again after anything but a time-out. */
enum waiter_result blocking_hook_wait(struct waiter *waiter, uint64_t deadline, bool alertable);

/* The wait of a call that Winsock 1.1 defines as able to block. */
static inline enum waiter_result blocking_wait(struct waiter *waiter, uint64_t deadline,
                                               bool alertable)
{
    return blocking_hooks ? blocking_hook_wait(waiter, deadline, alertable)
                          : waiter_wait(waiter, deadline, alertable);
}

/* The calling thread is inside its hook: no other call is allowed there. */
bool blocking_hook_runs(void);

/* The thread that this waiter belongs to ends. */
void blocking_hook_forget(struct waiter *waiter);

#endif
