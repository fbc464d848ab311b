/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Completion routines: how a finished operation's gets to run in the thread that issued it, and
 * that thread's alertable waits.
 */
#ifndef RINGSOCK_ROUTINE_H
#define RINGSOCK_ROUTINE_H

#include "operation.h"

/* An alertable thread that always finds what it waits for lets the kernel run its APCs this often.
 */
#define ALERT_MS 10u

/* Until this says so, and with RINGSOCK_FASTEVENT=0 in the environment, routines run by APCs only.
 */
void routines_init(bool in_user_mode);

/* The operation is finished: its routine runs in the issuing thread's next alertable wait, after
 * which the operation is freed.  Where that thread has ended it is freed at once. */
void routine_queue(struct operation *operation);

/* The waiter's thread ends: frees what is due and what is on its stack.  What comes later is freed
 * by routine_queue. */
void routines_end(struct waiter *waiter);

/* For the calling thread's waiter, which may be NULL; caller holds no lock. */

/* Something could run now, here or by an APC that is under way. */
bool routines_due(struct waiter *waiter);
/* At the beginning of an alertable wait, or in the middle: runs what is due.  True: the wait ends
 * with STATUS_USER_APC. */
bool routines_run(struct waiter *waiter);
/* Around each alertable wait in the kernel. */
void alertable_begin(struct waiter *waiter);
void alertable_end(struct waiter *waiter);
/* Before an alertable thread parks, which runs no APCs: those that are there, now and then. */
bool alert_now(struct waiter *waiter);

/* alertable_sleep.c: NtDelayExecution where it is alertable. */
NTSTATUS alertable_sleep(struct waiter *waiter, const LARGE_INTEGER *timeout);

#endif
