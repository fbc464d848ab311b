/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether a receive that does not wait may say that nothing is there.  See look_again.c.
 */
#ifndef RINGSOCK_LOOK_AGAIN_H
#define RINGSOCK_LOOK_AGAIN_H

#include "socket.h"

/* What one call has done so far; begins as zeros. */
struct looks {
    unsigned waits;  /* for what the kernel was about to pass on */
    bool full_sends; /* the server has come past those */
};

/* Nothing was there: is it worth another look?  Takes the lock. */
bool look_again(struct socket *socket, struct looks *looks);

/* What this process has submitted by now has happened, and what came of it to this socket was
 * applied.  Costs a round trip; no lock may be held. */
void look_now(struct socket *socket);

#endif
