/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Connections that arrive on a listener.
 */
#ifndef RINGSOCK_ACCEPT_H
#define RINGSOCK_ACCEPT_H

#include "socket.h"

/* RS_COMP_ACCEPTED: gives the connection to a posted accept or keeps it.  Caller holds the
 * listener's lock.  Returns the FD_* edges. */
long accept_arrived(struct socket *listener, const struct rs_accepted *accepted,
                    struct operation_queue *finished);

/* The oldest connection that waits, or NULL; its reference goes to the caller, who holds the lock.
 */
struct socket *accept_take(struct socket *listener);

/* AcceptEx: lets the operation's socket become `connection` (whose reference it takes), and
 * completes the operation or queues it there for its first data.  Caller holds the listener's lock.
 * (accept_ex.c) */
void accept_ex_connect(struct operation *operation, struct socket *connection,
                       struct operation_queue *finished);

/* Whether it has no room for the addresses: then it is finished with that error.  Caller holds the
 * listener's lock. */
bool accept_ex_refuse(struct operation *operation, struct operation_queue *finished);

/* The socket is being closed: ends the AcceptEx that waits to make it a connection.  No lock. */
void accept_ex_abandon(struct socket *target);

#endif
