/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Handles of events that are handed over (see handoff_event.h).
 *
 * Owns: the handles' entries, the memory of all such events, the free list.  Takes no lock, and
 * memory is from the kernel, not the heap, whose lock a suspended thread may have
 * (handoff_event.c).  It is recycled and never freed: who finds an event holds it, and then looks
 * whether it is this handle's still.
 *
 * References: one for the handle, one for each call under way.
 */
#include "handoff_event_internal.h"

/* Kept for ever: looked at without a lock. */
struct block {
    struct block *next;
    struct handoff_event events[];
};
#define BLOCK_SIZE (64u * 1024)
#define PER_BLOCK  ((BLOCK_SIZE - sizeof(struct block)) / sizeof(struct handoff_event))

static struct block *volatile blocks;
static SLIST_HEADER free_events;

void handoff_event_put(struct handoff_event *event)
{
    if (!InterlockedDecrement(&event->references))
        InterlockedPushEntrySList(&free_events, &event->next_free);
}

static bool hold_unless_free(struct handoff_event *event)
{
    LONG references, seen = event->references;

    while ((references = seen))
        if ((seen = InterlockedCompareExchange(&event->references, references + 1, references)) ==
            references)
            return true;
    return false;
}

struct handoff_event *handoff_event_hold_entry(void *volatile *entry)
{
    struct handoff_event *event = *entry;

    if (!event || !hold_unless_free(event))
        return NULL;
    if (*entry == event)
        return event;
    handoff_event_put(event); /* another handle's meanwhile */
    return NULL;
}

static void add_block(void)
{
    struct block *block = VirtualAlloc(NULL, BLOCK_SIZE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    void *next;

    if (!block)
        return;
    do
        block->next = next = blocks;
    while (InterlockedCompareExchangePointer((void *volatile *)&blocks, block, next) != next);
    for (size_t i = 0; i < PER_BLOCK; i++)
        InterlockedPushEntrySList(&free_events, &block->events[i].next_free);
}

static struct handoff_event *allocate(void)
{
    SLIST_ENTRY *entry = InterlockedPopEntrySList(&free_events);

    if (!entry) {
        add_block();
        entry = InterlockedPopEntrySList(&free_events);
    }
    return (struct handoff_event *)entry;
}

void handoff_event_add(HANDLE handle)
{
    void *volatile *entry = handle_make(HANDLE_HANDOFF, handle);
    struct handoff_event *event;

    if (!entry || *entry || !(event = allocate()))
        return;
    event->handle = handle;
    event->copy = NULL;
    event->evicted = 0;
    event->proofs = 0;
    event->fit = false;
    event->unclaimed = 1;
    InterlockedExchange(&event->state, BELOW);
    InterlockedExchange(&event->references, 1);
    if (InterlockedCompareExchangePointer(entry, event, NULL))
        handoff_event_put(event);
}

struct handoff_event *handoff_event_remove(HANDLE handle)
{
    void *volatile *entry = handle_find(HANDLE_HANDOFF, handle);
    struct handoff_event *event = entry ? *entry : NULL;

    if (!event || InterlockedCompareExchangePointer(entry, NULL, event) != event)
        return NULL;
    return event;
}

void handoff_events_thread_gone(DWORD thread)
{
    for (struct block *block = blocks; block; block = block->next)
        for (size_t i = 0; i < PER_BLOCK; i++)
            InterlockedCompareExchange(&block->events[i].state, EMPTY, (LONG)thread);
}
