/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Connections from this side: what the arrival of their results does.  Caller holds the lock.
 */
#ifndef RINGSOCK_CONNECT_H
#define RINGSOCK_CONNECT_H

#include "socket.h"

/* RS_COMP_CONNECTED: finishes a posted connect.  Returns the FD_* edges. */
long connect_finished(struct socket *socket, const struct rs_connected *connected,
                      struct operation_queue *finished);

/* What the state says to a connect, or with `extended` to a ConnectEx: 0 or a WSA code. */
DWORD connect_check(const struct socket *socket, bool extended);

/* Where a connect or ConnectEx is to go; of AF_UNIX the server has been told the path.  No lock. */
DWORD connect_destination(struct socket *socket, const struct sockaddr *name, int length,
                          struct rs_addr *peer);

/* Starts connecting to `peer`: checks and changes the state, hands the call to the server, and
 * queues `operation` unless it is NULL.  Returns 0 when started, or a WSA code. */
DWORD connect_start(struct socket *socket, const struct rs_addr *peer, struct operation *operation);

#endif
