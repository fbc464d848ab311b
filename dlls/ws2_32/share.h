/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sockets that several processes hold (share.c), and handles that came by other ways than ours
 * (share_adopt.c, share_standard.c).
 */
#ifndef RINGSOCK_SHARE_H
#define RINGSOCK_SHARE_H

#include "socket.h"

/* ---- share.c ---- */

/* Gets the socket from whichever process has it.  Returns 0 or a WSA code; caller holds no lock. */
DWORD share_use(struct socket *socket);
/* The server takes back what was read ahead, so that nothing of it is lost with this process. */
DWORD share_park(struct socket *socket);
/* What the server says; caller holds the reap lock and the socket's. */
void share_yield(struct socket *socket);
long share_given(struct socket *socket, const struct rs_given *given, const void *state,
                 uint32_t size, struct operation_queue *finished);
/* Who waits for the socket has changed; caller holds its lock. */
void share_waits_changed(struct socket *socket);

/* ---- share_adopt.c; caller holds no lock ---- */

/* A file of the kind that sockets are; only the server knows more. */
bool share_may_be_socket(HANDLE handle);

/* The socket behind a handle that nobody here knows yet, with a reference; NULL: it is none. */
struct socket *share_adopt(SOCKET handle);
/* What WSADuplicateSocket in another process has made of this handle.  Returns 0 or a WSA code. */
DWORD share_take_over(SOCKET handle);

/* ---- share_standard.c; caller holds no lock ---- */

/* Before the program's first call: looks at the standard handles, and at what the C runtime of the
 * parent gave. */
void share_standard_init(void);
/* One of those that looked like a socket's, not found to be none since. */
bool share_is_standard(HANDLE handle);
/* What socket_find does, for calls that do not come through Winsock: makes a socket of a standard
 * handle that is one. */
struct socket *share_find(HANDLE handle);

#endif
