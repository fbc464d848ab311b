/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A map from handle values to what is kept of them: pages that are made when a handle of theirs is
 * first kept, and never freed, so that every intercepted call can look a handle up without a lock.
 * Who owns a kind says what its entries mean and who may change them.
 *
 * All kinds of one handle are in one line of the cache: after a request to wineserver nothing is in
 * the cache, and what a call on somebody else's handle pays are the lines that it looks at.
 */
#ifndef RINGSOCK_HANDLE_PAGES_H
#define RINGSOCK_HANDLE_PAGES_H

#include "winsock.h"

enum handle_kind {
    HANDLE_SOCKET,
    HANDLE_PORT,
    HANDLE_EVENT, /* with what the handle lacks in the low bits */
    HANDLE_TIMER,
    HANDLE_HANDOFF,
    HANDLE_KINDS = 8, /* a power of two */
};

#define HANDLE_PAGE_ENTRIES 4096u
#define HANDLE_PAGES        4096u /* handles up to 64 Mi: wineserver numbers them from 4 upwards */

struct handle_entry {
    void *volatile of[HANDLE_KINDS];
};

extern struct handle_entry *volatile handle_pages[HANDLE_PAGES];

/* As the kernel sees a handle: it ignores the low two bits. */
static inline HANDLE handle_plain(HANDLE handle)
{
    return (HANDLE)((ULONG_PTR)handle & ~(ULONG_PTR)3);
}

/* A handle's entry; NULL: nothing was ever kept near it. */
static inline void *volatile *handle_find(enum handle_kind kind, HANDLE handle)
{
    ULONG_PTR number = (ULONG_PTR)handle >> 2;
    struct handle_entry *page;

    if (!number || number >= (ULONG_PTR)HANDLE_PAGE_ENTRIES * HANDLE_PAGES)
        return NULL;
    page = handle_pages[number / HANDLE_PAGE_ENTRIES];
    return page ? &page[number % HANDLE_PAGE_ENTRIES].of[kind] : NULL;
}

/* The same, and makes it; NULL: no such handle, or no memory.  From any thread. */
void *volatile *handle_make(enum handle_kind kind, HANDLE handle);

#endif
