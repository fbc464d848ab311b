/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Completion routines: how a finished operation's gets to run in the thread that issued it.
 */
#ifndef RINGSOCK_ROUTINE_H
#define RINGSOCK_ROUTINE_H

#include "operation.h"

/* The operation is finished: its routine runs in the issuing thread's next alertable wait, after
 * which the operation is freed.  Where that thread has ended it is freed at once. */
void routine_queue(struct operation *operation);

/* The waiter's thread ends: frees what is due and what is on its stack.  What comes later is freed
 * by routine_queue. */
void routines_end(struct waiter *waiter);

#endif
