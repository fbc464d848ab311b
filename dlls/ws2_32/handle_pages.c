/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Making pages (see handle_pages.h).  Owns the pages, takes no lock. */
#include "handle_pages.h"

struct handle_entry *volatile handle_pages[HANDLE_PAGES];

void *volatile *handle_make(enum handle_kind kind, HANDLE handle)
{
    ULONG_PTR number = (ULONG_PTR)handle >> 2;
    void *volatile *entry = handle_find(kind, handle);
    struct handle_entry *volatile *place;
    void *page;

    if (entry || !number || number >= (ULONG_PTR)HANDLE_PAGE_ENTRIES * HANDLE_PAGES)
        return entry;
    /* not from the heap, whose lock a suspended thread may have (handoff_event.c) */
    if (!(page = VirtualAlloc(NULL, HANDLE_PAGE_ENTRIES * sizeof(struct handle_entry),
                              MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE)))
        return NULL;
    place = &handle_pages[number / HANDLE_PAGE_ENTRIES];
    if (InterlockedCompareExchangePointer((void *volatile *)place, page, NULL))
        VirtualFree(page, 0, MEM_RELEASE); /* another thread was faster */
    return handle_find(kind, handle);
}
