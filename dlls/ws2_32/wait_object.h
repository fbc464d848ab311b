/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A SOCKET as an object to wait for: as a file object it is reset when an operation begins on it
 * and set when one without an event ends.  GetOverlappedResult waits so where hEvent is NULL.
 */
#ifndef RINGSOCK_WAIT_OBJECT_H
#define RINGSOCK_WAIT_OBJECT_H

#include "socket.h"

/* An overlapped operation begins, or has ended. */
void wait_object_reset(struct socket *socket);
void wait_object_set(struct socket *socket);

/* The socket is no more. */
void wait_object_free(struct socket *socket);

#endif
