/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How many handles this process has.  GetProcessHandleCount says 0 on Wine, and the count in
 * SystemProcessInformation is the size of wineserver's table there; so the system's list of all
 * handles is asked, which is in one call, and those of this process are counted.
 *
 * Owns nothing.  0: the list was not to be had.
 */
#ifndef RINGSOCK_TESTS_HANDLE_COUNT_H
#define RINGSOCK_TESTS_HANDLE_COUNT_H

#include <windows.h>
#include <winternl.h>

#include <stdlib.h>

/* SystemExtendedHandleInformation */
struct handle_count_list {
    ULONG_PTR count, reserved;
    struct {
        void *object;
        ULONG_PTR pid, handle;
        ULONG access;
        USHORT creator, type;
        ULONG attributes, unused;
    } entries[];
};

static inline DWORD handle_count(void)
{
    struct handle_count_list *list = NULL;
    DWORD count = 0;

    for (ULONG size = 1u << 18; size <= 1u << 26; size *= 2) {
        struct handle_count_list *larger = realloc(list, size);

        if (!larger)
            break;
        list = larger;
        if (NtQuerySystemInformation((SYSTEM_INFORMATION_CLASS)64, list, size, NULL))
            continue; /* there are more than fit in */
        for (ULONG_PTR i = 0; i < list->count; i++)
            count += list->entries[i].pid == GetCurrentProcessId();
        break;
    }
    free(list);
    return count;
}

#endif
