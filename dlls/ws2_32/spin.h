/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether a thread looks at the completion ring for a moment before it parks.  See spin.c.
 */
#ifndef RINGSOCK_DLL_SPIN_H
#define RINGSOCK_DLL_SPIN_H

#include "waiter.h"

/* Asks wineserver how many processors there are, which spin() therefore need not.  Before the
 * process's first session is used; until then nobody spins. */
void spin_prepare(void);

/* For RS_SPIN_TIME at most, and not past `deadline`, if that is worth it.  True: the waiter has
 * something to do.  Calling thread's own waiter, which has a slot. */
bool spin(struct waiter *waiter, uint64_t deadline);

#endif
