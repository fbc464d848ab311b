/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writing past write watch (see write_watch.h).  Owns one word: whether this process has such
 * memory.  Takes no lock; calls only the NT layer.
 *
 * What is copied here is a fault in Wine, which counts the page.  wineserver writes to a process
 * without one.  That is slow, so it is done for such memory alone; nothing is asked while there is
 * none.  Memory of before this DLL was loaded is not known of, and counts as written when data
 * arrive: a collector looks at it once too often.
 */
#include "write_watch.h"
#include "guarded_copy.h"
#include "handles.h"
#include "intercept.h"

static bool volatile used;

NTSTATUS NTAPI our_NtAllocateVirtualMemory(HANDLE process, void **address, ULONG_PTR zero_bits,
                                           SIZE_T *size, ULONG type, ULONG protection)
{
    if (type & MEM_WRITE_WATCH)
        used = true;
    return real_NtAllocateVirtualMemory(process, address, zero_bits, size, type, protection);
}

/* STATUS_INVALID_PARAMETER: it has no write watch. */
static bool is_watched(void *address, size_t size)
{
    void *page;
    ULONG_PTR count = 1;
    ULONG granularity;

    return !NtGetWriteWatch(GetCurrentProcess(), 0, address, size, &page, &count, &granularity);
}

size_t write_watch_copy(void *to, const void *from, size_t size)
{
    SIZE_T written;

    if (used && size && is_watched(to, size) &&
        !NtWriteVirtualMemory(GetCurrentProcess(), to, from, size, &written) && written == size)
        return 0;
    return guarded_copy(to, from, size);
}
