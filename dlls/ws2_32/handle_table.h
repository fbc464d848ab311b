/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From a handle's value to our socket, without a lock: a directory of pages indexed by handle / 4.
 *
 * The memory of sockets is type-stable (recycled, never freed), so that a look-up may take a
 * reference first and ask afterwards whether the socket is still the one at that handle.
 */
#ifndef RINGSOCK_HANDLE_TABLE_H
#define RINGSOCK_HANDLE_TABLE_H

#include "socket.h"

/* A socket with one reference, everything else zero; NULL when out of memory. */
struct socket *socket_allocate(void);

/* Makes it findable by the handle, one more of this process; takes no reference.  False when out of
 * memory. */
bool handle_table_insert(struct socket *socket, SOCKET handle);
/* False if somebody else has removed it already. */
bool handle_table_remove(struct socket *socket, SOCKET handle);

#endif
