/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Taking posted operations back: CancelIo and its like, the end of a thread, of a socket, of the
 * server.
 */
#ifndef RINGSOCK_CANCEL_H
#define RINGSOCK_CANCEL_H

#include "socket.h"

/* Which operations are meant; all of them where it is all zero. */
struct operation_filter {
    const void *overlapped;       /* NULL: any */
    uint64_t issuer;              /* the serial of the thread that issued it; 0: anybody */
    bool thread_exit;             /* only what the end of that thread cancels */
    const struct waiter *blocked; /* only what this thread blocks for */
};
#define ISSUER_NOBODY UINT64_MAX

/* Cancels and delivers what matches; how many there were.  Takes the lock. */
ULONG socket_cancel(struct socket *socket, const struct operation_filter *filter);

/* Both take every operation off the socket's queues and append it to `finished`, which is empty,
 * with its error: the given one, or what closing makes of it.  Caller holds the lock. */
void socket_abort_all(struct socket *socket, DWORD error, struct operation_queue *finished);
void socket_abort_for_close(struct socket *socket, struct operation_queue *finished);

#endif
