/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The sending side of a socket: handing bytes to the server within the send window.  All under the
 * socket's lock.
 */
#ifndef RINGSOCK_SEND_H
#define RINGSOCK_SEND_H

#include "socket.h"

#define SEND_WINDOW_DEFAULT \
    (256u << 10) /* bytes that may wait in the server, see docs/architecture.md */

/* Why this socket cannot send now, or 0. */
DWORD send_check(const struct socket *socket);

/* How much of the window so many bytes take. */
uint32_t send_cost(const struct socket *socket, uint32_t length);

/* Into datagrams of how many bytes it is to be cut; 0: not. */
uint32_t send_segment(const struct socket *socket, const struct operation *operation);
/* How many bytes of the operation, from where it stands, go to the server in one record: of a
 * datagram that is to be cut no more than the kernel cuts at once. */
uint32_t send_part_length(const struct socket *socket, const struct operation *operation);

/* A nonblocking send may go beyond the window, as on Windows. */
bool send_takes_whole(const struct socket *socket, const struct operation *operation);

/* Whether this one leaves no room in the window, or more than that. */
bool send_fills(const struct socket *socket, const struct operation *operation);
/* One that does not wait is about to fill the window; it has, or was refused (WSAEWOULDBLOCK). */
void send_will_fill(struct socket *socket);
void send_has_filled(struct socket *socket);

/* Hands over what the window allows (everything if `whole`).  True when the operation is complete,
 * with its result set.  The server may sleep on until send_unlock. */
bool send_push(struct socket *socket, struct operation *operation, bool whole);

/* Releases the socket's lock, and then wakes the server for what was sent: who is woken by it, or
 * by the answer, may want the lock (measured with Go's HTTP server: two waits for it per answer).
 */
void send_unlock(struct socket *socket);

/* The kernel has taken some: goes on with what is queued. */
void send_progress(struct socket *socket, struct operation_queue *finished);

/* The connection is gone: every queued send fails. */
void send_fail(struct socket *socket, DWORD error, struct operation_queue *finished);

/* Sends all of it, or waits until that is decided, whether the socket is nonblocking or not; no
 * lock (send_calls.c).  `carried`: for what; WSA_OPERATION_ABORTED if that is cancelled. */
DWORD send_blocking(struct socket *socket, const WSABUF *data, const struct carried *carried);

/* shutdown(SD_SEND): now, or after the last queued send. */
void send_shutdown(struct socket *socket, struct operation_queue *finished);

#endif
