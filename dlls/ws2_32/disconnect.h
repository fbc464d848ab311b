/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The end of a connection whose socket is used again.  See disconnect_ex.c.
 */
#ifndef RINGSOCK_DISCONNECT_H
#define RINGSOCK_DISCONNECT_H

#include "socket.h"

/* Ends the sending side behind what was sent before; no lock. */
DWORD disconnect_send(struct socket *socket);
/* Ends the connection, and returns when the socket is as new; no lock.  `carried`: for what, or
 * NULL; if that is cancelled, WSA_OPERATION_ABORTED. */
DWORD disconnect_and_wait(struct socket *socket, const struct carried *carried);
/* RS_COMP_REUSED; caller holds the lock. */
void disconnect_finished(struct socket *socket, const struct rs_reused *reused,
                         struct operation_queue *finished);

#endif
