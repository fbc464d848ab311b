/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Anchors whose socket was closed and whose handle this process keeps, for its next sockets:
 * opening and closing one are wineserver's, and a good part of what a short connection costs.
 *
 * A handle is kept where nobody can miss that it was not closed:
 *   - closesocket only, since whoever calls CloseHandle may look at the handle again;
 *   - nobody else has a handle on the anchor (inherited, duplicated, also by another process).
 *     Where wineserver has served nobody since that was last known (wineserver_reads.h), it is
 *     known still; otherwise it is asked, one request in place of the two that keeping saves;
 *   - its flags were not changed, nothing of it is in the hands of the kernel (a completion port);
 *   - no process is being made, which would inherit it.  Before one is, all that are kept are
 * closed. To every call of Winsock a kept handle is no socket, and to ntdll's calls no handle
 * (anchor_pool_hide).
 *
 * Locks: pool_lock, a leaf; wineserver is called without it.  ask_lock, only tried, never waited
 * for.
 */
#ifndef RINGSOCK_ANCHOR_POOL_H
#define RINGSOCK_ANCHOR_POOL_H

#include "handle_pages.h"

struct session;
struct socket;

/* Once, from DllMain: whether NtCreateUserProcess was taken over.  Without it nothing is kept. */
void anchor_pool_init(bool sees_new_processes);

/* Keeps the handle of a socket that is not in the handle table any more; false: close it.  True:
 * tell the server so (RS_CLOSE_KEPT).  Caller holds no lock. */
bool anchor_pool_keep(const struct socket *socket, HANDLE handle);

/* What the kernel may be asked for in place of a handle: NULL, which is none, if that is kept. */
static inline HANDLE anchor_pool_hide(HANDLE handle)
{
    void *volatile *entry = handle_find(HANDLE_HIDDEN, handle);

    return entry && *entry ? NULL : handle;
}

/* The handle that is kept of this socket's anchor, or NULL. */
HANDLE anchor_pool_take(struct socket *socket, bool inherit);

#endif
