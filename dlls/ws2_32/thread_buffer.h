/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Results that the classic calls leave in memory of their own, one of a kind for each thread.
 */
#ifndef RINGSOCK_THREAD_BUFFER_H
#define RINGSOCK_THREAD_BUFFER_H

#include "winsock.h"

enum thread_buffer_kind {
    THREAD_BUFFER_NTOA,
    THREAD_BUFFER_HOST,
    THREAD_BUFFER_SERVICE,
    THREAD_BUFFER_PROTOCOL,
    THREAD_BUFFER_KINDS
};

/* At least size bytes, the same place as the last time if that was large enough; NULL when out of
 * memory.  Freed when the thread ends. */
void *thread_buffer(enum thread_buffer_kind kind, size_t size);

#endif
