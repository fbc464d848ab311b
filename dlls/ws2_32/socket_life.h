/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How sockets begin and end on this side: indices, handles, cancellation.
 */
#ifndef RINGSOCK_SOCKET_LIFE_H
#define RINGSOCK_SOCKET_LIFE_H

#include "socket.h"

/* The socket of a session's index with a reference, or NULL. */
struct socket *socket_by_index(struct session *session, uint32_t index);
/* Binds an index to a socket, with a reference of its own.  False for an index out of range. */
bool socket_set_index(struct session *session, uint32_t index, struct socket *socket);
void socket_unindex(struct session *session, uint32_t index);
/* RS_COMP_CLOSED was seen: unindex, and RS_SUB_FORGET so that the server may use it again. */
void socket_forget_index(struct session *session, uint32_t index);

/* A socket without a handle yet, known under `index`; one reference for the caller. */
struct socket *socket_make(struct session *session, uint32_t index, int family, int type,
                           int protocol);
/* Opens the anchor, makes the handle findable and tells the server.  Returns 0 or a WSA code. */
DWORD socket_open_handle(struct socket *socket, uint32_t anchor);
/* bind, with an address of the socket's family.  Asks the server; caller holds no lock. */
DWORD socket_bind(struct socket *socket, const struct rs_addr *address);
/* Gives an unwanted connection without a handle back to the server: it is reset. */
void socket_discard(struct socket *socket);

/* closesocket for a socket that was found; consumes no reference.  Returns 0 or a WSA code. */
DWORD socket_close(struct socket *socket, SOCKET handle);

/* SetHandleInformation was called for a handle, of a socket or not. */
void socket_flags_changed(HANDLE handle);

/* Waits for a synchronous operation that was queued.  Returns its error; WSAETIMEDOUT or WSAEINTR
 * if it was taken off the queue because the deadline passed or WSACancelBlockingCall was called;
 * WSAEINTR, too, if the socket was closed.  Caller holds no lock, has armed operation->waiter
 * before queueing it. */
DWORD socket_wait(struct socket *socket, struct operation_queue *queue, struct operation *operation,
                  uint64_t deadline);

/* Queues the operation, or says why not (WSA code); takes the socket's lock. */
typedef DWORD socket_post(struct socket *socket, struct operation *operation);

/* Waits for a change that the operation which `post` puts into `queue` stands for, or with
 * `overlapped` leaves that to its completion (WSA_IO_PENDING).  Returns 0 or a WSA code; caller
 * holds no lock. */
DWORD socket_watch_change(struct socket *socket, struct operation_queue *queue, socket_post *post,
                          WSAOVERLAPPED *overlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE routine);

#endif
