/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sockets that several processes hold (share.c), and handles that came by other ways than ours
 * (share_adopt.c).
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

/* The socket behind a handle that nobody here knows yet, with a reference; NULL: it is none. */
struct socket *share_adopt(SOCKET handle);
/* What WSADuplicateSocket in another process has made of this handle.  Returns 0 or a WSA code. */
DWORD share_take_over(SOCKET handle);

#endif
