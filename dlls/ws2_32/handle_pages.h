/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A map from handle values to what is kept of them: pages that are made when a handle of theirs is
 * first kept, and never freed, so that every intercepted call can look a handle up without a lock.
 * Who owns a map says what its entries mean and who may change them.
 */
#ifndef RINGSOCK_HANDLE_PAGES_H
#define RINGSOCK_HANDLE_PAGES_H

#include "winsock.h"

#define HANDLE_PAGE_ENTRIES 4096u
#define HANDLE_PAGES        4096u /* handles up to 64 Mi: wineserver numbers them from 4 upwards */

struct handle_pages {
    void *volatile *volatile pages[HANDLE_PAGES];
};

/* As the kernel sees a handle: it ignores the low two bits. */
static inline HANDLE handle_plain(HANDLE handle)
{
    return (HANDLE)((ULONG_PTR)handle & ~(ULONG_PTR)3);
}

/* A handle's entry; NULL: nothing was ever kept near it. */
static inline void *volatile *handle_pages_find(struct handle_pages *map, HANDLE handle)
{
    ULONG_PTR number = (ULONG_PTR)handle >> 2;
    void *volatile *page;

    if (!number || number >= (ULONG_PTR)HANDLE_PAGE_ENTRIES * HANDLE_PAGES)
        return NULL;
    page = map->pages[number / HANDLE_PAGE_ENTRIES];
    return page ? &page[number % HANDLE_PAGE_ENTRIES] : NULL;
}

/* The same, and makes it; NULL: no such handle, or no memory.  From any thread. */
void *volatile *handle_pages_make(struct handle_pages *map, HANDLE handle);

#endif
