/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How many handles this process has.  GetProcessHandleCount says 0 on Wine, the count in
 * SystemProcessInformation is the size of wineserver's table there, and the list of all handles
 * (SystemExtendedHandleInformation) now and then crashes wineserver 8.0 while programs come and go.
 * So each value is tried.  Values are given out from the lowest that is free, which leaves no long
 * gaps.  Handles that ws2_32.dll keeps for later sockets are none to the program, nor here.
 *
 * Owns nothing.
 */
#ifndef RINGSOCK_TESTS_HANDLE_COUNT_H
#define RINGSOCK_TESTS_HANDLE_COUNT_H

#include <windows.h>

#define HANDLE_COUNT_GAP 512u

static inline DWORD handle_count(void)
{
    DWORD count = 0, flags;

    for (ULONG_PTR value = 4, misses = 0; misses < HANDLE_COUNT_GAP; value += 4)
        if (GetHandleInformation((HANDLE)value, &flags)) {
            count++;
            misses = 0;
        } else
            misses++;
    return count;
}

#endif
