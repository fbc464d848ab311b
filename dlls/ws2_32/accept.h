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

/* Puts it back as the oldest, with the reference; false: no memory.  Caller holds the lock. */
bool accept_put_back(struct socket *listener, struct socket *connection);

/* The next connection, with a reference; waits for it unless the listener is nonblocking.  Takes
 * the listener's lock. */
DWORD accept_next(struct socket *listener, struct socket **connection);

/* Makes a SOCKET of it, with what the listener has selected; one that cannot be is reset. */
DWORD accept_give_handle(struct socket *connection, struct socket *listener);

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

/* WSAEFAULT if the peer's address is wanted and cannot be stored there. */
DWORD accept_check_room(struct socket *listener, struct sockaddr *address, int *length);
/* Stores it there, if it is. */
void accept_tell_peer(const struct socket *connection, struct sockaddr *address, int *length);

#endif
