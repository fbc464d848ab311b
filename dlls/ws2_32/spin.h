/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether a thread looks at the completion ring for a moment before it parks.  See spin.c.
 */
#ifndef RINGSOCK_DLL_SPIN_H
#define RINGSOCK_DLL_SPIN_H

#include "waiter.h"

/* For RS_SPIN_TIME at most, and not past `deadline`, if that is worth it.  True: the waiter has
 * something to do.  Calling thread's own waiter, which has a slot. */
bool spin(struct waiter *waiter, uint64_t deadline);

#endif
