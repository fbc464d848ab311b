/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Urgent bytes: a queue of their own beside the stream, and the receives (MSG_OOB) that wait for
 * them.  All under the socket's lock.
 */
#ifndef RINGSOCK_URGENT_H
#define RINGSOCK_URGENT_H

#include "socket.h"

/* One from the server, out of line. */
void urgent_arrived(struct socket *socket, uint8_t byte, struct operation_queue *finished);

/* A receive with MSG_OOB: true when it is complete, with its result set. */
bool urgent_try(struct socket *socket, struct operation *operation);

/* An ordinary receive of a socket whose urgent bytes are to come in line, where some are waiting
 * from before that was so: copies them as the next of the stream. */
void urgent_read_inline(struct socket *socket, struct operation *operation);

/* The same in numbers, for FIONREAD: 0 unless they come in line. */
uint32_t urgent_inline_bytes(const struct socket *socket);

/* Something has changed: tries what is posted again, and appends what that completes. */
void urgent_retry(struct socket *socket, struct operation_queue *finished);

#endif
