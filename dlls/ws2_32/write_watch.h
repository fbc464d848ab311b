/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Memory with write watch (VirtualAlloc's MEM_WRITE_WATCH: GetWriteWatch lists the pages that were
 * written), as garbage collectors use it.
 *
 * On Windows a receive that begins to wait locks its buffers, by which all their pages count as
 * written; what arrives later goes there by another mapping, and counts nothing.
 */
#ifndef RINGSOCK_WRITE_WATCH_H
#define RINGSOCK_WRITE_WATCH_H

#include "winsock.h"

/* guarded_copy into the buffer of an operation that has waited.  Takes no lock. */
size_t write_watch_copy(void *to, const void *from, size_t size);

#endif
