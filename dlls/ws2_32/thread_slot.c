/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Values of threads (see thread_slot.h).  Takes no lock: of two threads that make a slot at the
 * same time one gives its own back.
 */
#include "thread_slot.h"
#include "thread_block.h"

static DWORD index_of(struct thread_slot *slot)
{
    LONG made, value = slot->plus_one;

    if (value)
        return (DWORD)value - 1;
    made = (LONG)TlsAlloc();
    if ((DWORD)made == TLS_OUT_OF_INDEXES)
        return TLS_OUT_OF_INDEXES;
    value = InterlockedCompareExchange(&slot->plus_one, made + 1, 0);
    if (!value)
        return (DWORD)made;
    TlsFree((DWORD)made);
    return (DWORD)value - 1;
}

void *thread_slot_get(const struct thread_slot *slot)
{
    return slot->plus_one ? thread_value((DWORD)slot->plus_one - 1) : NULL;
}

void thread_slot_set(struct thread_slot *slot, void *value)
{
    DWORD error = last_error(), index = index_of(slot);

    if (index != TLS_OUT_OF_INDEXES)
        TlsSetValue(index, value);
    last_error_set(error);
}
