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
    HANDLE_EVENT, /* with tags in the low bits (fast_event.h) */
    HANDLE_TIMER,
    HANDLE_HANDOFF,
    HANDLE_AFD,      /* a helper on \Device\Afd */
    HANDLE_STANDARD, /* not NULL: what the process was started with, and may be a socket */
    HANDLE_HIDDEN,   /* not NULL: a kept anchor's, which is none to anybody (anchor_pool.h) */
    HANDLE_KINDS,    /* eight: a line of the cache */
};

#define HANDLE_PAGE_ENTRIES 4096u
#define HANDLE_PAGES        4096u /* handles up to 64 Mi: wineserver numbers them from 4 upwards */

struct handle_entry {
    void *volatile of[HANDLE_KINDS];
};

_Static_assert(HANDLE_KINDS == 8, "handle_keeps looks at one line");

extern struct handle_entry *volatile handle_pages[HANDLE_PAGES];

/* As the kernel sees a handle: it ignores the low two bits. */
static inline HANDLE handle_plain(HANDLE handle)
{
    return (HANDLE)((ULONG_PTR)handle & ~(ULONG_PTR)3);
}

/* All that is kept of a handle; NULL: nothing was ever kept near it. */
static inline struct handle_entry *handle_entry(HANDLE handle)
{
    ULONG_PTR number = (ULONG_PTR)handle >> 2;
    struct handle_entry *page;

    if (!number || number >= (ULONG_PTR)HANDLE_PAGE_ENTRIES * HANDLE_PAGES)
        return NULL;
    page = handle_pages[number / HANDLE_PAGE_ENTRIES];
    return page ? &page[number % HANDLE_PAGE_ENTRIES] : NULL;
}

/* The same of one kind. */
static inline void *volatile *handle_find(enum handle_kind kind, HANDLE handle)
{
    struct handle_entry *entry = handle_entry(handle);

    return entry ? &entry->of[kind] : NULL;
}

/* Whether anything is kept of a handle; of a kind other than `but`, which may be HANDLE_KINDS. */
static inline bool handle_keeps(const struct handle_entry *entry, enum handle_kind but)
{
    bool kept = false;

#pragma GCC unroll 8
    for (unsigned kind = 0; entry && kind < HANDLE_KINDS; kind++)
        kept |= kind != but && entry->of[kind];
    return kept;
}

static inline bool handle_is_kept(HANDLE handle)
{
    return handle_keeps(handle_entry(handle), HANDLE_KINDS);
}

/* The same as handle_find, and makes it; NULL: no such handle, or no memory.  From any thread. */
void *volatile *handle_make(enum handle_kind kind, HANDLE handle);

#endif
