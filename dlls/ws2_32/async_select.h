/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * WSAAsyncSelect's side of readiness: which window is told what.
 *
 * Each takes a socket whose lock the caller holds, unless stated, and costs one load where no
 * window is selected.
 */
#ifndef RINGSOCK_ASYNC_SELECT_H
#define RINGSOCK_ASYNC_SELECT_H

#include "socket.h"

/* Something changed; `edges` as in socket_notify. */
void async_select_notify(struct socket *socket, long edges);
/* A call that enables FD_* events again, whether it succeeded or not. */
void async_select_enable(struct socket *socket, long events);
/* No more messages. */
void async_select_cancel(struct socket *socket);
/* The same selection as the listener's, for a connection that has just got its handle.  Takes the
 * locks, one after the other. */
void async_select_inherit(struct socket *accepted, struct socket *listener);
/* NtClose, unlike closesocket, tells FD_CLOSE (Wine's tests, run on Windows).  Takes the lock. */
void async_select_handle_closed(struct socket *socket);

#endif
